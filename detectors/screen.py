"""Screens readings for rules on single values: only those that could change a verdict pass.

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
    """The intervals of values in which one detector's rules keep their verdict while their gates do not change."""

    def __init__(self, detector: ScoringDetector) -> None:
        self.detector = detector
        self.low, self.high = np.empty(len(detector.rules)), np.empty(len(detector.rules))
        self._guarded = np.zeros(
            len(detector.rules), bool
        )  # rules that keep their verdict only while their gate does not change

    def freed(self) -> NDArray[np.intp]:
        """Rules whose gate may have changed: they have to evaluate the next value whatever it is."""
        rows = self.detector.gates.moved()
        if len(rows):
            rows = rows[self._guarded[rows]]
            self.low[rows], self.high[rows] = np.inf, -np.inf
        return rows

    def stirred(self, rows: NDArray[np.intp], value: NDArray[np.float64]) -> bool:
        """Whether any of these rules has a value outside its interval."""
        return not everywhere((value >= self.low[rows]) & (value <= self.high[rows]))

    def recompute(self, rows: NDArray[np.intp], shown: NDArray[np.float64]) -> None:
        """Recompute the intervals of some rules after each was `shown` a value (float64[k])."""
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
    """Keeps for every point the interval of values that change nothing."""

    def __init__(self, detectors: Sequence[ScoringDetector], points: int) -> None:
        """Prepare for detectors whose scorers depend on the value alone, over `points` points."""
        self.detectors = tuple(detectors)
        self._sides = [_Side(detector) for detector in detectors]
        self._low, self._high = np.full(points, -np.inf), np.full(points, np.inf)
        self._shown = np.full(points, np.nan)  # what stirred a point last
        self._has_rule = np.zeros(points, bool)
        for detector in self.detectors:
            self._has_rule[detector.rules.point] = True
        self.sync(self._shown)

    def update(self, feed: Feed, now: int, *, moved: bool) -> list[Findings]:
        """Let every detector evaluate the readings that pass; `moved`: some gate may have changed."""
        if not self.detectors:
            return []
        for side in self._sides if moved else ():
            if len(freed := side.freed()):
                point = side.detector.rules.point[freed]
                self._low[point], self._high[point] = np.inf, -np.inf
        index = feed.index
        steady = self._steady(feed)
        if everywhere(steady):
            return []
        stirs = ~steady
        if not feed.complete:
            stirs &= self._has_rule[index]  # points without rules need no value
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
            if len(of) and (feed.failing or not feed.single or side.stirred(of, shown)):
                findings.append(side.detector.update(feed, now))
                side.recompute(of, shown)
        self._join(rows, feed.group)
        return findings

    def _steady(self, feed: Feed) -> NDArray[np.bool_]:
        """bool[n], readings whose value lies in its point's interval, and of which no rule sees another."""
        steady = (feed.value >= self._low[feed.index]) & (feed.value <= self._high[feed.index])
        return steady & (feed.raw == feed.value) if feed.failing else steady

    def sync(self, known: NDArray[np.float64]) -> None:
        """Recompute all intervals from the rules' states and the points' newest values `known` (float64[p])."""
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
