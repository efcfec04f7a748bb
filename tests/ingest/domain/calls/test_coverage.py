"""When a ladder calls nobody, against a model that asks every quarter of an hour of a week."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from dataclasses import replace

import pytest

from ingest.domain.calls.coverage import MONDAY, gaps
from ingest.domain.calls.roster import Holidays, Roster, Shift
from ingest.domain.model.call import Channel, LadderStep, Person
from ingest.domain.model.payload import PLANT_TIME

QUARTER = dt.timedelta(minutes=15)
PEOPLE = {"甲": Person("甲", (Channel("voice", "1"),)), "乙": Person("乙")}


def roster_of(chance: random.Random) -> Roster:
    """Shifts of two positions at two plants; 乙 has no telephone."""
    shifts = [
        Shift(
            chance.choice("ab"),
            dt.time(chance.randrange(24), chance.choice((0, 15))),
            dt.time(chance.randrange(24), chance.choice((0, 45))),
            (chance.choice("甲甲乙"),),
            chance.choice((None, frozenset({"p"}), frozenset({"q"}))),
            frozenset(chance.sample(range(1, 8), chance.randint(1, 7))),
            chance.choice(list(Holidays)),
        )
        for _ in range(chance.randint(0, 6))
    ]
    return Roster(PEOPLE, tuple(shifts))


@pytest.mark.parametrize("holidays", [False, True])
def test_every_gap_is_found_and_no_other(holidays: bool) -> None:
    chance = random.Random(5)  # noqa: S311  the same rosters each time
    ladder = (LadderStep(1, 1, "a"), LadderStep(1, 1, "b"))
    start = dt.datetime.combine(MONDAY, dt.time(), PLANT_TIME)
    quarters = [start + number * QUARTER for number in range(7 * 24 * 4)]
    feasts = frozenset(MONDAY + dt.timedelta(days=number) for number in range(-1, 8)) if holidays else frozenset()
    for _ in range(15):
        roster = roster_of(chance)
        asked = replace(roster, holidays=feasts)
        alone = [
            time
            for time in quarters
            if not any(
                person.channels
                for step in ladder
                for person in asked.on_duty("p", step, int(time.timestamp()) * 10**9).people
            )
        ]
        found = gaps(roster, "p", ladder, holidays=holidays)
        assert [time for time in quarters if any(gap.begin <= time < gap.end for gap in found)] == alone
        assert all(before.end < after.begin for before, after in itertools.pairwise(found))
