"""The screen before the rules on single values: it lets through only readings that could change a verdict.

A plant is healthy nearly always. A reading that lies where none of its point's limits begins, of a point none of whose
rules is anywhere but at rest, changes nothing, so nobody need look at it. This is exact, and spares most of the work.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detectors.detector import ScoringDetector
from detectors.feed import Feed
from detectors.readings import Findings


class Screen:
    """Knows for every point between which values all is quiet."""

    def __init__(self, detectors: Sequence[ScoringDetector], points: int) -> None:
        """Prepare for detectors whose scorers judge by the value alone, over `points` points."""
        self.detectors = tuple(detectors)
        self._low, self._high = np.full(points, -np.inf), np.full(points, np.inf)
        self._judged = np.zeros(points, bool)
        self._busy = np.zeros(points, bool)
        for detector in self.detectors:
            low, high = detector.quiet()
            np.maximum.at(self._low, detector.rules.point, low)
            np.minimum.at(self._high, detector.rules.point, high)
            self._judged[detector.rules.point] = True
        self.sync()

    def update(self, feed: Feed, now: int) -> list[Findings]:
        """Let every detector judge the readings that it has to look at."""
        if not self.detectors:
            return []
        point = feed.point
        stirs = ~((feed.value >= self._low[point]) & (feed.value <= self._high[point])) | self._busy[point]
        stirs &= self._judged[point]
        if not stirs.any():
            return []
        if not feed.single:  # what stirs a rule makes its later readings matter too
            stirs = np.repeat(np.logical_or.reduceat(stirs, feed.start), feed.size)
        feed = feed.take(stirs)
        findings = [detector.update(feed, now) for detector in self.detectors]
        self._busy[feed.group] = False
        for detector in self.detectors:
            self._busy[detector.busy_points(feed)] = True
        return findings

    def sync(self) -> None:
        """Take note of which points have rules that are not at rest."""
        self._busy[:] = False
        for detector in self.detectors:
            self._busy[detector.rules.point[detector.busy()]] = True
