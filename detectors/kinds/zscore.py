"""Z-score: how many standard deviations a reading lies from the mean of everything before it.

Parameters `least`: readings before it tells anything (2 or more); `floor`: the smallest standard deviation, in the
point's unit: what is healthy noise however still the point stood. Every reading judged teaches, also one that trips; a
closed gate neither judges nor teaches. There is no forgetting: a change of regime is learnt slower and slower, so give
the rule a new key to train anew.

Mean and spread are Welford's (Technometrics 4, 1962). The model is that of `river.anomaly.GaussianScorer`, which tells
2 |cdf(z) - 0.5| of the same z; the score here is |z|, which does not saturate.

>>> from detectors.examples import evaluate
>>> evaluate("zscore", [1.0, 3.0, 1.0, 3.0, 9.0, 2.0], on=5.0, off=4.0, least=4.0, floor=0.1)
['trips at 4 s: 6.062', 'returns at 5 s: nan']
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.rules import RuleTable
from detectors.running import Index, RunningMoments, Walk
from detectors.runs import Runs
from detectors.trip import Arrays


class ZScore:
    """Scores a reading by its distance from the mean of all before it."""

    reports: Final = "score"

    def __init__(self, rules: RuleTable) -> None:
        self._least, self._floor = np.maximum(rules.param["least"], 2), rules.param["floor"]
        self._walk = Walk(len(rules))
        self._past = RunningMoments(len(rules))

    def score(self, runs: Runs) -> NDArray[np.float64]:
        """Standard deviations from the mean; NaN without a value or without enough past."""
        grid = runs.steps()
        if grid is not None:
            return self._walk.along(grid, self._step)
        return self._walk.score(runs, runs.open & ~np.isnan(runs.value), self._step, runs.value)

    def _step(
        self, at: Index, value: NDArray[np.float64], out: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """One reading each of different rules."""
        past = self._past
        score: NDArray[np.float64] = np.subtract(value, past.mean[at], out=out)
        np.abs(score, out=score)
        score /= past.spread(at, self._floor[at])
        young = past.count[at] < self._least[at]
        if np.count_nonzero(young):
            score[young] = np.nan
        past.learn(at, value)
        return score

    def blind(self, now: int) -> NDArray[np.bool_]:  # noqa: ARG002  counts readings, not time
        """Rules that have seen fewer than `least` readings."""
        return self._past.count < self._least

    def arrays(self) -> Arrays:
        """What each rule has learnt."""
        return self._past.arrays()
