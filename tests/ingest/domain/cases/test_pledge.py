"""Pledges: how each day stands at each moment, and where they differ from declared work, against plain models."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import replace
from uuid import uuid4

import pytest

from ingest.domain.cases.days import begins
from ingest.domain.cases.errors import Incomplete
from ingest.domain.cases.pledge import Pledge, PledgeStanding, check, contradictions, standing_of
from ingest.domain.cases.work import WorkKind
from ingest.domain.model.daily import PledgeDuty
from tests.ingest.domain.cases.made import HOUR, NOON, TODAY
from tests.ingest.domain.cases.test_work import approved, begun, finished, hot_work

MINUTE = HOUR // 60
DUTY = PledgeDuty(dt.time(8, 30), dt.date(2026, 11, 1))


def pledge(given: int = NOON, day: dt.date = TODAY, **works: int) -> Pledge:
    """A pledge of that day, with this dangerous work."""
    counts = {kind.replace("_", "-"): count for kind, count in works.items()}
    return Pledge(uuid4(), "p", day, 1, "已研判", "我承诺", "陈总", 3, 1, given, "陈总", works=counts)


def test_each_day_stands_as_a_plain_model_says() -> None:
    """Midnight, the hour itself, the ends of months and years, days before it is asked for, days that are over."""
    chance = random.Random(7)  # noqa: S311  no secret
    days = [dt.date(2026, 10, 31), dt.date(2026, 11, 1), dt.date(2026, 12, 31), dt.date(2028, 2, 29)]
    for day in days:
        hour = begins(day) + 8 * HOUR + 30 * MINUTE
        moments = [begins(day), hour - 1, hour, hour + 1, begins(day) + 24 * HOUR - 1, begins(day) + 24 * HOUR]
        moments += [begins(day) + chance.randrange(48 * HOUR) for _ in range(200)]
        for now in moments:
            since = (now - begins(day)) / HOUR
            owed = day >= dt.date(2026, 11, 1)
            expected = "not-owed" if not owed else "due" if since < 8.5 else "missing" if since < 24 else "missed"
            assert standing_of(DUTY, day, None, now) == expected, (day, since)
            assert standing_of(None, day, None, now) is PledgeStanding.NOT_OWED, "unknown is not in order"
            if since < 24:
                given = standing_of(DUTY, day, pledge(now, day), now)
                assert given == ("in-time" if since < 8.5 else "late")


def test_a_pledge_is_for_today_and_whole() -> None:
    check(pledge(), NOON)
    for now in (begins(TODAY) - 1, begins(TODAY) + 24 * HOUR):
        with pytest.raises(Incomplete, match="day"):
            check(pledge(), now)
    for wrong in (replace(pledge(), person=" "), replace(pledge(), running=-1), replace(pledge(), works={"x": 1})):
        with pytest.raises(Incomplete):
            check(wrong, NOON)


def test_what_was_pledged_is_held_against_the_work_of_its_day() -> None:
    """Two plants' worth of work, over midnight, finished yesterday, called off, more or fewer than was declared."""
    midnight = begins(TODAY)
    overnight = hot_work(midnight - 2 * HOUR, midnight + 2 * HOUR, made=midnight - 3 * HOUR)
    yesterday = hot_work(midnight - 4 * HOUR, midnight, made=midnight - 5 * HOUR)
    overran = begun(approved(yesterday, midnight - 4 * HOUR), midnight - 4 * HOUR)
    ended = finished(begun(approved(overnight, midnight - 3 * HOUR), midnight - 2 * HOUR), midnight - HOUR)
    tomorrow = hot_work(midnight + 24 * HOUR, midnight + 25 * HOUR)
    stop = replace(hot_work(), kind=WorkKind.STOP)

    def differs(works: list[object], **pledged: int) -> list[tuple[str, int, int]]:
        found = contradictions(pledge(**pledged), works)  # type: ignore[arg-type]
        return [(each.kind, each.pledged, each.declared) for each in found]

    assert differs([hot_work()]) == [("hot-work", 0, 1)], "it says none, and there is"
    assert differs([hot_work()], hot_work=1) == []
    assert differs([], confined_space=2) == [("confined-space", 2, 0)], "it says more than was declared"
    assert differs([overnight, overran]) == [("hot-work", 0, 2)]
    assert differs([yesterday, ended, tomorrow, stop]) == []
