"""Step: the level has shifted and stays there, though no limit was crossed (a changed load, a valve that slipped).

Parameters `side`: +1 judges a shift up, -1 down, 0 either; `window_s`: how long a level is looked at. Each window is
cut into four buckets; of each the middle between its lowest and highest value counts. Whenever a bucket closes, the
score is the median of the last four middles less that of the four before, in the point's unit, seen from `side`: of
running medians a single spike pulls none (Tukey, "Exploratory Data Analysis", 1977). Three of
four buckets must hold readings in both windows, or nothing can be told: a rule is blind for two windows. One window
after a shift the new level is the normal one and the verdict returns. What was before a closed gate is forgotten.

>>> from detectors.examples import evaluate
>>> evaluate("step", [1.0] * 8 + [3.0] * 9, on=1.5, off=0.5, side=1.0, window_s=4.0)
['trips at 11 s: 2', 'returns at 15 s: nan']
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.buckets import HIGH, LOW, Buckets
from detectors.robust import median
from detectors.rules import RuleTable
from detectors.runs import Runs
from detectors.trip import Arrays

_PARTS: Final = 4
_NEED: Final = 3


class Step:
    """Scores a point by how far the level of its last window is from that of the window before."""

    reports: Final = "score"

    def __init__(self, rules: RuleTable) -> None:
        self._side = rules.param["side"]
        width = np.maximum((rules.param["window_s"] * 1e9).astype(np.int64) // _PARTS, 1)
        self._buckets = Buckets(width, 2 * _PARTS, {"low": LOW, "high": HIGH})

    def skim(self, runs: Runs, awake: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
        """Leave what closes a bucket."""
        return self._buckets.absorb(runs, {"low": runs.value, "high": runs.value}, awake)

    def score(self, runs: Runs) -> NDArray[np.float64]:
        """The shift at the readings that close a bucket; NaN elsewhere."""
        score = np.full(len(runs), np.nan)
        closed = self._buckets.gather(
            runs, ~np.isnan(runs.value), {"low": runs.value, "high": runs.value}, breaks=runs.breaks
        )
        if len(closed):
            middle = (closed.window("low") + closed.window("high")) / 2
            valid, recent = closed.valid(2 * _PARTS), closed.age() < _PARTS
            shift = _level(middle, valid & recent) - _level(middle, valid & ~recent)
            side = self._side[runs.row[closed.places]]
            score[closed.places] = np.where(side == 0, np.abs(shift), side * shift)
        return score

    def blind(self, now: int) -> NDArray[np.bool_]:  # noqa: ARG002  judged by the buckets kept
        """Rules that may lack more than one bucket of either window."""
        return self._buckets.covered() < _PARTS + _NEED

    def arrays(self) -> Arrays:
        """The buckets of two windows."""
        return self._buckets.arrays()


def _level(middle: NDArray[np.float64], of: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The median of each row's buckets of a mask; NaN where there are too few."""
    enough = np.count_nonzero(of, axis=1) >= _NEED
    return np.where(enough, median(np.where(of, middle, np.nan)), np.nan)
