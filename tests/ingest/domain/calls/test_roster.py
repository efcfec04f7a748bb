"""Who is on duty: shifts over midnight, holidays, sign-in, hand-over, swaps."""

from __future__ import annotations

import datetime as dt
from uuid import UUID, uuid4

import pytest

from ingest.domain.calls.roster import Holidays, Presence, Roster, Shift, Swap
from ingest.domain.model.call import Channel, LadderStep, OnDuty, Person
from ingest.domain.model.payload import PLANT_TIME

STEP = LadderStep(60, 2, position="leader")
PEOPLE = {name: Person(name, (Channel("voice", name),)) for name in ("甲", "乙", "丙", "丁")}
HOLIDAY = dt.date(2026, 10, 1)
DAY = Shift("leader", dt.time(8), dt.time(20), ("甲",), holidays=Holidays.NEVER)
NIGHT = Shift("leader", dt.time(20), dt.time(8), ("乙", "丁"), weekdays=frozenset({1, 2, 3, 4, 5}))
FEAST = Shift("leader", dt.time(8), dt.time(20), ("丙",), holidays=Holidays.ONLY)
ROSTER = Roster(PEOPLE, (DAY, NIGHT, FEAST), frozenset({HOLIDAY}))


def at(day: int, hour: int, minute: int = 0, month: int = 9) -> int:
    """A time of 2026 at the plant, ns. The 1st of September is a Tuesday."""
    return int(dt.datetime(2026, month, day, hour, minute, tzinfo=PLANT_TIME).timestamp()) * 10**9


def names(duty: OnDuty) -> str:
    return "".join(person.name for person in duty.people)


def presence(person: str, since: int, until: int, ended: int | None = None, plant: str = "p") -> Presence:
    return Presence(uuid4(), plant, "leader", person, since, until, person, ended)


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (at(1, 8), "甲"),
        (at(1, 7, 59), "乙丁"),  # of the night that began on Monday
        (at(1, 19, 59), "甲"),
        (at(1, 20), "乙丁"),
        (at(5, 7, 59), "乙丁"),  # Saturday, of Friday's night
        (at(5, 20), ""),  # no night shift begins on a Saturday
        (at(7, 3), ""),  # nor on Sunday
        (at(1, 9, month=10), "丙"),  # a holiday
        (at(2, 9, month=10), "甲"),
    ],
)
def test_the_shift_that_runs_is_planned(time: int, expected: str) -> None:
    duty = ROSTER.on_duty("p", STEP, time)
    assert names(duty) == expected
    assert duty.gap == bool(expected)  # nobody has signed in


def test_who_signed_in_counts_alone_and_until_the_shift_is_over() -> None:
    """After it, those planned count again, and so for another plant or position."""
    until = ROSTER.sign_in_until("p", "leader", "丙", at(1, 20, 5))
    assert until == at(2, 8)
    roster = ROSTER.with_changes([presence("丙", at(1, 20, 5), until)], [])
    assert names(roster.on_duty("p", STEP, at(1, 20, 4))) == "乙丁"
    duty = roster.on_duty("p", STEP, at(1, 20, 5))
    assert (names(duty), duty.gap) == ("丙", False)
    assert names(roster.on_duty("p", STEP, at(2, 8))) == "甲"
    assert names(roster.on_duty("q", STEP, at(1, 21))) == "乙丁"


def test_a_hand_over_leaves_nobody_between() -> None:
    moment, until = at(1, 23), at(2, 8)
    roster = ROSTER.with_changes([presence("乙", at(1, 20), until, ended=moment), presence("丙", moment, until)], [])
    assert names(roster.on_duty("p", STEP, moment - 1)) == "乙"
    assert names(roster.on_duty("p", STEP, moment)) == "丙"


def test_who_comes_early_signs_in_for_the_shift_that_begins() -> None:
    """乙 comes at half past seven in the evening for the night; 甲, of the day, signs in late for the day."""
    assert ROSTER.sign_in_until("p", "leader", "乙", at(1, 19, 30)) == at(2, 8)
    assert ROSTER.sign_in_until("p", "leader", "甲", at(1, 19, 30)) == at(1, 20)
    assert ROSTER.sign_in_until("p", "leader", "乙", at(1, 18, 30)) == at(1, 20)
    assert ROSTER.sign_in_until("p", "leader", "甲", at(6, 23)) == at(7, 11)  # no shift: twelve hours


def test_who_is_there_for_the_next_shift_does_not_stand_for_the_one_that_runs() -> None:
    """乙 came early for the night, 甲 never signed in for the day: 甲 is called first, and the gap is told."""
    early = presence("乙", at(1, 19, 30), ROSTER.sign_in_until("p", "leader", "乙", at(1, 19, 30)))
    alone = ROSTER.with_changes([early], [])
    both = ROSTER.with_changes([early, presence("甲", at(1, 8), at(1, 20))], [])
    found = [(names(duty), duty.gap) for duty in (roster.on_duty("p", STEP, at(1, 19, 45)) for roster in (alone, both))]
    assert found == [("甲乙", True), ("乙甲", False)]
    night = alone.on_duty("p", STEP, at(1, 20))
    assert (names(night), night.gap) == ("乙", False)


def test_a_swap_holds_for_its_own_shift_only() -> None:
    swap = Swap(UUID(int=1), "p", "leader", at(1, 20), "乙", "丙", "admin", at(1, 9))
    roster = ROSTER.with_changes([], [swap])
    assert names(roster.on_duty("p", STEP, at(1, 22))) == "丙丁"
    assert names(roster.on_duty("p", STEP, at(2, 22))) == "乙丁"
    assert names(roster.on_duty("q", STEP, at(1, 22))) == "乙丁"


def test_people_whom_the_ladder_names_are_called_whoever_is_on_duty() -> None:
    """Somebody who left the settings has no channel, which the call reports."""
    duty = ROSTER.on_duty("p", LadderStep(60, 2, people=("丁", "戊")), at(5, 20))
    assert [(person.name, len(person.channels)) for person in duty.people] == [("丁", 1), ("戊", 0)]
    assert not duty.gap


def test_a_shift_of_a_whole_day_ends_where_it_began() -> None:
    whole = Shift("leader", dt.time(8), dt.time(8), ("甲",), frozenset({"p"}))
    assert whole.span(dt.date(2026, 9, 1)) == (at(1, 8), at(2, 8))
    roster = Roster(PEOPLE, (whole,))
    assert [names(roster.on_duty(plant, STEP, at(3, 8))) for plant in ("p", "q")] == ["甲", ""]
    assert (roster.positions("p"), roster.positions("q")) == (("leader",), ())
