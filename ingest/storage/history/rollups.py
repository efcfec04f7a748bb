"""Which resolution answers a trend: the readings themselves, or their rollups by minute, hour or day. Pure.

A rollup is what the readings of one series came to in one minute, hour or day: the lowest, mean and highest value,
how many values, and how many readings, those without a value counted. A year of readings is too much to look through
for a drawing of a few hundred buckets, and readings are kept for fewer years than their rollups.

The edges of buckets are edges of all rollups that are no wider (`bucket_edges`), so a trend of rollups is exact. Only
its ends may cut a rollup: finer ones answer there, and at last the readings. Where these are gone, the rollup that is
cut answers, if its middle lies within the trend; where a bucket is narrower than the rollups left, each belongs to the
bucket in which its middle lies.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from itertools import chain, pairwise
from typing import Final

from ingest.storage.history import bucket_edges
from ingest.storage.history.bucket_edges import ceil_to, floor_to
from ingest.storage.history.store import TrendQuery

_EVER: Final = -(2**63)  # before every time there is


class Resolution(IntEnum):
    """How finely readings are kept; the number is the width of a rollup in ns."""

    READINGS = 0
    MINUTE = bucket_edges.MINUTE
    HOUR = bucket_edges.HOUR
    DAY = bucket_edges.DAY  # of the plant

    @property
    def shift(self) -> int:
        """From the start of a rollup to its middle, in ns: `(time + shift - start) // width` is its bucket's number."""
        return self // 2


_FINEST_FIRST: Final = tuple(Resolution)
_COARSEST_FIRST: Final = _FINEST_FIRST[::-1]


@dataclass(frozen=True, slots=True)
class Kept:
    """From when on, and up to when, a store has what; times in ns since the epoch.

    Attributes:
        readings, minutes, hours: the oldest time of which readings or rollups are there; by default from ever on.
        rolled_to: the end of rollups, which are made some time after the readings; by default they are all there.
        days_to: the end of those by day, which begin with those by hour; by default there are none.
    """

    readings: int = _EVER
    minutes: int = _EVER
    hours: int = _EVER
    rolled_to: int = -_EVER
    days_to: int = _EVER

    def has(self, resolution: Resolution, time: int) -> bool:
        """Whether there is such a rollup or reading of that time. Times are rounded to whole rollups, inwards."""
        begin, end = self._span(resolution)
        return begin <= time < end

    def edges(self) -> list[int]:
        """The times at which something begins or ends to be there, in order."""
        return sorted({edge for resolution in Resolution for edge in self._span(resolution)})

    def _span(self, resolution: Resolution) -> tuple[int, int]:
        match resolution:
            case Resolution.READINGS:
                return ceil_to(self.readings, Resolution.HOUR), -_EVER
            case Resolution.MINUTE:
                return ceil_to(self.minutes, Resolution.HOUR), floor_to(self.rolled_to, Resolution.MINUTE)
            case Resolution.HOUR:
                return ceil_to(self.hours, Resolution.HOUR), floor_to(self.rolled_to, Resolution.HOUR)
            case Resolution.DAY:
                end = min(self.days_to, self.rolled_to)
                return ceil_to(self.hours, Resolution.DAY), floor_to(end, Resolution.DAY)


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
    """The spans of a trend in order, each with the resolution that answers it; nothing is there of what they leave out.

    The coarsest that is fine enough answers wherever whole rollups lie within the trend; where it is not there, and at
    the ends, a finer one does, and a coarser one where none of these is.
    """
    levels = [resolution for resolution in _COARSEST_FIRST if resolution <= wanted(query)]
    whole = {
        resolution: (ceil_to(query.start, resolution), floor_to(query.end, resolution))
        for resolution in levels
        if resolution
    }
    edges = {query.start, query.end, *kept.edges(), *chain.from_iterable(whole.values())}
    parts: list[Part] = []
    for start, end in pairwise(sorted(edge for edge in edges if query.start <= edge <= query.end)):
        fitting = (
            resolution
            for resolution in levels
            if not resolution or whole[resolution][0] <= start < end <= whole[resolution][1]
        )
        found = next((resolution for resolution in (*fitting, *_FINEST_FIRST) if kept.has(resolution, start)), None)
        if found is None:
            continue
        joined = parts and parts[-1].resolution is found and parts[-1].end == start
        parts.append(Part(found, parts.pop().start if joined else start, end))
    return parts


def wanted(query: TrendQuery) -> Resolution:
    """The coarsest resolution that is fine enough for the buckets of a trend."""
    return next(resolution for resolution in _COARSEST_FIRST if not resolution or query.width % resolution == 0)
