"""Runs: for every rule, the readings it judges, in order; and scans along them without a loop over rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from detectors.feed import Feed, Known

S = TypeVar("S", bound=np.generic)


@dataclass(frozen=True, eq=False)
class Runs:
    """Pairs of a rule and a reading it judges: all of one rule together, in the order of arrival.

    Attributes:
        row: intp[k], row of the rule in its table.
        at: intp[k], the reading's index in the batch.
        first: intp[k], place in these arrays of the first pair of the same rule.
        last: intp[g], place in these arrays of the last pair of each rule that occurs.
        single: every rule occurs once.
        open: bool[k], False where a gate is closed: what happens then must not count once it opens.
        feed: the batch.
        rest: bool[k], the rule was at rest before this batch: a score below `on` changes nothing there.
        cause: int32[k], the point that explains each pair's score, where a scorer tells.
    """

    row: NDArray[np.intp]
    at: NDArray[np.intp]
    first: NDArray[np.intp]
    last: NDArray[np.intp]
    single: bool
    open: NDArray[np.bool_]
    feed: Feed
    rest: NDArray[np.bool_]
    cause: NDArray[np.int32] | None = None

    def __len__(self) -> int:
        return len(self.row)

    @cached_property
    def time(self) -> NDArray[np.int64]:
        """int64[k], ns."""
        return self.feed.time[self.at]

    @cached_property
    def value(self) -> NDArray[np.float64]:
        """float64[k], NaN = none."""
        return self.feed.value[self.at]

    @cached_property
    def start(self) -> NDArray[np.intp]:
        """intp[g], place of the first pair of each rule that occurs."""
        return self.first[self.last]

    def take(self, which: NDArray[np.bool_]) -> Runs:
        """The pairs of a mask (bool[k])."""
        kept = np.flatnonzero(which)
        row = self.row[kept]
        first, last = (np.arange(len(row)),) * 2 if self.single else bounds(row)
        cause = None if self.cause is None else self.cause[kept]
        return Runs(row, self.at[kept], first, last, self.single, self.open[kept], self.feed, self.rest[kept], cause)

    def fill(self, value: NDArray[S], known: NDArray[np.bool_], carry: NDArray[S]) -> NDArray[S]:
        """The newest `value` that was `known`, along each rule; before the first one, `carry[row]`.

        Args:
            value: [k], one a pair.
            known: bool[k].
            carry: [r], one a rule: what was newest before this batch.
        """
        if self.single:
            return np.where(known, value, carry[self.row])
        place = np.maximum.accumulate(np.where(known, np.arange(len(self)), -1))
        return np.where(place >= self.first, value[place], carry[self.row])

    def previous(self, value: NDArray[S], carry: NDArray[S]) -> NDArray[S]:
        """The value one pair earlier, along each rule; for the first one, `carry[row]`."""
        if self.single:
            return carry[self.row]
        places = np.arange(len(self))
        return np.where(places > self.first, value[places - 1], carry[self.row])

    def turns(self) -> Iterator[NDArray[np.intp]]:
        """All pairs in turns, oldest first: no rule stands twice in a turn. For recursions that allow no other way."""
        if self.single:
            yield self.last
            return
        size = self.last - self.start + 1
        order = np.argsort(-size, kind="stable")
        start, size = self.start[order], size[order]
        width = np.searchsorted(-size, -np.arange(size[0] if len(size) else 0), side="left")
        for turn, many in enumerate(width.tolist()):
            yield start[:many] + turn

    def newest(self, point: NDArray[np.int32]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """What was known of another point at each pair: its newest usable value and that one's time."""
        return self.feed.newest(point, self.feed.place[self.at])


class Watch:
    """Which rules judge which points."""

    def __init__(self, point: NDArray[np.int32], points: int) -> None:
        """Prepare for rules that judge `point` (int32[r]), out of `points` points."""
        self._rows = np.argsort(point, kind="stable")
        self._count = np.bincount(point, minlength=points).astype(np.intp)
        self._begin = np.cumsum(self._count) - self._count
        self._lonely = bool((self._count <= 1).all())
        self._row = np.full(points, -1)
        self._row[point] = np.arange(len(point))

    def rows(self, feed: Feed) -> NDArray[np.intp]:
        """The rules that judge any of these readings, each once."""
        return self._watchers(feed)[1]

    def runs(self, feed: Feed) -> Runs:
        """Every reading with every rule that judges it."""
        group, row = self._watchers(feed)
        if feed.single:
            each = np.arange(len(row))
            return Runs(row, group, each, each, True, np.ones(len(row), bool), feed, np.zeros(len(row), bool))
        size = feed.size[group]
        end = np.cumsum(size)
        first = np.repeat(end - size, size)
        at = np.arange(len(first)) + np.repeat(feed.start[group] - (end - size), size)
        return Runs(
            np.repeat(row, size), at, first, end - 1, False, np.ones(len(at), bool), feed, np.zeros(len(at), bool)
        )

    def _watchers(self, feed: Feed) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Groups of the feed and the rows that judge them, a group once for each of its rows."""
        if self._lonely:
            row = self._row[feed.group]
            group = np.flatnonzero(row >= 0)
            return group, row if len(group) == len(row) else row[group]
        count = self._count[feed.group]
        group = np.repeat(np.arange(len(count)), count)
        offset = np.arange(len(group)) - np.repeat(np.cumsum(count) - count, count)
        return group, self._rows[self._begin[feed.group[group]] + offset]


def moments(row: NDArray[np.intp], point: NDArray[np.int32], now: int) -> Runs:
    """Rules (`row` intp[k], of `point` int32[k]) judged at `now` (ns) without a reading: by time alone."""
    each, time = np.arange(len(row)), np.full(len(row), now)
    feed = Feed(point, time, np.full(len(row), np.nan), time, each, point, each, each, True, Known(0))
    return Runs(row, each, each, each, True, np.ones(len(row), bool), feed, np.zeros(len(row), bool))


def bounds(row: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Place of the first pair of the same rule (intp[k]), and of the last pair of each rule (intp[g])."""
    start = np.flatnonzero(np.diff(row, prepend=-1))
    size = np.diff(start, append=len(row))
    return np.repeat(start, size), start + size - 1
