"""Rate of change: how fast a value moves, over a window long enough that noise does not look like movement.

Parameters `side`: +1 judges the rise, -1 the fall, 0 either; `window_s`: the window. The first reading of every eighth
of the window is kept. The score is the median, per minute, of the slopes from the kept readings of the window's older
half to the newest reading: one wild value in the past cannot pull it (the inner median of Siegel, "Robust regression
using repeated medians", Biometrika 69, 1982). With less than half a window of past, nothing can be told. What was
before a gate was closed is forgotten.

>>> from detectors.examples import evaluate
>>> evaluate("rate", [0.0, 2.0, 4.0, 6.0, 6.0, 6.0, 6.0], on=100.0, off=90.0, side=1.0, window_s=4.0)
['trips at 2 s: 120', 'returns at 4 s: nan']
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.feed import NEVER
from detectors.masks import anywhere, everywhere
from detectors.ring import Parts, Past, Ring
from detectors.robust import median
from detectors.rules import RuleTable
from detectors.runs import Runs
from detectors.trip import Arrays, joined

_PARTS: Final = 8
_BLOCK: Final = 8192
"""Readings scored at a time: the windows of so many fit the processor's cache."""


class Rate:
    """Scores a reading by the change per minute that led to it."""

    reports: Final = "score"

    def __init__(self, rules: RuleTable) -> None:
        rows = len(rules)
        self._side = rules.param["side"]
        self._window = (rules.param["window_s"] * 1e9).astype(np.int64)
        self._least = rules.on * rules.param["window_s"] / 120 * (1 - 1e-9)  # no slope is steeper with less travel
        self._parts = Parts(self._window // _PARTS)
        self._ring = Ring(rows, _PARTS + 1, {"time": int(NEVER), "value": np.nan})
        self._low, self._high = np.full(rows, np.inf), np.full(rows, -np.inf)  # of what the ring holds
        self._since = np.full(rows, NEVER)  # readings before this are forgotten

    def skim(self, runs: Runs, awake: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
        """Leave what has travelled far; of the others, keep what is the first of its part of the window."""
        row, time, value = runs.row, runs.time, runs.value
        left, due = self._far(row, value, value), time >= self._parts.end[row]
        if awake is not None:
            left |= awake
        leaves = anywhere(left)
        if leaves:
            due &= ~left
        if anywhere(due):
            if not everywhere(due):
                row, time, value = row[due], time[due], value[due]
            self._parts.choose_all(row, time)
            self._ring.enter(row, {"time": time, "value": value})
            self._span(row)
        return left if leaves else None

    def score(self, runs: Runs) -> NDArray[np.float64]:
        """Change per minute, seen from `side`; NaN without a value or without enough past.

        Where a rule is at rest and its value has not travelled far enough for its limit, 0 stands for any score below.
        """
        counts = ~np.isnan(runs.value)
        if runs.gated:
            counts &= runs.open
            closed = runs.fill(runs.time, ~runs.open, self._since)
            self._since[runs.row[runs.last]] = closed[runs.last]
        else:
            closed = self._since[runs.row]
        asked = np.flatnonzero(self._stirs(runs, counts) & counts)
        kept = self._parts.choose(runs, counts)
        past = self._ring.push(runs, kept, {"time": runs.time[kept], "value": runs.value[kept]})
        if len(kept):
            self._span(runs.row[kept])
        score = np.where(counts, 0.0, np.nan)
        for begin in range(0, len(asked), _BLOCK):
            places = asked[begin : begin + _BLOCK]
            score[places] = self._steepness(runs, past, places, closed[places])
        return score

    def _stirs(self, runs: Runs, counts: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """bool[k], readings of rules whose score could matter in this batch."""
        row = runs.row[runs.last]
        low = high = runs.value  # of a single reading; one without a value compares as False
        if not runs.single:
            low = np.minimum.reduceat(np.where(counts, low, np.inf), runs.start)
            high = np.maximum.reduceat(np.where(counts, high, -np.inf), runs.start)
        far = self._far(row, low, high)
        if not runs.single:
            far = np.repeat(far, runs.last - runs.start + 1)
        return np.asarray(far if runs.settled else far | ~runs.rest, np.bool_)

    def _span(self, row: NDArray[np.intp]) -> None:
        """Note what the rings of these rules hold now."""
        held = np.ascontiguousarray(self._ring.anyhow("value", row).T, np.float64)
        self._low[row], self._high[row] = np.fmin.reduce(held, axis=0), np.fmax.reduce(held, axis=0)

    def _far(self, row: NDArray[np.intp], low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.bool_]:
        """bool[k], rules whose values, with those kept, may span enough for their limit."""
        far = np.maximum(high, self._high[row]) - np.minimum(low, self._low[row]) >= self._least[row]
        return np.asarray(far, np.bool_)

    def _steepness(
        self, runs: Runs, past: Past, places: NDArray[np.intp], closed: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        row = runs.row[places]
        time = np.asarray(past.windows("time", places), np.int64)
        value = np.asarray(past.windows("value", places), np.float64)
        age, window = runs.time[places, None] - time, self._window[row, None]
        fits = (age <= window) & (age >= window // 2) & (age > 0) & (time > closed[:, None])
        slope = (runs.value[places, None] - value) * (60e9 / np.where(fits, age, 1))
        steep = median(np.where(fits, slope, np.nan))
        side = self._side[row]
        return np.where(side == 0, np.abs(steep), side * steep)

    def blind(self, now: int) -> NDArray[np.bool_]:
        """Rules that have not half a window of past."""
        time = np.asarray(self._ring.anyhow("time"), np.int64)
        age = now - time
        fits = (age >= self._window[:, None] // 2) & (age <= 2 * self._window[:, None]) & (time > self._since[:, None])
        return ~np.asarray(fits.any(axis=1), bool)

    def arrays(self) -> Arrays:
        """The kept readings of each rule."""
        own = {"end": self._parts.end, "kept_since": self._since, "low": self._low, "high": self._high}
        return joined(own, self._ring.arrays())
