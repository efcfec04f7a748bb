"""Robust z: how far a reading lies from the median of the last while, whatever wild values were in it.

Parameters `window_s`: the window; `floor`: the smallest standard deviation, in the point's unit. The first reading of
every sixteenth of the window is kept. The score is |x - median| / max(1.4826 MAD, floor) over the kept readings of the
window before it, MAD being the median distance from the median; 1.4826 makes it a standard deviation where the values
are Gaussian. With fewer than nine kept readings nothing can be told. What was before a gate was closed is forgotten.

There is no training: the window moves on, so a new level is normal once it fills more than half of the window.

Iglewicz and Hoaglin, "How to detect and handle outliers", ASQC 1993, who advise a limit of 3.5 for single samples.

>>> from detectors.examples import evaluate
>>> values = [1.0, 2.0, 1.5, 1.2] * 4 + [9.0, 1.5]
>>> evaluate("robust_z", values, on=6.0, off=5.0, window_s=16.0, floor=0.1)
['trips at 16 s: 20.64', 'returns at 17 s: nan']
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.feed import NEVER
from detectors.ring import Ring
from detectors.robust import median
from detectors.rules import RuleTable
from detectors.runs import Runs
from detectors.trip import Arrays, joined

_PARTS: Final = 16
_LEAST: Final = 9
"""More than half of the parts."""
_SIGMA: Final = 1.4826
_BLOCK: Final = 4096
"""Readings scored at a time: the windows of so many fit the processor's cache."""


class RobustZ:
    """Scores a reading by its distance from the window's median."""

    reports: Final = "score"

    def __init__(self, rules: RuleTable) -> None:
        self._floor = rules.param["floor"]
        self._window = (rules.param["window_s"] * 1e9).astype(np.int64)
        self._part = np.maximum(self._window // _PARTS, 1)
        self._ring = Ring(len(rules), _PARTS + 1, {"time": int(NEVER), "value": np.nan})
        self._end = np.full(len(rules), NEVER)  # of the part the newest kept reading lies in
        self._since = np.full(len(rules), NEVER)  # readings before this are forgotten

    def score(self, runs: Runs) -> NDArray[np.float64]:
        """Robust standard deviations; NaN without a value or without enough past."""
        counts = ~np.isnan(runs.value) & runs.open
        closed = runs.fill(runs.time, ~runs.open, self._since)
        self._since[runs.row[runs.last]] = closed[runs.last]
        end = (runs.time // self._part[runs.row] + 1) * self._part[runs.row]
        newest = runs.fill(end, counts, self._end)
        kept = np.flatnonzero(counts & (end != runs.previous(newest, self._end)))
        past = self._ring.push(runs, kept, {"time": runs.time[kept], "value": runs.value[kept]})
        self._end[runs.row[runs.last]] = newest[runs.last]
        score = np.full(len(runs), np.nan)
        asked = np.flatnonzero(counts)
        for begin in range(0, len(asked), _BLOCK):
            places = asked[begin : begin + _BLOCK]
            row = runs.row[places]
            time = np.asarray(past.windows("time", places), np.int64)
            age = runs.time[places, None] - time
            fits = (age <= self._window[row, None]) & (age > 0) & (time > closed[places, None])
            value = np.where(fits, np.asarray(past.windows("value", places), np.float64), np.nan)
            middle = median(value)
            spread = np.maximum(_SIGMA * median(np.abs(value - middle[:, None])), self._floor[row])
            enough = np.count_nonzero(fits, axis=1) >= _LEAST
            score[places] = np.where(enough, np.abs(runs.value[places] - middle) / spread, np.nan)
        return score

    def blind(self, now: int) -> NDArray[np.bool_]:
        """Rules that have not enough past, or none within twice the window."""
        time = np.asarray(self._ring.entries("time"), np.int64)
        fits = (now - time <= 2 * self._window[:, None]) & (time > self._since[:, None])
        return np.asarray(fits.sum(axis=1) < _LEAST, bool)

    def arrays(self) -> Arrays:
        """The kept readings of each rule."""
        return joined({"end": self._end, "kept_since": self._since}, self._ring.arrays())
