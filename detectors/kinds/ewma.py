"""EWMA control chart: a small lasting shift, smoothed out of the noise that hides it from a limit.

Parameters `train`: readings of the warm-up (2 or more); `weight`: that of the newest reading in the average, lambda,
0 < weight <= 1; `floor`: the smallest standard deviation, in the point's unit. The mean and the standard deviation of
the warm-up are the baseline. The score is the distance of the average from the baseline's mean, in standard deviations
of the average: |z - mean| / (sd sqrt(weight / (2 - weight))). Before the warm-up is over nothing can be told.

Training: the baseline is frozen after the warm-up; a rule trains anew under a new key. A closed gate keeps the baseline
and starts the average at its mean again; readings behind it do not train.

Roberts, "Control chart tests based on geometric moving averages", Technometrics 1, 1959; NIST/SEMATECH e-Handbook of
Statistical Methods, 6.3.2.4. Their limit of 3 holds for independent readings: where a value wanders its average does,
too, and `on` must be up to sqrt((2 - weight) / weight) times as high.

>>> from detectors.examples import evaluate
>>> evaluate("ewma", [1.0, 3.0, 1.0, 3.0, 4.0, 4.0, 2.0, 2.0], on=2.0, off=1.0, train=4.0, weight=0.5, floor=0.1)
['trips at 5 s: 2.25', 'returns at 7 s: nan']
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.rules import RuleTable
from detectors.running import Index, RunningMoments, Walk, among
from detectors.runs import Runs
from detectors.trip import Arrays, joined


class Ewma:
    """Scores a reading by the position of the average that it leads to."""

    reports: Final = "score"

    def __init__(self, rules: RuleTable) -> None:
        self._train, self._floor = np.maximum(rules.param["train"], 2), rules.param["floor"]
        self._weight = rules.param["weight"]
        self._narrow = np.sqrt(self._weight / (2 - self._weight))
        self._walk = Walk(len(rules))
        self._base = RunningMoments(len(rules))
        self._average = np.full(len(rules), np.nan)  # NaN = starts at the mean

    def score(self, runs: Runs) -> NDArray[np.float64]:
        """Standard deviations of the average; NaN without a value and during the warm-up."""
        return self._walk.score(runs, ~(runs.open & np.isnan(runs.value)), self._step, runs.value, runs.open)

    def _step(self, at: Index, value: NDArray[np.float64], opened: NDArray[np.bool_]) -> NDArray[np.float64]:
        """One reading each of different rules."""
        if not opened.all():
            self._average[among(at, ~opened)] = np.nan
            score = np.full(len(value), np.nan)
            score[opened] = self._step(among(at, opened), value[opened], opened[opened])
            return score
        base = self._base
        mean, before = base.mean[at], self._average[at]
        before = np.where(np.isnan(before), mean, before)
        average = before + self._weight[at] * (value - before)
        score = np.abs(average - mean) / (base.spread(at, self._floor[at]) * self._narrow[at])
        training = base.count[at] < self._train[at]
        if training.any():
            average[training] = score[training] = np.nan
            base.learn(among(at, training), value[training])
        self._average[at] = average
        return np.asarray(score, np.float64)

    def blind(self, now: int) -> NDArray[np.bool_]:  # noqa: ARG002  counts readings, not time
        """Rules that are still training."""
        return self._base.count < self._train

    def arrays(self) -> Arrays:
        """The baseline and the average of each rule."""
        return joined({"average": self._average}, self._base.arrays())
