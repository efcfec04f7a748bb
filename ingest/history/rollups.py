"""Which resolution answers a trend: the readings themselves, or their rollups by minute or by hour. Pure.

A rollup is what the readings of one series came to in one minute or hour of UTC: the lowest, mean and highest value,
how many values, and how many readings, those without a value counted. A year of readings is too much to look through
for a drawing of a few hundred buckets, and readings are kept for fewer years than their rollups.

A rollup belongs to the bucket in which its middle lies. So a trend of rollups is exact where the edges of its buckets
are edges of rollups, and elsewhere a reading is drawn at most half a rollup beside its place: `FINE` keeps that below
an eighth of a bucket. Only where the readings are gone, rollups answer whatever the buckets are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from ingest.history.store import TrendQuery

FINE: Final = 4
"""Rollups of a bucket at least, where the edges of buckets are not edges of rollups."""


class Resolution(IntEnum):
    """How finely readings are kept; the number is the width of a rollup in ns."""

    READINGS = 0
    MINUTE = 60 * 10**9
    HOUR = 3_600 * 10**9

    @property
    def shift(self) -> int:
        """From the start of a rollup to its middle, in ns: `(time + shift - start) // width` is its bucket's number."""
        return self // 2


@dataclass(frozen=True, slots=True)
class Kept:
    """From when on a store keeps what, in ns since the epoch; hours are kept from ever on.

    Attributes:
        readings: the oldest time of which readings are kept.
        minutes: the oldest time of which rollups by minute are kept.
    """

    readings: int = 0
    minutes: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """A span of a trend that one resolution answers: its readings, or the rollups whose middle lies in it.

    Attributes:
        resolution: what answers.
        start, end: the span, ns since the epoch, the end not included.
    """

    resolution: Resolution
    start: int
    end: int

    @property
    def times(self) -> tuple[int, int]:
        """The times of its readings or rollups, the second not included; a rollup's time is its start."""
        return self.start - self.resolution.shift, self.end - self.resolution.shift


def parts_of(query: TrendQuery, kept: Kept) -> list[Part]:
    """The spans of a trend in order, each with the resolution that answers it; together they are the whole span.

    Args:
        query: the trend wanted.
        kept: what there is; rounded up to whole hours, so that no rollup is cut in two.
    """
    return list(_parts(query, wanted(query), _hour_after(kept.readings), _hour_after(kept.minutes)))


def wanted(query: TrendQuery) -> Resolution:
    """The coarsest resolution that is fine enough for the buckets of a trend."""
    for one in (Resolution.HOUR, Resolution.MINUTE):
        if query.width >= FINE * one or (query.width % one == 0 and query.start % one == 0):
            return one
    return Resolution.READINGS


def _parts(query: TrendQuery, coarsest: Resolution, readings: int, minutes: int) -> Iterator[Part]:
    """The parts: the resolution wanted where it is kept, and before that the next one that is."""
    begins = {Resolution.HOUR: query.start, Resolution.MINUTE: minutes, Resolution.READINGS: readings}
    end = query.end
    found: list[Part] = []
    for one in (Resolution.READINGS, Resolution.MINUTE, Resolution.HOUR):
        start = max(query.start, begins[one])
        if one >= coarsest and start < end:
            found.append(Part(one, start, end))
            end = start
    return reversed(found)


def _hour_after(time: int) -> int:
    return -(-time // Resolution.HOUR) * Resolution.HOUR
