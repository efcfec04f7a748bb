"""Which resolution answers a trend: the readings themselves, or their rollups by minute or by hour. Pure.

A rollup is what the readings of one series came to in one minute or hour of UTC: the lowest, mean and highest value,
how many values, and how many readings, those without a value counted. A year of readings is too much to look through
for a drawing of a few hundred buckets, and readings are kept for fewer years than their rollups.

A rollup belongs to the bucket in which its middle lies. So a trend of rollups is exact where the edges of its buckets
are edges of rollups, and elsewhere a reading is drawn at most half a rollup beside its place: `FINE` keeps that below
an eighth of a bucket. Only where the readings are gone, rollups answer whatever the buckets are.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import Final

from ingest.storage.history.store import TrendQuery

FINE: Final = 4
"""Rollups of a bucket at least, where the edges of buckets are not edges of rollups."""


_EVER: Final = -(2**63)  # before every time there is


class Resolution(IntEnum):
    """How finely readings are kept; the number is the width of a rollup in ns."""

    READINGS = 0
    MINUTE = 60 * 10**9
    HOUR = 3_600 * 10**9

    @property
    def shift(self) -> int:
        """From the start of a rollup to its middle, in ns: `(time + shift - start) // width` is its bucket's number."""
        return self // 2


_COARSEST_FIRST: Final = (Resolution.HOUR, Resolution.MINUTE, Resolution.READINGS)
_FINEST_FIRST: Final = _COARSEST_FIRST[::-1]


@dataclass(frozen=True, slots=True)
class Kept:
    """From when on, and up to when, a store has what; times in ns since the epoch.

    Attributes:
        readings, minutes, hours: the oldest time of which readings or rollups are there; by default from ever on.
        rolled_to: the end of rollups, which are made some time after the readings; by default they are all there.
    """

    readings: int = _EVER
    minutes: int = _EVER
    hours: int = _EVER
    rolled_to: int = -_EVER

    def has(self, resolution: Resolution, time: int) -> bool:
        """Whether there is such a rollup or reading of that time. Times are rounded to whole rollups, inwards."""
        match resolution:
            case Resolution.READINGS:
                return time >= _after(self.readings, Resolution.HOUR)
            case Resolution.MINUTE:
                return _after(self.minutes, Resolution.HOUR) <= time < _before(self.rolled_to, Resolution.MINUTE)
            case Resolution.HOUR:
                return _after(self.hours, Resolution.HOUR) <= time < _before(self.rolled_to, Resolution.HOUR)

    def edges(self) -> list[int]:
        """The times at which something begins or ends to be there, in order."""
        begins = (self.readings, self.minutes, self.hours)
        ends = (Resolution.MINUTE, Resolution.HOUR)
        return sorted(
            {*(_after(begin, Resolution.HOUR) for begin in begins), *(_before(self.rolled_to, end) for end in ends)}
        )


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

    Where the resolution wanted is not there a finer one answers, and a coarser one where none of these is.
    """
    choice = wanted(query)
    order = [*(one for one in _COARSEST_FIRST if one <= choice), *(one for one in _FINEST_FIRST if one > choice)]
    parts: list[Part] = []
    edges = [query.start, *(at for at in kept.edges() if query.start < at < query.end), query.end]
    for start, end in pairwise(edges):
        found = next((resolution for resolution in order if kept.has(resolution, start)), None)
        if found is None or start >= end:
            continue
        joined = parts and parts[-1].resolution is found and parts[-1].end == start
        parts.append(Part(found, parts.pop().start if joined else start, end))
    return parts


def wanted(query: TrendQuery) -> Resolution:
    """The coarsest resolution that is fine enough for the buckets of a trend."""
    for one in (Resolution.HOUR, Resolution.MINUTE):
        if query.width >= FINE * one or (query.width % one == 0 and query.start % one == 0):
            return one
    return Resolution.READINGS


def _before(time: int, resolution: Resolution) -> int:
    return time // resolution * resolution


def _after(time: int, resolution: Resolution) -> int:
    return -(-time // resolution) * resolution
