"""CUSUM: a small lasting shift of the mean, summed up until no chance explains it.

Parameters `train`: readings of the warm-up (2 or more); `slack`: half the shift that matters, in standard deviations
(k); `floor`: the smallest standard deviation, in the point's unit. The mean and the standard deviation of the warm-up
are the baseline, z a reading's distance from it. The score is the larger of two sums, in standard deviations:
S+ = max(0, S+ + z - slack) and S- = max(0, S- - z - slack); `on` is the decision interval h. One reading adds at most
three, so a lone spike does not trip; a sum stops at 4 on, so that after a long fault it is gone after some 4 on / slack
healthy readings. With a budget, whose limit may be 36 on, it stops at 72 on.

Training: the baseline is frozen after the warm-up; a rule trains anew under a new key. A closed gate keeps the baseline
and sets the sums to zero; readings behind it do not train.

Page, "Continuous inspection schemes", Biometrika 41, 1954; Montgomery, "Introduction to Statistical Quality Control",
chapter 9 (the tabular CUSUM); Lucas and Crosier, "Robust CUSUM", Communications in Statistics 11, 1982, on spikes.
Their run lengths hold for independent readings: of a value that wanders for minutes, read every second, the sums have
no bound. This is for points whose readings are noise about a level, or come slower than they wander.

>>> from detectors.examples import evaluate
>>> evaluate("cusum", [1.0, 3.0, 1.0, 3.0] + [4.0] * 4 + [2.0] * 9, on=3.0, off=1.5, train=4.0, slack=0.5, floor=0.1)
['trips at 6 s: 3.696', 'returns at 14 s: nan']
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.calibration import HIGHEST
from detectors.rules import RuleTable
from detectors.running import Index, RunningMoments, Walk, among
from detectors.runs import Runs
from detectors.trip import Arrays, joined

_MOST: Final = 3.0
"""Standard deviations one reading adds at most."""
_CAP: Final = 4.0
"""Where a sum stops, of `on`."""


class Cusum:
    """Scores a reading by the larger of the two sums it leads to."""

    reports: Final = "score"

    def __init__(self, rules: RuleTable) -> None:
        self._train, self._floor = np.maximum(rules.param["train"], 2), rules.param["floor"]
        self._slack = rules.param["slack"]
        self._cap = np.where(rules.budgeted(), 2 * HIGHEST, _CAP) * rules.on
        self._walk = Walk(len(rules))
        self._base = RunningMoments(len(rules))
        self._above, self._below = np.zeros(len(rules)), np.zeros(len(rules))

    def score(self, runs: Runs) -> NDArray[np.float64]:
        """Standard deviations summed up; NaN without a value and during the warm-up."""
        return self._walk.score(runs, ~(runs.open & np.isnan(runs.value)), self._step, runs.value, runs.open)

    def _step(self, at: Index, value: NDArray[np.float64], opened: NDArray[np.bool_]) -> NDArray[np.float64]:
        """One reading each of different rules."""
        if not opened.all():
            closed = among(at, ~opened)
            self._above[closed] = self._below[closed] = 0
            score = np.full(len(value), np.nan)
            score[opened] = self._step(among(at, opened), value[opened], opened[opened])
            return score
        base = self._base
        z = (value - base.mean[at]) / base.spread(at, self._floor[at])
        slack, cap = self._slack[at], self._cap[at]
        above = np.minimum(np.maximum(self._above[at] + np.minimum(z - slack, _MOST), 0), cap)
        below = np.minimum(np.maximum(self._below[at] + np.minimum(-z - slack, _MOST), 0), cap)
        score = np.maximum(above, below)
        training = base.count[at] < self._train[at]
        if training.any():
            above[training] = below[training] = 0
            score[training] = np.nan
            base.learn(among(at, training), value[training])
        self._above[at], self._below[at] = above, below
        return score

    def blind(self, now: int) -> NDArray[np.bool_]:  # noqa: ARG002  counts readings, not time
        """Rules that are still training."""
        return self._base.count < self._train

    def arrays(self) -> Arrays:
        """The baseline and the sums of each rule."""
        return joined({"above": self._above, "below": self._below}, self._base.arrays())
