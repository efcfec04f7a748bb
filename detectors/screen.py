"""The screen before the rules on single values: it lets through only readings that could change a verdict.

Most of the time nothing changes in a plant: what is healthy stays healthy, and what stands in alarm stays there. For
every point there is an interval of values within which none of these rules changes, given how they stand. A reading that
lies in it need not be looked at. This is exact, and spares most of the work.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detectors.detector import ScoringDetector
from detectors.feed import Feed
from detectors.readings import Findings


class Screen:
    """Knows for every point between which values nothing changes."""

    def __init__(self, detectors: Sequence[ScoringDetector], points: int) -> None:
        """Prepare for detectors whose scorers judge by the value alone, over `points` points."""
        self.detectors = tuple(detectors)
        self._low, self._high = np.full(points, -np.inf), np.full(points, np.inf)
        self._shown = np.full(points, np.nan)  # what stirred a point last
        self._judged = np.zeros(points, bool)
        self._of = [(np.empty(len(one.rules)), np.empty(len(one.rules))) for one in self.detectors]  # by rule
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
        if not stirs.any():
            return []
        if not feed.single:  # what stirs a rule makes its later readings matter too
            stirs = np.repeat(np.logical_or.reduceat(stirs, feed.start), feed.size)
        feed = feed.take(stirs)
        self._shown[feed.group] = feed.value[feed.last]
        rows = [detector.watching(feed) for detector in self.detectors]
        findings = []
        for place, detector in enumerate(self.detectors):
            if not feed.single or self._stirred(place, rows[place]):
                findings.append(detector.update(feed, now))
                self._work_out(place, rows[place])
        self._join(rows, feed.group)
        return findings

    def sync(self, value: NDArray[np.float64]) -> None:
        """Take note of how all rules stand, where the points showed `value` (float64[p]) last."""
        self._shown[:] = value
        rows = [np.arange(len(detector.rules)) for detector in self.detectors]
        for place, of in enumerate(rows):
            self._work_out(place, of)
        self._join(rows, np.arange(len(value), dtype=np.int32))

    def _stirred(self, place: int, rows: NDArray[np.intp]) -> bool:
        """Whether what is shown now lies outside the interval of any of these rules of a detector."""
        value = self._shown[self.detectors[place].rules.point[rows]]
        low, high = self._of[place]
        return not ((value >= low[rows]) & (value <= high[rows])).all()

    def _work_out(self, place: int, rows: NDArray[np.intp]) -> None:
        """The intervals of some rules of a detector, as they stand now."""
        detector, (low, high) = self.detectors[place], self._of[place]
        low[rows], high[rows] = detector.steady(rows, self._shown[detector.rules.point[rows]])

    def _join(self, rows: Sequence[NDArray[np.intp]], point: NDArray[np.int32]) -> None:
        """The intervals of some points (int32[g]), from those of the rules on them (rows by detector)."""
        self._low[point], self._high[point] = -np.inf, np.inf
        for detector, of, (low, high) in zip(self.detectors, rows, self._of, strict=True):
            on = detector.rules.point[of]
            np.maximum.at(self._low, on, low[of])
            np.minimum.at(self._high, on, high[of])
