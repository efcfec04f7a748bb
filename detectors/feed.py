"""A batch as detectors see it: readings that count, grouped by point, beside what was known before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from detectors.readings import Readings

NEVER = np.iinfo(np.int64).min // 2
"""The time of what has not happened: older than any window, yet a difference to it cannot overflow."""


Indices = Sequence[int] | NDArray[np.intp]


class Known:
    """What is known of every point: its newest reading's time, and its newest usable value with its time.

    Attributes:
        newest: int64[p], time of the newest reading, ns; `NEVER` = none yet.
        time: int64[p], time of the newest usable reading, ns.
        value: float64[p], its value; NaN = none yet.
    """

    def __init__(self, points: int) -> None:
        self.newest = np.full(points, NEVER)
        self.time = np.full(points, NEVER)
        self.value = np.full(points, np.nan)

    def __len__(self) -> int:
        return len(self.newest)

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Known:
        """What `arrays` gave."""
        known = cls(len(arrays["newest"]))
        for name, array in known.arrays().items():
            array[:] = arrays[name]
        return known

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """All of it, by column."""
        return {"newest": self.newest, "time": self.time, "value": self.value}

    def take_over(self, other: Known, source: Indices, mine: Indices) -> None:
        """Know of the points `mine` what `other` knows of the points `source`."""
        for name, array in self.arrays().items():
            array[np.asarray(mine, np.intp)] = other.arrays()[name][np.asarray(source, np.intp)]

    def learn(self, feed: Feed) -> None:
        """Take in a batch, once everyone has judged it."""
        if not len(feed):
            return
        self.newest[feed.group] = feed.time[feed.last]
        usable = ~np.isnan(feed.value)
        newest = feed.last
        if not usable.all():
            places = np.where(usable, np.arange(len(feed)), -1)
            newest = places if feed.single else np.maximum.reduceat(places, feed.start)
            newest = newest[newest >= feed.start]
        point = feed.point[newest]
        self.time[point] = feed.time[newest]
        self.value[point] = feed.value[newest]


@dataclass(frozen=True, eq=False)
class Feed:
    """Readings that count, sorted by point and, of one point, by arrival; each newer than all before it of its point.

    Attributes:
        point: int32[n].
        time: int64[n], ns.
        value: float64[n], NaN = no value.
        received: int64[n], ns.
        place: intp[n], in the order of arrival; a derived reading has that of the reading it was derived at.
        group: int32[g], the points that occur, increasing.
        start: intp[g], where each group begins.
        last: intp[g], where each group ends.
        single: every point occurs once.
        known: what was known before this batch.
        whole: the batch these readings were taken from, where other points are looked up; None = this is it.
    """

    point: NDArray[np.int32]
    time: NDArray[np.int64]
    value: NDArray[np.float64]
    received: NDArray[np.int64]
    place: NDArray[np.intp]
    group: NDArray[np.int32]
    start: NDArray[np.intp]
    last: NDArray[np.intp]
    single: bool
    known: Known
    whole: Feed | None = None

    def __len__(self) -> int:
        return len(self.point)

    @cached_property
    def size(self) -> NDArray[np.intp]:
        """intp[g], readings in each group."""
        return self.last - self.start + 1

    def newest(
        self, point: NDArray[np.int32], place: NDArray[np.intp]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The newest usable value of each `point` among what arrived no later than `place`, and its time.

        NaN and `NEVER` where there was none yet.
        """
        whole = self.whole or self
        at = whole.newest_here(point, place)
        hit = at >= 0
        return (
            np.where(hit, whole.value[at], self.known.value[point]),
            np.where(hit, whole.time[at], self.known.time[point]),
        )

    def take(self, which: NDArray[np.bool_]) -> Feed:
        """The readings of a mask (bool[n]); what is known stays the same."""
        at = np.flatnonzero(which)
        part = grouped(
            self.point[at], self.time[at], self.value[at], self.received[at], self.place[at], self.known, self.single
        )
        return replace(part, whole=self.whole or self)

    def newest_here(self, point: NDArray[np.int32], place: NDArray[np.intp]) -> NDArray[np.intp]:
        """Index of that reading in this batch, -1 where what was known before is newest."""
        if self.single:
            at = self._where[point]
            return np.where((at >= 0) & (self.place[at] <= place) & ~np.isnan(self.value[at]), at, -1)
        usable, size = self._usable, self._places
        if not len(usable):
            return np.full(len(point), -1)
        key = self.point[usable].astype(np.int64) * size + self.place[usable]
        found = np.searchsorted(key, point.astype(np.int64) * size + place, side="right") - 1
        at = usable[found]
        return np.where((found >= 0) & (self.point[at] == point), at, -1)

    @cached_property
    def _where(self) -> NDArray[np.intp]:
        where = np.full(len(self.known), -1)
        where[self.point] = np.arange(len(self))
        return where

    @cached_property
    def _usable(self) -> NDArray[np.intp]:
        return np.flatnonzero(~np.isnan(self.value))

    @cached_property
    def _places(self) -> int:
        return int(self.place.max()) + 1


def make_feed(readings: Readings, known: Known) -> Feed:
    """The readings that count: in order of time along each point, and newer than what is known.

    A reading that is not newer than all before it of its point (late, or sent twice) is no news and is left out.
    """
    point, time = readings.point, readings.time
    order: NDArray[np.intp] | None = None
    single = bool((point[1:] > point[:-1]).all())
    if not single:
        order = np.argsort(point, kind="stable")
        point, time = point[order], time[order]
        single = bool((point[1:] > point[:-1]).all())
    news = _news(point, time, known.newest[point], single=single)
    if news is not None:
        order = np.flatnonzero(news) if order is None else order[news]
        point, time = point[news], time[news]
    if order is None:
        return grouped(point, time, readings.value, readings.received, np.arange(len(point)), known, single)
    return grouped(point, time, readings.value[order], readings.received[order], order, known, single)


def grouped(
    point: NDArray[np.int32],
    time: NDArray[np.int64],
    value: NDArray[np.float64],
    received: NDArray[np.int64],
    place: NDArray[np.intp],
    known: Known,
    single: bool = False,  # noqa: FBT001, FBT002  a hint that spares a search
) -> Feed:
    """A feed of readings sorted by point and place already."""
    single = single or bool((point[1:] > point[:-1]).all())
    if single:
        each = np.arange(len(point))
        return Feed(point, time, value, received, place, point, each, each, True, known)
    start = np.flatnonzero(np.diff(point, prepend=-1))
    last = np.append(start[1:], len(point)) - 1
    return Feed(point, time, value, received, place, point[start], start, last, False, known)


def _news(
    point: NDArray[np.int32], time: NDArray[np.int64], newest: NDArray[np.int64], *, single: bool
) -> NDArray[np.bool_] | None:
    """bool[n], which readings (sorted by point) are newer than all before them; None = all of them."""
    if single:
        news = time > newest
        return None if news.all() else news
    first = np.diff(point, prepend=-1) != 0
    before = np.where(first, newest, np.roll(time, 1))
    if ((time > before) & (time > newest)).all():
        return None
    # The running maximum along each point: ranks keep (point, time) in one number that cannot overflow.
    times, rank = np.unique(time, return_inverse=True)
    running = np.maximum.accumulate(point.astype(np.int64) * len(times) + rank) % len(times)
    before = newest.copy()
    before[1:] = np.where(first[1:], newest[1:], np.maximum(newest[1:], times[running[:-1]]))
    return time > before
