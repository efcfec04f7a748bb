"""Runs the kinds with state side by side, looking up once which of their rules a batch concerns."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from detectors.detector import ScoringDetector
from detectors.feed import Feed
from detectors.gate import Conditions
from detectors.readings import Findings
from detectors.rows import Rows
from detectors.runs import Runs


class Panel:
    """Passes each detector the readings of its rules, and skips those that a batch does not concern."""

    def __init__(self, detectors: Sequence[ScoringDetector], conditions: Conditions, points: int) -> None:
        """Prepare for these detectors, whose gates share these conditions, over `points` points."""
        self._detectors, self._conditions = tuple(detectors), conditions
        self._condition = np.concatenate([np.empty(0, np.intp), *(detector.gates.condition for detector in detectors)])
        none = np.empty(0, np.int32)
        self._point = np.concatenate([none, *(detector.rules.point for detector in detectors)])
        sizes = [len(detector.rules) for detector in detectors]
        self._begin = np.cumsum([0, *sizes])
        self._row = np.concatenate([none.astype(np.intp), *(np.arange(size) for size in sizes)])  # in its own table
        self._rows = Rows(self._point, points)
        self._layout: object | None = None  # of the batch that the following was found for
        self._group = self._asked = self._row[:0]
        self._concerned: list[tuple[ScoringDetector, slice, NDArray[np.intp], bool]] = []

    def update(self, feed: Feed) -> list[Findings]:
        """Let every detector concerned evaluate a batch."""
        if feed.layout is None or feed.layout is not self._layout:
            self._layout = feed.layout
            self._find_rules(feed)
        if not self._concerned:
            return []
        group, all_open = self._group, self._conditions.stay_open(self._asked)
        if not feed.single:
            return [
                detector.evaluate(Runs(feed, group[part], row, whole=whole), all_open=all_open)
                for detector, part, row, whole in self._concerned
            ]
        time, value = feed.time[group], feed.value[group]
        found = []
        for detector, part, row, whole in self._concerned:
            runs = Runs(feed, group[part], row, whole=whole)
            runs.time, runs.value = time[part], value[part]
            found.append(detector.evaluate(runs, all_open=all_open))
        return found

    def _find_rules(self, feed: Feed) -> None:
        """Find the rules of all detectors that evaluate a batch, detector by detector."""
        if len(self._point) <= 2 * len(feed.group):  # ask each rule for its point, or each point for its rules
            group = feed.find(self._point)
            at = np.flatnonzero(group >= 0)
            group = group[at]
        else:
            group, at = self._rows.of(feed.group)
            order = at.argsort()
            group, at = group[order], at[order]
        row, self._group, self._asked = self._row[at], group, self._condition[at]
        bounds = at.searchsorted(self._begin).tolist()
        self._concerned = [
            (detector, slice(begin, end), row[begin:end], _is_whole(detector, feed, group[begin:end]))
            for detector, (begin, end) in zip(self._detectors, pairwise(bounds), strict=True)
            if end > begin
        ]


def _is_whole(detector: ScoringDetector, feed: Feed, group: NDArray[np.intp]) -> bool:
    """Whether the detector's rules and the batch's points match one to one, in order."""
    point = detector.rules.point
    return len(point) == len(group) == len(feed.group) and bool((feed.group == point).all())
