"""Days as a plant counts them: the whole of China keeps one time. Deadlines are days; what happened has a time."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from ingest.domain.model.payload import PLANT_TIME
from ingest.domain.model.text import Text

_SECOND: Final = 1_000_000_000


def day_of(time: int) -> dt.date:
    """The day of a time (ns since the epoch).

    >>> day_of(1_763_884_800 * 10**9)  # 2025-11-23T08:00Z
    datetime.date(2025, 11, 23)
    """
    return dt.datetime.fromtimestamp(time // _SECOND, PLANT_TIME).date()


def begins(day: dt.date) -> int:
    """The first moment of a day, ns since the epoch.

    >>> day_of(begins(dt.date(2026, 1, 1))), day_of(begins(dt.date(2026, 1, 1)) - 1)
    (datetime.date(2026, 1, 1), datetime.date(2025, 12, 31))
    """
    return int(dt.datetime.combine(day, dt.time(), PLANT_TIME).timestamp()) * _SECOND


@dataclass(frozen=True, slots=True)
class DaySpan:
    """Days from `since` through `through`, both included; None: no bound."""

    since: dt.date | None = None
    through: dt.date | None = None

    @property
    def until(self) -> dt.date | None:
        """The first day after it."""
        return None if self.through is None else self.through + dt.timedelta(days=1)

    @property
    def first(self) -> int | None:
        """Its first moment, ns."""
        return None if self.since is None else begins(self.since)

    @property
    def end(self) -> int | None:
        """The first moment after it, ns."""
        return None if self.until is None else begins(self.until)

    @property
    def text(self) -> Text:
        """What it is called.

        >>> DaySpan(dt.date(2026, 11, 1), dt.date(2026, 11, 30)).text.zh, DaySpan().text.en
        ('2026-11-01 至 2026-11-30', 'all days')
        """
        if self.since is None and self.through is None:
            return Text("全部日期", "all days")
        if self.through is None:
            return Text(f"{self.since} 起", f"from {self.since}")
        if self.since is None:
            return Text(f"至 {self.through}", f"to {self.through}")
        return Text(f"{self.since} 至 {self.through}", f"{self.since} to {self.through}")


def year_of(year: int) -> tuple[int, int]:
    """The first moment of a year and of the one after it."""
    return begins(dt.date(year, 1, 1)), begins(dt.date(year + 1, 1, 1))


def overdue(deadline: dt.date | None, now: int) -> bool:
    """Whether the deadline's day is over."""
    return deadline is not None and day_of(now) > deadline
