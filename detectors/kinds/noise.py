"""Noise: a signal that used to tremble and hardly does any more: a blocked impulse line, a filter left on, a dead cell.

Parameter `window_s`: how long a calm must last. It is cut into four buckets, of each of which the range (highest less
lowest value) is kept, 32 in all. Whenever one closes, the score is the ordinary range (the median of those more than
four buckets old) over the widest of the last four: how many times calmer the signal has become, at most a million.
Ranges stand for the spread as on Shewhart's R chart ("Economic Control of Quality of Manufactured Product", 1931); the
question is that of the attenuated-signal test of real-time quality control (IOOS QARTOD, 2020). A bucket should hold
some ten readings, for the range grows with their number.

Twelve old buckets and the last four must hold readings, or nothing can be told: a rule is blind for four windows. The
ordinary range is learnt anew all the time, calm or not. Once most of the older buckets are calm (between four and five
windows after it began) the calm is the ordinary state and the verdict returns; if the signal is dead flat there is
nothing to compare then, and the verdict stays. Latch a rule whose alarm must outlast that. What was before a closed
gate is forgotten.

>>> from detectors.examples import evaluate
>>> evaluate("noise", [5.0, 6.0] * 16 + [5.5, 5.6] * 6, on=5.0, window_s=8.0)
['trips at 40 s: 10']
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

_RECENT: Final = 4
_KEPT: Final = 32
_NEED_OLD: Final = 12
_MOST: Final = 1e6
_TINY: Final = float(np.finfo(np.float64).tiny)


class Noise:
    """Scores a point by how much calmer it is than it was."""

    reports: Final = "score"

    def __init__(self, rules: RuleTable) -> None:
        width = np.maximum((rules.param["window_s"] * 1e9).astype(np.int64) // _RECENT, 1)
        self._buckets = Buckets(width, _KEPT, {"low": LOW, "high": HIGH})

    def skim(self, runs: Runs, awake: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
        """Leave what closes a bucket."""
        return self._buckets.absorb(runs, {"low": runs.value, "high": runs.value}, awake)

    def score(self, runs: Runs) -> NDArray[np.float64]:
        """How many times calmer, at the readings that close a bucket; NaN elsewhere."""
        score = np.full(len(runs), np.nan)
        closed = self._buckets.gather(
            runs, ~np.isnan(runs.value), {"low": runs.value, "high": runs.value}, breaks=runs.breaks
        )
        if len(closed):
            width = closed.window("high") - closed.window("low")
            valid, young = closed.valid(_KEPT), closed.age() < _RECENT
            recent, old = valid & young, valid & ~young
            enough = (np.count_nonzero(recent, axis=1) == _RECENT) & (np.count_nonzero(old, axis=1) >= _NEED_OLD)
            ordinary = median(np.where(old, width, np.nan))
            widest = np.where(recent, width, 0).max(axis=1)
            calm = ordinary / np.maximum(widest, np.maximum(ordinary / _MOST, _TINY))
            score[closed.places] = np.where(enough & (ordinary > 0), calm, np.nan)
        return score

    def blind(self, now: int) -> NDArray[np.bool_]:  # noqa: ARG002  judged by the buckets kept
        """Rules that have not past enough to know what is ordinary."""
        return self._buckets.covered() < _RECENT + _NEED_OLD

    def arrays(self) -> Arrays:
        """The buckets kept."""
        return self._buckets.arrays()
