"""The buckets of a trend: their width is a whole unit of time, and their edges are multiples of it. Pure.

A trend of any span, asked for at any moment, then has the edges of rollups, which answer it exactly, and asked for
again a moment later it has the same buckets. Multiples are counted from a Monday's midnight by plant time, so a day is
a day of the plant. That is 16:00 of UTC: widths that divide eight hours have the same edges in both.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import lru_cache
from typing import Final

from ingest.domain.model.payload import PLANT_TIME

SECOND: Final = 10**9
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
WEEK: Final = 7 * DAY

_EPOCH_WEEKDAY: Final = 3  # 1970-01-01 was a Thursday, Monday is 0
ORIGIN: Final = -_EPOCH_WEEKDAY * DAY - round(PLANT_TIME.utcoffset(None).total_seconds()) * SECOND
"""A Monday's midnight by plant time, ns since the epoch."""


def _parts(unit: int, count: int) -> list[int]:
    """What divides a unit of `count` smaller ones into whole numbers of these, the unit itself left out."""
    return [unit // count * number for number in range(1, count) if count % number == 0]


WIDTHS: Final = (
    *(digit * 10**power for power in range(9) for digit in (1, 2, 5)),
    *_parts(MINUTE, 60),
    *_parts(HOUR, 60),
    *_parts(DAY, 24),
    DAY,
    2 * DAY,
    4 * DAY,
    WEEK,
)
"""The widths of buckets in ns, ascending; beyond them, whole weeks."""


def floor_to(time: int, width: int) -> int:
    """The last multiple of a width that is not after that time."""
    return time - (time - ORIGIN) % width


def ceil_to(time: int, width: int) -> int:
    """The first multiple of a width that is not before that time."""
    return time + (ORIGIN - time) % width


def whole_width(least: int) -> int:
    """The narrowest width that is no less than `least`, ns."""
    at = bisect_left(WIDTHS, least)
    return WIDTHS[at] if at < len(WIDTHS) else -(-least // WEEK) * WEEK


@lru_cache(maxsize=256)  # a table's trends are asked for over the same span
def buckets_of(start: int, end: int, most: int) -> tuple[int, int]:
    """The start of the first bucket and the width of all: the narrowest, at most `most` of which hold the span.

    Wider than a week they are counted from the Monday before the span: far edges would cut it wherever they lie.
    """
    least = -(-(end - start) // max(1, most))
    for width in WIDTHS[bisect_left(WIDTHS, least) :]:
        first = floor_to(start, width)
        if ceil_to(end, width) - first <= most * width:
            return first, width
    first = floor_to(start, WEEK)
    return first, whole_width(-(-(end - first) // max(1, most)))
