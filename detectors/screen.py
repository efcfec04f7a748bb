"""The screen before the rules on single values: it lets through only readings that could change a verdict.

Most of the time nothing changes in a plant: what is healthy stays healthy, and what stands in alarm stays there. For
every point there is an interval of values within which none of these rules changes, given how they stand. A reading
that lies in it need not be looked at, as long as the gates of its rules stay as they are. This is exact, and spares
most of the work.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detectors.detector import ScoringDetector
from detectors.feed import Feed
from detectors.masks import anywhere, everywhere
from detectors.readings import Findings


class _Side:
    """One detector's rules as they stand: within which values they stay, as long as their gates do."""

    def __init__(self, detector: ScoringDetector) -> None:
        self.detector = detector
        self.low, self.high = np.empty(len(detector.rules)), np.empty(len(detector.rules))
        self._guarded = np.zeros(len(detector.rules), bool)  # rules that stay only while their gate does

    def freed(self) -> NDArray[np.intp]:
        """Rules whose gate may not have stayed as it was: whatever they are shown next, they have to look."""
        rows = self.detector.gates.moved()
        if len(rows):
            rows = rows[self._guarded[rows]]
            self.low[rows], self.high[rows] = np.inf, -np.inf
        return rows

    def stirred(self, rows: NDArray[np.intp], value: NDArray[np.float64]) -> bool:
        """Whether any of these rules is shown a value outside its interval."""
        return not everywhere((value >= self.low[rows]) & (value <= self.high[rows]))

    def recompute(self, rows: NDArray[np.intp], shown: NDArray[np.float64]) -> None:
        """Look at some rules anew, each of which was `shown` a value (float64[k])."""
        low, high = self.detector.steady(rows, shown)
        gated = self.detector.gates.gated[rows]
        if gated.any():
            closed = gated & ~self.detector.gates.later(rows)
            busy = self.detector.busy(rows)
            rests, moves = closed & ~busy, closed & busy
            low[rests], high[rests] = -np.inf, np.inf
            low[moves], high[moves] = np.inf, -np.inf
            self._guarded[rows] = closed | (gated & busy)
        self.low[rows], self.high[rows] = low, high


class Screen:
    """Knows for every point between which values nothing changes."""

    def __init__(self, detectors: Sequence[ScoringDetector], points: int) -> None:
        """Prepare for detectors whose scorers judge by the value alone, over `points` points."""
        self.detectors = tuple(detectors)
        self._sides = [_Side(detector) for detector in detectors]
        self._low, self._high = np.full(points, -np.inf), np.full(points, np.inf)
        self._shown = np.full(points, np.nan)  # what stirred a point last
        self._has_rule = np.zeros(points, bool)
        for detector in self.detectors:
            self._has_rule[detector.rules.point] = True
        self.sync(self._shown)

    def update(self, feed: Feed, now: int, *, moved: bool) -> list[Findings]:
        """Let every detector judge the readings that it has to look at; `moved`: some gate may not have stayed."""
        if not self.detectors:
            return []
        for side in self._sides if moved else ():
            if len(freed := side.freed()):
                point = side.detector.rules.point[freed]
                self._low[point], self._high[point] = np.inf, -np.inf
        index, value = feed.index, feed.value
        steady = (value >= self._low[index]) & (value <= self._high[index])
        if everywhere(steady):
            return []
        stirs = ~steady
        if not feed.complete:
            stirs &= self._has_rule[index]  # nobody misses a value of a point that nobody judges
            if not anywhere(stirs):
                return []
        if not feed.single:  # what stirs a rule makes its later readings matter too
            stirs = np.repeat(np.logical_or.reduceat(stirs, feed.start), feed.size)
        feed = feed.take(stirs)
        self._shown[feed.group] = feed.value[feed.last]
        rows = [detector.rows_for(feed) for detector in self.detectors]
        findings = []
        for side, of in zip(self._sides, rows, strict=True):
            shown = self._shown[side.detector.rules.point[of]]
            if len(of) and (not feed.single or side.stirred(of, shown)):
                findings.append(side.detector.update(feed, now))
                side.recompute(of, shown)
        self._join(rows, feed.group)
        return findings

    def sync(self, known: NDArray[np.float64]) -> None:
        """Take note of how all rules stand, where the points showed `known` (float64[p]) last."""
        self._shown[:] = known
        rows = [np.arange(len(detector.rules)) for detector in self.detectors]
        for side, of in zip(self._sides, rows, strict=True):
            side.recompute(of, known[side.detector.rules.point])
        self._join(rows, np.arange(len(known), dtype=np.int32))

    def _join(self, rows: Sequence[NDArray[np.intp]], point: NDArray[np.int32]) -> None:
        """The intervals of some points (int32[g]), from those of the rules on them (rows by detector)."""
        self._low[point], self._high[point] = -np.inf, np.inf
        for side, of in zip(self._sides, rows, strict=True):
            on = side.detector.rules.point[of]
            np.maximum.at(self._low, on, side.low[of])
            np.minimum.at(self._high, on, side.high[of])
