"""Pairs every rule with its readings in order, and scans along them without a loop over rules."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from detectors.feed import Columns, Feed, Known, ends
from detectors.lazy import lazy
from detectors.rows import Rows

S = TypeVar("S", bound=np.generic)


_ZERO: Final = np.zeros(1, np.intp)


class Runs:
    """Pairs of a rule and a reading that it evaluates: all of one rule together, in the order of arrival.

    Attributes:
        feed: the batch.
        single: every rule occurs once.
        whole: every reading of the batch is judged by every rule of the detector, in the order of the rules; a batch
            that is a tile can then be judged step by step, see `Feed.grid`.
        open: bool[k], False where a gate is closed: what happens then must not count once it opens.
        rest: bool[k], the rule was at rest before this batch: a score below `on` changes nothing there.
        cause: int32[k], the point that explains each pair's score, where a scorer tells.
        blame: float64[k, d], how much each member or aspect is to blame for each pair's score, -inf = no member or
            no score; where a scorer tells.
    """

    cause: NDArray[np.int32] | None = None
    blame: NDArray[np.float64] | None = None
    gated = False
    """Whether some gate may be closed; if not, `open` is True everywhere."""
    settled = False
    """Whether `rest` is True everywhere; if not, it is False everywhere unless it was set."""

    def __init__(self, feed: Feed, group: NDArray[np.intp], rows: NDArray[np.intp], *, whole: bool = False) -> None:
        """Pair the readings of each `group` of the feed (intp[g]) with a rule (its row in its table, intp[g])."""
        self.feed, self.single, self.whole = feed, feed.single, whole
        self._group, self._rows = group, rows
        self._depth = len(feed) // feed.tile if feed.tile else 0  # readings of every rule, where all have as many

    @classmethod
    def made(cls, feed: Feed, row: NDArray[np.intp], at: NDArray[np.intp]) -> Runs:
        """Build from explicit pairs, sorted as required."""
        runs = cls(feed, at, row)
        runs.row, runs.at, runs._depth = row, at, 0
        if not feed.single:
            rounds = row[1:] != row[:-1]
            runs.start = np.concatenate((_ZERO[: len(row)], np.flatnonzero(rounds) + 1))
            runs.single = len(runs.start) == len(row)
        return runs

    def __len__(self) -> int:
        return len(self._rows) * self._depth if self._depth else len(self.row)

    @lazy
    def row(self) -> NDArray[np.intp]:
        """intp[k], row of the rule in its table."""
        return self._rows if self.single else np.repeat(self._rows, self.feed.size[self._group])

    @lazy
    def at(self) -> NDArray[np.intp]:
        """intp[k], the reading's index in the batch."""
        if self.single:
            return self._group
        shift = self.feed.start[self._group] - self.start
        return np.arange(len(self.row)) + np.repeat(shift, self.feed.size[self._group])

    @lazy
    def start(self) -> NDArray[np.intp]:
        """intp[g], place of the first pair of each rule that occurs."""
        if self.single:
            return np.arange(len(self._group))
        size = self.feed.size[self._group]
        return np.cumsum(size) - size

    @lazy
    def last(self) -> NDArray[np.intp]:
        """intp[g], place of the last pair of each rule that occurs."""
        return self.start if self.single else ends(self.start, len(self.row))

    @lazy
    def first(self) -> NDArray[np.intp]:
        """intp[k], place of the first pair of the same rule."""
        return self.start if self.single else np.repeat(self.start, self.last - self.start + 1)

    @lazy
    def time(self) -> NDArray[np.int64]:
        """int64[k], ns."""
        return self.feed.time if self.whole else self.feed.time[self.at]

    @lazy
    def value(self) -> NDArray[np.float64]:
        """float64[k], NaN = none."""
        return self.feed.value if self.whole else self.feed.value[self.at]

    @lazy
    def shown(self) -> NDArray[np.float64]:
        """float64[k], the same without what rules on instruments are not to judge; NaN = nothing to judge."""
        return np.where(np.isinf(self.raw), np.nan, self.raw) if self.feed.failing else self.value

    @lazy
    def raw(self) -> NDArray[np.float64]:
        """float64[k], `value`, and what rules on instruments see instead, as `Readings.raw` tells; NaN = none."""
        if not self.feed.failing:
            return self.value
        return self.feed.raw if self.whole else self.feed.raw[self.at]

    @lazy
    def open(self) -> NDArray[np.bool_]:
        """bool[k], see above."""
        return np.ones(len(self), bool)

    @property
    def breaks(self) -> NDArray[np.bool_] | None:
        """bool[k], where a gate is closed; None = nowhere."""
        return ~self.open if self.gated else None

    @lazy
    def rest(self) -> NDArray[np.bool_]:
        """bool[k], see above."""
        return np.full(len(self), self.settled)

    def awake(self) -> NDArray[np.bool_] | None:
        """bool[k], pairs whose rule is not at rest, whose gate is not open, or that have no value; None = no pair."""
        masks = [] if self.feed.complete else [np.isnan(self.value)]
        masks += [~self.open] if self.gated else []
        masks += [] if self.settled else [~self.rest]
        return reduce(np.logical_or, masks) if masks else None

    def steps(self) -> NDArray[np.float64] | None:
        """float64[steps, rules], the values step by step, where every rule has a usable one in each and no gate.

        Else None: then use `rounds`.
        """
        if not self.whole or not self.feed.tile or self.gated or not self.feed.complete:
            return None
        return self.feed.grid()

    def reaches(self, score: NDArray[np.float64], limit: NDArray[np.float64]) -> NDArray[np.bool_]:
        """bool[k], where a score (float64[k]) is at or above its rule's limit (float64[r])."""
        if self._depth > 1:
            return np.asarray(score.reshape(-1, self._depth) >= limit[self._rows, None], np.bool_).ravel()
        return score >= limit[self.row]

    def take(self, which: NDArray[np.bool_]) -> Runs:
        """The pairs of a mask (bool[k])."""
        return self.at_places(which.nonzero()[0])

    def at_places(self, kept: NDArray[np.intp]) -> Runs:
        """The pairs at ascending places (intp[m])."""
        part = Runs.made(self.feed, self.row[kept], self.at[kept])
        part.settled, part.gated = self.settled, self.gated
        if self.gated:
            part.open = self.open[kept]
        if not self.settled:
            part.rest = self.rest[kept]
        part.cause = None if self.cause is None else self.cause[kept]
        part.blame = None if self.blame is None else self.blame[kept]
        return part

    def stirred(self, by: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """bool[k], all pairs of the rules that have a pair in the mask (bool[k])."""
        if self.single or not len(by):
            return by
        return np.repeat(np.logical_or.reduceat(by, self.start), self.last - self.start + 1)

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

    def rounds(self) -> Iterator[NDArray[np.intp]]:
        """All pairs in rounds, oldest first, with each rule at most once in a round; for recursions that need it."""
        if self.single:
            yield self.last
            return
        size = self.last - self.start + 1
        order = np.argsort(-size, kind="stable")
        start, size = self.start[order], size[order]
        width = np.searchsorted(-size, -np.arange(size[0] if len(size) else 0), side="left")
        for pairs, many in enumerate(width.tolist()):
            yield start[:many] + pairs

    def newest(self, point: NDArray[np.int32]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The newest usable value of another point at each pair, and its time."""
        return self.feed.newest(point, self.feed.place[self.at])


class RuleIndex:
    """Index from points to the rules that evaluate them."""

    def __init__(self, point: NDArray[np.int32], points: int) -> None:
        """Prepare for rules that evaluate `point` (int32[r]), out of `points` points."""
        self._point = point
        self._rows = Rows(point, points)
        self._everyone = np.arange(len(point))
        self._layout: object | None = None  # of the batch that `_last` was found for
        self._last = (self._everyone[:0], self._everyone[:0], False)

    def rows(self, feed: Feed) -> NDArray[np.intp]:
        """The rules that evaluate any of these readings, each once."""
        return self._rows_for(feed)[1]

    def runs(self, feed: Feed) -> Runs:
        """Every reading with every rule that evaluates it."""
        if feed.layout is None or feed.layout is not self._layout:
            group, rows = self._rows_for(feed)
            whole = len(rows) == len(feed.group) == len(self._point) and bool((feed.group == self._point).all())
            self._layout, self._last = feed.layout, (group, rows, whole)
        group, rows, whole = self._last
        return Runs(feed, group, rows, whole=whole)

    def _rows_for(self, feed: Feed) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Groups of the feed and the rows that evaluate them, a group once for each of its rows."""
        if len(self._point) <= 2 * len(feed.group):  # ask each rule for its point, or each point for its rules
            group = feed.find(self._point)
            present = group >= 0
            return (group, self._everyone) if present.all() else (group[present], np.flatnonzero(present))
        return self._rows.of(feed.group)


def moments(row: NDArray[np.intp], point: NDArray[np.int32], now: int) -> Runs:
    """Rules (`row` intp[k], of `point` int32[k]) evaluated at `now` (ns) without a reading: by time alone."""
    each, time = np.arange(len(row)), np.full(len(row), now)
    return Runs.made(Feed(Columns(point, time, np.full(len(row), np.nan), time), Known(0)), row, each)
