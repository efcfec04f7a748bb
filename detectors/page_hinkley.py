"""Page-Hinkley: has the mean of a signal moved? Sums of deviations from the running mean, up and down.

Parameters `delta`: a deviation that is tolerated, in the point's unit; `alpha`: forgetting of the sums at each reading
(1 = none); `least`: readings before it tells anything. The score is the larger of the two test statistics, in the unit
times readings: the sum of upward deviations above its minimum, the sum of downward ones below its maximum. Once it has
reached `on`, the mean and the sums start anew with the next reading, so the rule stays tripped for at least `least`
readings. A closed gate starts them anew, too.

Page, "Continuous inspection schemes", Biometrika 41, 1954; Hinkley, "Inference about the change-point from cumulative
sum tests", Biometrika 58, 1971. The arithmetic is that of `river.drift.PageHinkley` with mode "both" to the last bit
(there `min_instances` and `threshold` are `least` and `on`), with one difference: river finds a drift above the
threshold, a rule here trips at or above `on`.

>>> from detectors.examples import judge
>>> judge("page_hinkley", [0.0] * 5 + [2.0] * 6, on=3.0, off=1.0, delta=0.1, alpha=1.0, least=3.0)
['trips at 7 s: 4.045', 'returns at 10 s: nan']
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.rules import RuleTable
from detectors.running import EVERYONE, Index, Walk, among
from detectors.runs import Runs
from detectors.trip import Arrays

_FRESH: Final = {"count": 0.0, "mean": 0.0, "up": 0.0, "down": 0.0, "lowest": np.inf, "highest": -1.0}
"""What sums start with; `highest` is river's."""


class PageHinkley:
    """Scores a reading by the Page-Hinkley statistic it leads to."""

    judges: Final = "score"

    def __init__(self, rules: RuleTable) -> None:
        self._on, self._least = rules.on, rules.param["least"]
        self._delta, self._alpha = rules.param["delta"], rules.param["alpha"]
        self._walk = Walk(len(rules))
        self._sums = {name: np.full(len(rules), value) for name, value in _FRESH.items()}

    def score(self, runs: Runs) -> NDArray[np.float64]:
        """The test statistic; NaN without a value or before `least` readings."""
        usable = ~np.isnan(runs.value)
        if runs.open.all():
            return self._walk.score(runs, usable, self._step, runs.value)
        return self._walk.score(runs, usable | ~runs.open, self._gated, runs.value, runs.open)

    def _step(self, at: Index, value: NDArray[np.float64]) -> NDArray[np.float64]:
        """One reading each of different rules."""
        state = [column[at] for column in self._sums.values()]
        count, mean, up, down, lowest, highest = state
        delta, alpha = self._delta[at], self._alpha[at]
        count += 1
        mean += 1 / count * (value - mean)
        away = value - mean
        up *= alpha
        up += away
        up -= delta
        down *= alpha
        down += away
        down += delta
        np.minimum(lowest, up, out=lowest)
        np.maximum(highest, down, out=highest)
        if at is not EVERYONE:
            for name, column in zip(_FRESH, state, strict=True):
                self._sums[name][at] = column
        score: NDArray[np.float64] = np.maximum(up - lowest, highest - down)
        young = count < self._least[at]
        if young.any():
            score[young] = np.nan
        found = score >= self._on[at]
        if found.any():
            self._start_anew(among(at, found))
        return score

    def _gated(self, at: Index, value: NDArray[np.float64], opened: NDArray[np.bool_]) -> NDArray[np.float64]:
        """The same where a gate may be closed."""
        score = np.full(len(value), np.nan)
        score[opened] = self._step(among(at, opened), value[opened])
        self._start_anew(among(at, ~opened))
        return score

    def _start_anew(self, rows: NDArray[np.intp]) -> None:
        for name, value in _FRESH.items():
            self._sums[name][rows] = value

    def blind(self, now: int) -> NDArray[np.bool_]:  # noqa: ARG002  counts readings, not time
        """Rules that have seen fewer than `least` readings since they started anew."""
        return self._sums["count"] < self._least

    def arrays(self) -> Arrays:
        """The sums of each rule."""
        return dict(self._sums)
