"""Days as a plant counts them: the whole of China keeps one time. Deadlines are days; what happened has a time."""

from __future__ import annotations

import datetime as dt
from typing import Final

from ingest.domain.model.payload import PLANT_TIME

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


def year_of(year: int) -> tuple[int, int]:
    """The first moment of a year and of the one after it."""
    return begins(dt.date(year, 1, 1)), begins(dt.date(year + 1, 1, 1))


def overdue(deadline: dt.date | None, now: int) -> bool:
    """Whether the deadline's day is over."""
    return deadline is not None and day_of(now) > deadline
