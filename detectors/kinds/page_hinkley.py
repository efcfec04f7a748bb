"""Page-Hinkley: has the mean of a signal moved? Sums of deviations from the running mean, up and down.

Parameters `delta`: a deviation that is tolerated, in the point's unit; `alpha`: forgetting of the sums at each reading
(1 = none); `least`: readings before it tells anything. The score is the larger of the two test statistics, in the unit
times readings: the sum of upward deviations above its minimum, the sum of downward ones below its maximum. Once it has
reached `on`, the mean and the sums start anew with the next reading, so the rule stays tripped for at least `least`
readings. With a budget, whose limit may be 36 on, they start anew at 72 on: a shift is found once, and the rule stays
tripped until the mean has come to the new level, or the sums are forgotten. A closed gate starts them anew, too.

Page, "Continuous inspection schemes", Biometrika 41, 1954; Hinkley, "Inference about the change-point from cumulative
sum tests", Biometrika 58, 1971. The arithmetic is that of `river.drift.PageHinkley` with mode "both" to the last bit
(there `min_instances` and `threshold` are `least` and `on`), with one difference: river finds a drift above the
threshold, a rule here trips at or above `on`.

>>> from detectors.examples import evaluate
>>> evaluate("page_hinkley", [0.0] * 5 + [2.0] * 6, on=3.0, off=1.0, delta=0.1, alpha=1.0, least=3.0)
['trips at 7 s: 4.045', 'returns at 10 s: nan']
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.calibration import HIGHEST
from detectors.rules import RuleTable
from detectors.running import EVERYONE, Index, Walk, among
from detectors.runs import Runs
from detectors.trip import Arrays

_LOWEST: Final = np.array([[np.inf], [1.0]])
"""What the lowest sums start with; the second is river's."""


class PageHinkley:
    """Scores a reading by the Page-Hinkley statistic it leads to."""

    reports: Final = "score"

    def __init__(self, rules: RuleTable) -> None:
        self._anew = np.where(rules.budgeted(), 2 * HIGHEST, 1.0) * rules.on
        self._least = rules.param["least"]
        self._pair = np.tile(rules.param["alpha"], (2, 1)), np.tile(rules.param["delta"], (2, 1))
        self._young = True
        """Whether some rule may have seen fewer than `least` readings."""
        self._walk = Walk(len(rules))
        # Upward changes in the first row; downward ones in the second, with their sign turned, are the same test.
        self._count, self._mean = np.zeros(len(rules)), np.zeros(len(rules))
        self._sum, self._lowest = np.zeros((2, len(rules))), np.empty((2, len(rules)))
        self._start_anew(EVERYONE)

    def score(self, runs: Runs) -> NDArray[np.float64]:
        """The test statistic; NaN without a value or before `least` readings."""
        grid = runs.steps()
        if grid is not None:
            return self._walk.along(grid, self._step)
        usable = ~np.isnan(runs.value)
        if not runs.gated:
            return self._walk.score(runs, usable, self._step, runs.value)
        return self._walk.score(runs, usable | ~runs.open, self._gated, runs.value, runs.open)

    def _step(
        self, at: Index, value: NDArray[np.float64], out: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """One reading each of different rules."""
        if at is EVERYONE:
            score = self._advance(value, self._count, self._mean, self._sum, self._lowest, self._pair, out)
        else:
            state = self._count[at], self._mean[at], self._sum[:, at], self._lowest[:, at]
            pair = (self._pair[0][:, at], self._pair[1][:, at])
            score = self._advance(value, *state, pair, out)
            self._count[at], self._mean[at], self._sum[:, at], self._lowest[:, at] = state
        if self._young:
            score[self._count[at] < self._least[at]] = np.nan
            self._young = at is not EVERYONE or bool((self._count < self._least).any())
        found = score >= self._anew[at]
        if np.count_nonzero(found):
            self._start_anew(among(at, found))
        return score

    @staticmethod
    def _advance(
        value: NDArray[np.float64],
        count: NDArray[np.float64],
        mean: NDArray[np.float64],
        total: NDArray[np.float64],
        lowest: NDArray[np.float64],
        pair: tuple[NDArray[np.float64], NDArray[np.float64]],
        out: NDArray[np.float64] | None,
    ) -> NDArray[np.float64]:
        """Move the sums on in place; the statistic. Written for few passes: this is the whole cost of the kind."""
        alpha, delta = pair
        away = np.empty(total.shape)
        up, down = away
        count += 1
        np.subtract(value, mean, out=up)
        np.divide(1, count, out=down)
        up *= down
        mean += up
        np.subtract(value, mean, out=up)
        np.negative(up, out=down)
        total *= alpha
        total += away
        total -= delta
        np.minimum(lowest, total, out=lowest)
        np.subtract(total, lowest, out=away)
        score: NDArray[np.float64] = np.maximum(up, down, out=up if out is None else out)
        return score

    def _gated(self, at: Index, value: NDArray[np.float64], opened: NDArray[np.bool_]) -> NDArray[np.float64]:
        """The same where a gate may be closed."""
        score = np.full(len(value), np.nan)
        score[opened] = self._step(among(at, opened), value[opened])
        self._start_anew(among(at, ~opened))
        return score

    def _start_anew(self, at: Index) -> None:
        self._young = True
        self._count[at], self._mean[at], self._sum[:, at], self._lowest[:, at] = 0.0, 0.0, 0.0, _LOWEST

    def blind(self, now: int) -> NDArray[np.bool_]:  # noqa: ARG002  counts readings, not time
        """Rules that have seen fewer than `least` readings since they started anew."""
        return self._count < self._least

    def arrays(self) -> Arrays:
        """The sums of each rule."""
        return {
            "count": self._count,
            "mean": self._mean,
            "up": self._sum[0],
            "down": self._sum[1],
            "up_lowest": self._lowest[0],
            "down_lowest": self._lowest[1],
        }
