"""Rate of change: how fast a value moves, over a window long enough that noise does not look like movement.

Parameters `side`: +1 judges the rise, -1 the fall, 0 either; `window_s`: the window. The first reading of every eighth
of the window is kept. The score is the median, per minute, of the slopes from the kept readings of the window's older
half to the newest reading: one wild value in the past cannot pull it (the inner median of Siegel, "Robust regression
using repeated medians", Biometrika 69, 1982). With less than half a window of past, nothing can be told. What was
before a gate was closed is forgotten.

>>> from detectors.examples import judge
>>> judge("rate", [0.0, 2.0, 4.0, 6.0, 6.0, 6.0, 6.0], on=100.0, off=90.0, side=1.0, window_s=4.0)
['trips at 2 s: 120', 'returns at 4 s: nan']
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
from detectors.trip import Arrays

_PARTS: Final = 8
_BLOCK: Final = 8192
"""Readings scored at a time: the windows of so many fit the processor's cache."""


class Rate:
    """Scores a reading by the change per minute that led to it."""

    judges: Final = "score"

    def __init__(self, rules: RuleTable) -> None:
        self._side = rules.param["side"]
        self._window = (rules.param["window_s"] * 1e9).astype(np.int64)
        self._part = np.maximum(self._window // _PARTS, 1)
        self._ring = Ring(len(rules), _PARTS + 1, {"time": int(NEVER), "value": np.nan})
        self._end = np.full(len(rules), NEVER)  # of the part the newest kept reading lies in
        self._since = np.full(len(rules), NEVER)  # readings before this are forgotten

    def score(self, runs: Runs) -> NDArray[np.float64]:
        """Change per minute, seen from `side`; NaN without a value or without enough past."""
        usable = ~np.isnan(runs.value)
        counts = usable & runs.open
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
            value = np.asarray(past.windows("value", places), np.float64)
            age = runs.time[places, None] - time
            window = self._window[row, None]
            fits = (age <= window) & (age >= window // 2) & (age > 0) & (time > closed[places, None])
            slope = (runs.value[places, None] - value) * (60e9 / np.where(fits, age, 1))
            steep = median(np.where(fits, slope, np.nan))
            side = self._side[row]
            score[places] = np.where(side == 0, np.abs(steep), side * steep)
        return score

    def blind(self, now: int) -> NDArray[np.bool_]:
        """Rules that have not half a window of past."""
        time = np.asarray(self._ring.columns["time"], np.int64)
        age = now - time
        fits = (age >= self._window[:, None] // 2) & (age <= 2 * self._window[:, None]) & (time > self._since[:, None])
        return ~np.asarray(fits.any(axis=1), bool)

    def arrays(self) -> Arrays:
        """The kept readings of each rule."""
        return {"end": self._end, "since": self._since, **self._ring.columns}
