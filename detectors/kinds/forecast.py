"""Forecast: the time that is left until a value reaches its limit, if it goes on as it does (预警 before 报警).

Parameters `limit`: the limit, in the point's unit; `side`: +1 a high limit, -1 a low one; `window_s`: the while whose
trend is taken; `lead_s`: the warning time wanted. The score is minus the seconds left, so `on` is -lead_s.

Sixteen buckets of the window each give the middle of their lowest and highest reading. Whenever one closes, the trend
is the median of the slopes between any two of them (Theil 1950; Sen, "Estimates of the regression coefficient based on
Kendall's tau", JASA 63, 1968), which spikes, steps and pulses cannot pull. The seconds left are counted with the
steepest slope of Sen's 90 % interval: the earliest time to expect. There is a trend only if

- the flattest slope of the interval points to the limit, too, and over the window leads through more than four times
  the buckets' median distance from the line (noise, a swing or a sawtooth faster than the window do not), and
- the newest bucket is nearer to the limit than any of the eight windows before (what the plant comes back from every
  time is no news).

Without a trend the score is -1e12, beyond the limit it is 0. With fewer than twelve buckets, or before a first window
has passed, nothing can be told; there is no training. What was before a gate was closed is forgotten, but not how near
to the limit the value had come.

The first rise of a swing or sawtooth slower than the window may be foretold, and of a swing later one in twenty, where
the limit is near. A value that wanders must have its limit far away: ten of its standard deviations with `lead_s` as
long as the window, eight with half of it, sixteen with twice.

>>> from detectors.examples import evaluate
>>> evaluate("forecast", [10.0] * 32 + [10.0 + 0.5 * s for s in range(60)], on=-32.0, off=-64.0,
...       limit=35.0, side=1.0, window_s=32.0, lead_s=32.0)  # it will be there at 82 s
['trips at 54 s: 29.43']
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.buckets import HIGH, LOW, Buckets, Closed
from detectors.feed import NEVER
from detectors.robust import median
from detectors.rules import RuleTable
from detectors.runs import Runs
from detectors.trip import Arrays, joined

NO_TREND: Final = -1e12
"""Score where no trend leads to the limit: some 30 000 years."""

_BUCKETS: Final = 16
_LEAST: Final = 12
_ERA: Final = 8 * _BUCKETS
"""Buckets over which the nearest approach is kept; with the one before, it covers eight to sixteen windows."""
_CLEAR: Final = 4.0
_QUANTILE: Final = 1.645  # of the normal distribution: a two-sided interval of 90 %
_FIRST, _SECOND = np.triu_indices(_BUCKETS, 1)
_BLOCK: Final = 1024
"""Trends at a time: their slopes fit the processor's cache."""


def _ranks() -> NDArray[np.intp]:
    """Place of the interval's flat end among the ascending slopes, by the number of buckets (Hollander and Wolfe)."""
    many = np.arange(_BUCKETS + 1)
    pairs = many * (many - 1) / 2
    spread = _QUANTILE * np.sqrt(many * (many - 1) * (2 * many + 5) / 18)  # of Kendall's score
    return np.asarray(np.maximum(np.floor((pairs - spread) / 2) - 1, 0), np.intp)


_FLAT: Final = _ranks()


class Forecast:
    """Scores, whenever a bucket closes, by minus the seconds left until the limit."""

    reports: Final = "minus score"

    def __init__(self, rules: RuleTable) -> None:
        self._side, self._limit = rules.param["side"], rules.param["side"] * rules.param["limit"]
        self._window = (rules.param["window_s"] * 1e9).astype(np.int64)
        self._on = rules.on
        self._width = np.maximum(self._window // _BUCKETS, 1)
        self._buckets = Buckets(self._width, _BUCKETS, {"low": LOW, "high": HIGH})
        self._era = np.full(len(rules), NEVER)
        self._nearest = np.full(len(rules), -np.inf)  # to the limit, in this era, before the window
        self._nearest_before = np.full(len(rules), -np.inf)  # in the era before

    def skim(self, runs: Runs, awake: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
        """Leave what closes a bucket."""
        return self._buckets.absorb(runs, {"low": runs.value, "high": runs.value}, awake)

    def score(self, runs: Runs) -> NDArray[np.float64]:
        """Minus the seconds left, at readings that close a bucket; else NaN, which leaves the verdict as it is."""
        value, usable = runs.value, ~np.isnan(runs.value)
        closed = self._buckets.gather(runs, usable, {"low": value, "high": value}, runs.breaks)
        score = np.full(len(runs), np.nan)
        if not len(closed):
            return score
        row = runs.row[closed.places]
        middle = self._side[row, None] * ((closed.window("low") + closed.window("high")) / 2)
        number = np.asarray(closed.past.windows("number", closed.places), np.int64)
        valid = closed.valid(_BUCKETS)
        closings = runs
        if len(closed) < len(runs):
            closing = np.zeros(len(runs), bool)
            closing[closed.places] = True
            closings = runs.take(closing)
        nearest = self._approach(closings, closed, middle[:, 0])
        stirred = closings.stirred(~self._far(row, middle, valid))  # what stirs a rule makes all its windows matter
        asked = (stirred if closings.settled else stirred | ~closings.rest).nonzero()[0]
        within = valid & (runs.time[closed.places, None] // self._width[row, None] - number <= _BUCKETS)
        known = (np.count_nonzero(within, axis=1) >= _LEAST) & (nearest > -np.inf)
        score[closed.places] = np.where(known, NO_TREND, np.nan)
        for begin in range(0, len(asked), _BLOCK):
            part = asked[begin : begin + _BLOCK]
            places = closed.places[part]
            score[places] = self._left(
                row[part], runs.time[places], number[part], np.where(valid[part], middle[part], np.nan), nearest[part]
            )
        return score

    def _far(self, row: NDArray[np.intp], middle: NDArray[np.float64], valid: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """bool[m], windows that surely foretell nothing: too short to tell, or complete and without a trend in time.

        No slope between two buckets is steeper than the steepest between neighbours; and for a significant trend enough
        pairs of buckets must rise.
        """
        many = np.count_nonzero(valid, axis=1)
        far: NDArray[np.bool_] = np.asarray(many < _LEAST, np.bool_)
        whole = (many == _BUCKETS).nonzero()[0]
        row, middle = row[whole], middle[whole]
        steepest = np.maximum((middle[:, 1:] - middle[:, :-1]).max(axis=1), 0.0) / self._width[row]
        reach = middle.max(axis=1) + steepest * (self._window[row] + 2 * self._width[row])  # of the level now
        below = reach < self._limit[row]
        late = reach - steepest * self._on[row] * 1e9 < self._limit[row]
        unsure = (below & ~late).nonzero()[0]
        if len(unsure):
            rising = np.count_nonzero(middle[unsure][:, _SECOND] > middle[unsure][:, _FIRST], axis=1)
            late[unsure] = rising < len(_FIRST) - _FLAT[_BUCKETS]
        far[whole] = late
        return far

    def _approach(self, closings: Runs, closed: Closed, oldest: NDArray[np.float64]) -> NDArray[np.float64]:
        """Take in the bucket (float64[m]) about to leave each window; how near the value had come (float64[m])."""
        era = closed.number // _ERA
        nearest = np.empty(len(closed))
        for closing in closings.rounds():
            row = closings.row[closing]
            kept, before = self._nearest[row], self._nearest_before[row]
            later, next_ = era[closing] != self._era[row], era[closing] == self._era[row] + 1
            before = np.where(later, np.where(next_, kept, -np.inf), before)
            kept = np.fmax(np.where(later, -np.inf, kept), oldest[closing])
            self._nearest[row], self._nearest_before[row], self._era[row] = kept, before, era[closing]
            nearest[closing] = np.maximum(kept, before)
        return nearest

    def _left(
        self,
        row: NDArray[np.intp],
        now: NDArray[np.int64],
        number: NDArray[np.int64],
        middle: NDArray[np.float64],
        nearest: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Minus the seconds left, float64[m]; `number` and `middle` are [m, buckets], NaN where there is no bucket."""
        width = self._width[row, None]
        middle = np.where(now[:, None] // width - number <= _BUCKETS, middle, np.nan)
        many = np.count_nonzero(~np.isnan(middle), axis=1)
        rows, pairs = np.arange(len(row)), np.maximum(many * (many - 1) // 2, 1)
        run = (number[:, _SECOND] - number[:, _FIRST]) * (width / 1e9)
        with np.errstate(divide="ignore", invalid="ignore"):  # of places without a bucket
            slopes = np.sort((middle[:, _SECOND] - middle[:, _FIRST]) / run, axis=1)  # NaN last
        slope = (slopes[rows, (pairs - 1) // 2] + slopes[rows, pairs // 2]) / 2
        flat, steep = slopes[rows, _FLAT[many]], slopes[rows, pairs - 1 - _FLAT[many]]
        ago = (now[:, None] - number * width - width // 2) / 1e9
        line = middle + slope[:, None] * ago
        level = median(line)
        noise = median(np.abs(line - level[:, None]))
        gap = self._limit[row] - level
        clear = (flat > 0) & (flat * (self._window[row] / 1e9) > _CLEAR * noise) & (middle[:, -1] > nearest)
        left = np.where(clear, gap / np.where(clear, steep, 1), -NO_TREND)
        known = (many >= _LEAST) & (nearest > -np.inf)
        return np.where(known, -np.where(gap <= 0, 0.0, left), np.nan)

    def blind(self, now: int) -> NDArray[np.bool_]:  # noqa: ARG002  judged by the buckets kept
        """Rules that have fewer than twelve buckets, or nothing before them."""
        fresh = np.maximum(self._nearest, self._nearest_before) == -np.inf
        return np.asarray((self._buckets.covered() < _LEAST) | fresh, bool)

    def arrays(self) -> Arrays:
        """The buckets of each rule, and how near it had come to its limit."""
        kept: Arrays = {"era": self._era, "nearest": self._nearest, "nearest_before": self._nearest_before}
        return joined(kept, self._buckets.arrays())
