"""Dust cleaning: when an area is due again, against a plain model of hours and shifts; unknown is never clean."""

from __future__ import annotations

import datetime as dt
import random
from uuid import uuid4

import pytest

from ingest.domain.cases.cleaning import Cleaning, CleaningStanding, check, cleaning_hazard, due, status_of
from ingest.domain.cases.days import begins
from ingest.domain.cases.errors import Incomplete
from ingest.domain.model.daily import CleaningArea
from ingest.domain.model.text import Text
from tests.ingest.domain.cases.made import HOUR, NOON, TODAY

MINUTE = HOUR // 60


def area(every_h: float = 0, every_shifts: int = 0, *shifts: dt.time) -> CleaningArea:
    return CleaningArea("A1", Text("打磨间", "grinding"), "吸尘", "打磨班", "A1", every_h, every_shifts, shifts)


def cleaned(done: int) -> Cleaning:
    return Cleaning(uuid4(), "p", "A1", done, "李工", "无积尘", done, "李工")


def walked(shifts: tuple[dt.time, ...], count: int, done: int) -> int:
    """A plain model: go from minute to minute, and count how many shifts have begun since."""
    begun, at = 0, done - done % MINUTE
    while True:
        at += MINUTE
        minute = at // MINUTE + 8 * 60  # the plant's time
        if any((minute - (time.hour * 60 + time.minute)) % 1440 == 0 for time in shifts):
            begun += 1
            if begun == count + 1:
                return at


def test_an_area_is_due_as_a_plain_model_says() -> None:
    """Hours and shifts, over midnight, the ends of months and of the year, at the moment at which a shift begins."""
    chance = random.Random(3)  # noqa: S311  no secret
    days = [dt.date(2026, 11, 30), dt.date(2026, 12, 31), dt.date(2028, 2, 28), TODAY]
    for _ in range(150):
        shifts = tuple(
            sorted({dt.time(chance.randrange(24), chance.choice((0, 30))) for _ in range(chance.randint(1, 4))})
        )
        count, start = chance.randint(1, 5), begins(chance.choice(days))
        done = start + chance.choice((chance.randrange(1440), shifts[0].hour * 60 + shifts[0].minute, 0)) * MINUTE
        plan = area(0, count, *shifts)
        assert due(plan, done) == walked(shifts, count, done), (shifts, count, done)
        assert (due(plan, done) - done) / HOUR <= plan.longest_h
    assert due(area(24), NOON) == NOON + 24 * HOUR
    assert area(0, 1, dt.time(8), dt.time(20)).longest_h == 24
    assert area(0, 2, dt.time(0), dt.time(8), dt.time(20)).longest_h == 24
    assert area(0, 1, dt.time(0), dt.time(8), dt.time(20)).longest_h == 20


def test_an_area_without_a_record_is_unknown_and_one_long_overdue_a_hazard_once() -> None:
    plan = area(24)
    assert status_of("p", plan, None, NOON).standing is CleaningStanding.UNKNOWN
    last = cleaned(NOON)
    ages = [(23.9, "in-order"), (24, "overdue"), (71.9, "overdue"), (72, "long-overdue"), (900, "long-overdue")]
    assert [status_of("p", plan, last, NOON + int(age * HOUR)).standing for age, _ in ages] == [
        word for _, word in ages
    ]
    hazards = [cleaning_hazard(status_of("p", plan, last, NOON + hours * HOUR), NOON) for hours in (71, 72, 99)]
    assert hazards[0] is None
    assert hazards[1] is not None
    assert hazards[2] is not None
    assert hazards[1].id == hazards[2].id
    changed = status_of("p", area(48), last, NOON + 72 * HOUR)
    assert changed.standing is CleaningStanding.OVERDUE, "the plan was changed"


def test_what_is_still_to_come_was_not_cleaned() -> None:
    check(cleaned(NOON), NOON)
    with pytest.raises(Incomplete, match="done"):
        check(cleaned(NOON + 1), NOON)
