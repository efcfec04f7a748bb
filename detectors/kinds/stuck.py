"""Stuck: a value that does not move is a dead instrument or a faked one, however healthy it looks.

Parameters `band`: what counts as not moving, in the point's unit, around the value at which the stillness began;
`nonzero`: 1 where standing still at exactly zero is healthy (a gas sensor in clean air). The score is the stillness in
seconds of event time; standing still while a gate is closed does not count. The flat-line test of real-time quality
control (IOOS QARTOD, 2020) is the same idea with a count of readings for the time.

>>> from detectors.examples import evaluate
>>> evaluate("stuck", [7.0, 7.05, 6.95, 7.0, 8.0], on=3.0, off=3.0, band=0.1, nonzero=0.0)
['trips at 3 s: 3', 'returns at 4 s: nan']
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.rules import RuleTable
from detectors.runs import Runs
from detectors.trip import Arrays


class Stuck:
    """Scores a reading by the seconds since its point last moved."""

    reports: Final = "score"

    def __init__(self, rules: RuleTable) -> None:
        self._band = rules.param["band"]
        self._nonzero: NDArray[np.bool_] = rules.param["nonzero"] > 0
        self._any_nonzero = bool(self._nonzero.any())
        self._anchor = np.full(len(rules), np.nan)
        self._still_since = np.zeros(len(rules), np.int64)

    def score(self, runs: Runs) -> NDArray[np.float64]:
        """Seconds of stillness; NaN where there is no value."""
        if runs.single and not runs.gated and runs.feed.complete:
            return self._plain_step(runs.row, runs.time, runs.value)
        usable = ~np.isnan(runs.value)
        moving = ~runs.open | (self._nonzero[runs.row] & (runs.value == 0))
        if runs.single:
            return self._step(runs.row, runs.time, runs.value, usable, moving)
        score = np.full(len(runs), np.nan)
        row, time, value = runs.row, runs.time, runs.value
        for pairs in runs.rounds():
            score[pairs] = self._step(row[pairs], time[pairs], value[pairs], usable[pairs], moving[pairs])
        return score

    def _plain_step(
        self, row: NDArray[np.intp], time: NDArray[np.int64], value: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """One reading each of different rules, all of them usable and judged."""
        anchor = self._anchor[row]
        moved = ~(np.abs(value - anchor) <= self._band[row])
        if self._any_nonzero:
            moved |= self._nonzero[row] & (value == 0)
        since = self._still_since[row]
        since[moved], anchor[moved] = time[moved], value[moved]
        self._anchor[row], self._still_since[row] = anchor, since
        return np.asarray((time - since) / 1e9, np.float64)

    def _step(
        self,
        row: NDArray[np.intp],
        time: NDArray[np.int64],
        value: NDArray[np.float64],
        usable: NDArray[np.bool_],
        moving: NDArray[np.bool_],
    ) -> NDArray[np.float64]:
        """One reading each of different rules."""
        anchor, since = self._anchor[row], self._still_since[row]
        # "not within the band" rather than "outside", so that the first value (anchor NaN) counts as a move
        moved = (~(np.abs(value - anchor) <= self._band[row]) | moving) & usable
        since = np.where(moved, time, since)
        self._anchor[row] = np.where(moved, value, anchor)
        self._still_since[row] = since
        return np.where(usable, (time - since) / 1e9, np.nan)

    def blind(self, now: int) -> NDArray[np.bool_]:  # noqa: ARG002  judged by the past itself
        """Rules that never saw a value."""
        return np.asarray(np.isnan(self._anchor), np.bool_)

    def arrays(self) -> Arrays:
        """Return at which value, and since when, each point has not moved."""
        return {"anchor": self._anchor, "still_since": self._still_since}
