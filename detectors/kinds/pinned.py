"""Pinned: a value that keeps to its alarm limit and moves a little, as no process would and faked values do.

Parameters `at`: the limit, and `band`: how near to it is suspicious, both in the point's unit; `window_s`: how long.
The window is kept as eight buckets; whenever one closes, the score is the percentage of the window's readings that lie
within the band. Seven buckets of eight must hold readings, eight readings together, or nothing can be told: a rule is
blind for one window. What was before a closed gate is forgotten.

An unannounced check of a steel works in 2021 found a control room whose every CO sensor showed the alarm limit, 24 ppm,
while portable meters at the same places read tens to hundreds. `stuck` finds values that stand still; this finds those
that were made to look alive.

>>> from detectors.examples import evaluate
>>> evaluate("pinned", [24.0, 24.2, 23.9, 24.1] * 5, on=90.0, at=24.0, band=0.5, window_s=16.0)
['trips at 14 s: 100']
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.buckets import COUNT, Buckets
from detectors.rules import RuleTable
from detectors.runs import Runs
from detectors.trip import Arrays

_PARTS: Final = 8
_NEED: Final = 7
_LEAST_READINGS: Final = 8


class Pinned:
    """Scores a point by the share of its readings that keep to one value."""

    reports: Final = "score"

    def __init__(self, rules: RuleTable) -> None:
        self._at, self._band = rules.param["at"], rules.param["band"]
        width = np.maximum((rules.param["window_s"] * 1e9).astype(np.int64) // _PARTS, 1)
        self._buckets = Buckets(width, _PARTS, {"all": COUNT, "near": COUNT})

    def skim(self, runs: Runs, awake: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
        """Leave what closes a bucket."""
        return self._buckets.absorb(runs, self._counts(runs), awake)

    def score(self, runs: Runs) -> NDArray[np.float64]:
        """Percent of the window, at the readings that close a bucket; NaN elsewhere."""
        closed = self._buckets.gather(runs, ~np.isnan(runs.value), self._counts(runs), breaks=runs.breaks)
        score = np.full(len(runs), np.nan)
        if len(closed):
            valid = closed.valid(_PARTS)
            all_, near_ = (np.where(valid, closed.window(name), 0).sum(axis=1) for name in ("all", "near"))
            enough = (np.count_nonzero(valid, axis=1) >= _NEED) & (all_ >= _LEAST_READINGS)
            score[closed.places] = np.where(enough, 100 * near_ / all_, np.nan)
        return score

    def _counts(self, runs: Runs) -> dict[str, NDArray[np.float64]]:
        near = np.abs(runs.value - self._at[runs.row]) <= self._band[runs.row]
        return {"all": np.ones(len(runs)), "near": near.astype(np.float64)}

    def blind(self, now: int) -> NDArray[np.bool_]:  # noqa: ARG002  judged by the buckets kept
        """Rules that have not a window of past."""
        return self._buckets.covered() < _NEED

    def arrays(self) -> Arrays:
        """The buckets of the window."""
        return self._buckets.arrays()
