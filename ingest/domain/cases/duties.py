"""Self-inspection (自查): who owes one when. A plant's principal each quarter, of one that melts metal each month.

Source: the national work plan (principals inspect quarterly, 金属冶炼 monthly). That a duty is due on the last day of
its month or quarter is our reading.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from ingest.domain.cases.errors import Incomplete

MONTHLY: Final = frozenset({"steel", "aluminium"})
"""Kinds of plant that melt metal (金属冶炼)."""


@dataclass(frozen=True, slots=True)
class SelfInspection:
    """One that was done.

    Attributes:
        period: the month or quarter it counts for: "2026-11" or "2026-Q4".
        principal: who led it (主要负责人).
        found: how many hazards it found.
    """

    id: UUID
    plant: str
    period: str
    day: dt.date
    principal: str
    summary: str
    found: int
    by: str
    given: int
    evidence: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Period:
    """A month or quarter; its duty is due on its last day."""

    name: str
    first: dt.date
    due: dt.date


@dataclass(frozen=True, slots=True)
class Duty:
    """What a plant owes for a period, and what was done for it."""

    plant: str
    period: Period
    done: SelfInspection | None

    def overdue(self, today: dt.date) -> bool:
        """Whether it should have been done by now and was not."""
        return self.done is None and today > self.period.due

    @property
    def late(self) -> bool:
        """Whether it was done after it was due."""
        return self.done is not None and self.done.day > self.period.due


def period_of(kind: str, day: dt.date) -> Period:
    """The month or quarter that a day belongs to for a kind of plant.

    >>> period_of("dust", dt.date(2026, 11, 23)).name, period_of("steel", dt.date(2026, 2, 3)).due
    ('2026-Q4', datetime.date(2026, 2, 28))
    """
    months = 1 if kind in MONTHLY else 3
    number = (day.month - 1) // months
    first = dt.date(day.year, number * months + 1, 1)
    name = f"{day.year}-{number + 1:02}" if months == 1 else f"{day.year}-Q{number + 1}"
    return Period(name, first, _after(first, months) - dt.timedelta(days=1))


def periods(kind: str, since: dt.date, until: dt.date) -> list[Period]:
    """Every period that begins no later than `until` and ends no earlier than `since`, oldest first."""
    found = [period_of(kind, since)]
    while (following := period_of(kind, found[-1].due + dt.timedelta(days=1))).first <= until:
        found.append(following)
    return found


def owed(plant: str, kind: str, since: dt.date, until: dt.date, done: Iterable[SelfInspection]) -> list[Duty]:
    """What a plant owes over a span, each with what was done for it."""
    by_period: Mapping[str, SelfInspection] = {
        self_inspection.period: self_inspection for self_inspection in done if self_inspection.plant == plant
    }
    return [Duty(plant, period, by_period.get(period.name)) for period in periods(kind, since, until)]


def check(done: SelfInspection, kind: str, today: dt.date) -> None:
    """Raise Incomplete for what does not hold together."""
    names = {period.name for period in periods(kind, done.day - dt.timedelta(days=366), done.day)}
    if done.day > today:
        raise Incomplete("day", done.day.isoformat(), f"a day not after {today.isoformat()}")
    if done.period not in names:
        raise Incomplete("period", done.period, f"a period that had begun, such as {period_of(kind, done.day).name}")
    for name in ("principal", "summary"):
        if not getattr(done, name).strip():
            raise Incomplete(name, getattr(done, name), "a text")
    if done.found < 0:
        raise Incomplete("found", done.found, "0 or more")


def _after(first: dt.date, months: int) -> dt.date:
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    return dt.date(year, month + 1, 1)
