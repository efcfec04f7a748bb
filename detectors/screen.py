"""The screen before the rules on single values: it lets through only readings that could change a verdict.

Most of the time nothing changes in a plant: what is healthy stays healthy, and what stands in alarm stays there. For
every point there is an interval of values within which none of these rules changes, given how they stand. A reading
that lies in it need not be looked at, as long as the gates of its rules stay as they are. This is exact, and spares
most of the work.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.detector import ScoringDetector
from detectors.feed import Feed
from detectors.readings import Findings

_ANY: Final = 0
_OPEN: Final = 1
_CLOSED: Final = -1


class _Side:
    """One detector's rules as they stand: within which values they stay, and what that takes of their gates."""

    def __init__(self, detector: ScoringDetector) -> None:
        self.detector = detector
        self.low, self.high = np.empty(len(detector.rules)), np.empty(len(detector.rules))
        self._expected = np.full(len(detector.rules), _ANY, np.int8)  # what a rule's gate has to stay
        self._guarded = np.empty(0, np.intp)  # rules of which a gate is expected to stay as it is

    def unguarded(self, feed: Feed) -> NDArray[np.intp]:
        """Rules of which the gate may not have stayed as expected throughout the batch."""
        if not len(self._guarded):
            return self._guarded
        open_, changed = self.detector.gates.during(feed, self._guarded)
        changed |= np.where(open_, _OPEN, _CLOSED) != self._expected[self._guarded]
        return np.asarray(self._guarded[changed], np.intp)

    def stirred(self, rows: NDArray[np.intp], value: NDArray[np.float64]) -> bool:
        """Whether any of these rules is shown a value outside its interval."""
        return not ((value >= self.low[rows]) & (value <= self.high[rows])).all()

    def work_out(self, rows: NDArray[np.intp], shown: NDArray[np.float64], known: NDArray[np.float64]) -> None:
        """Look at some rules anew: `shown` to each (float64[k]), and what is `known` of all points (float64[p])."""
        low, high = self.detector.steady(rows, shown)
        gated = self.detector.gates.gated[rows]
        if gated.any():
            rest = ~self.detector.busy(rows)
            closed = gated & rest & ~self.detector.gates.at(known, rows).open
            low[closed], high[closed] = -np.inf, np.inf
            expected = np.where(closed, _CLOSED, np.where(gated & ~rest, _OPEN, _ANY)).astype(np.int8)
            self._expected[rows] = expected
            self._guarded = np.flatnonzero(self._expected != _ANY)
        self.low[rows], self.high[rows] = low, high


class Screen:
    """Knows for every point between which values nothing changes."""

    def __init__(self, detectors: Sequence[ScoringDetector], points: int) -> None:
        """Prepare for detectors whose scorers judge by the value alone, over `points` points."""
        self.detectors = tuple(detectors)
        self._sides = [_Side(detector) for detector in detectors]
        self._low, self._high = np.full(points, -np.inf), np.full(points, np.inf)
        self._shown = np.full(points, np.nan)  # what stirred a point last
        self._judged = np.zeros(points, bool)
        for detector in self.detectors:
            self._judged[detector.rules.point] = True
        self.sync(self._shown)

    def update(self, feed: Feed, now: int) -> list[Findings]:
        """Let every detector judge the readings that it has to look at."""
        if not self.detectors:
            return []
        point, value = feed.point, feed.value
        stirs = ~((value >= self._low[point]) & (value <= self._high[point]))
        if not feed.complete:
            stirs &= self._judged[point]  # nobody misses a value of a point that nobody judges
        unguarded = [side.unguarded(feed) for side in self._sides]
        for side, free in zip(self._sides, unguarded, strict=True):
            if len(free):
                group = feed.where[side.detector.rules.point[free]]
                stirs[feed.start[group[group >= 0]]] = True
        if not stirs.any():
            return []
        if not feed.single:  # what stirs a rule makes its later readings matter too
            stirs = np.repeat(np.logical_or.reduceat(stirs, feed.start), feed.size)
        after, feed = feed.after, feed.take(stirs)
        self._shown[feed.group] = feed.value[feed.last]
        rows = [detector.watching(feed) for detector in self.detectors]
        findings = []
        for side, of, freed in zip(self._sides, rows, unguarded, strict=True):
            shown = self._shown[side.detector.rules.point[of]]
            if not feed.single or len(freed) or side.stirred(of, shown):
                findings.append(side.detector.update(feed, now))
                side.work_out(of, shown, after)
        self._join(rows, feed.group)
        return findings

    def sync(self, known: NDArray[np.float64]) -> None:
        """Take note of how all rules stand, where the points showed `known` (float64[p]) last."""
        self._shown[:] = known
        rows = [np.arange(len(detector.rules)) for detector in self.detectors]
        for side, of in zip(self._sides, rows, strict=True):
            side.work_out(of, known[side.detector.rules.point], known)
        self._join(rows, np.arange(len(known), dtype=np.int32))

    def _join(self, rows: Sequence[NDArray[np.intp]], point: NDArray[np.int32]) -> None:
        """The intervals of some points (int32[g]), from those of the rules on them (rows by detector)."""
        self._low[point], self._high[point] = -np.inf, np.inf
        for side, of in zip(self._sides, rows, strict=True):
            on = side.detector.rules.point[of]
            np.maximum.at(self._low, on, side.low[of])
            np.minimum.at(self._high, on, side.high[of])
