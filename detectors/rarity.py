"""Estimates how rare a distance is: streaming peaks over threshold, without a fit.

Excesses over a high threshold follow one family of tails: Pickands, "Statistical inference using extreme order
statistics", Ann. Statist. 3, 1975; Siffer et al., "Anomaly detection in streams with extreme value theory", KDD 2017
(SPOT). Here the threshold is the 95 % quantile, followed by stochastic approximation (Robbins and Monro, Ann. Math.
Statist. 22, 1951), and means stand for the fit: the mean excess, as of an exponential tail, and the mean log excess, as
of a Pareto tail (Hill, "A simple general approach to inference about the tail of a distribution", Ann. Statist. 3,
1975). The milder verdict of the two counts, so neither a light nor a heavy tail gives false rarities.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.running import Index
from detectors.trip import Arrays

Floats = NDArray[np.float64]

QUANTILE: Final = 0.95
MEMORY: Final = 2_000.0
"""Distances remembered, and so 100 excesses."""
_LEAST_GAIN: Final = 1.0 / (MEMORY * (1.0 - QUANTILE))
_LEAST_STEP: Final = 0.001
_COOLING: Final = -0.7
_OUTLIER: Final = 3.0
"""An excess or log excess teaches as if it were at most so many mean ones: what was rare once is rare again;"""
_FEW: Final = 3
"""but the first few teach as they are,"""
_MOST_LOG: Final = 2.0
"""a log excess as if it were at most this."""
_LEAST_SHAPE: Final = 0.01
_TINY: Final = 1e-300
_BEYOND: Final = math.log10(1.0 - QUANTILE)
_LOG_TEN: Final = math.log(10.0)


class Tails:
    """The upper tails of some non-negative numbers of each rule; 48 bytes each."""

    def __init__(self, least: Floats, many: int) -> None:
        """Tails of `many` numbers a rule, unknown before `least` (float64[r]) of them were seen."""
        shape = many, len(least)
        self._least, self._everyone = least, np.arange(len(least))
        self._rows, self._size, self._quantile = (np.zeros(shape) for _ in range(3))
        self._excesses, self._excess, self._log = (np.zeros(shape) for _ in range(3))

    def score(self, at: Index, distance: Floats, floor: Floats) -> Floats:
        """-log10 of the probability of such a distance or a larger one; then learn it.

        Args:
            at: the rules.
            distance: float64[many, k], >= 0, NaN = none.
            floor: float64[k], a distance below which there is only rounding.

        Returns:
            float64[many, k]; 0 up to the quantile, without a distance and before `least` of them.
        """
        known = ~np.isnan(distance)
        size, quantile = self._size[:, at], self._quantile[:, at]
        above = distance > quantile
        rarity = np.zeros(distance.shape)
        if above.any():
            which, place = np.nonzero(above)
            floor = np.maximum(floor[place] + 1e-3 * size[above], _TINY)
            row = self._everyone[at][place]
            rarity[above] = self._score_excess(which, row, distance[above], floor)
        rows = self._rows[:, at] + known
        counted = np.maximum(rows, 1.0)
        size = size + np.where(known, np.maximum(1.0 / MEMORY, 1.0 / counted) * (distance - size), 0.0)
        step = size * np.maximum(counted**_COOLING, _LEAST_STEP)
        moved = quantile + step * np.where(above, QUANTILE, QUANTILE - 1.0)
        self._quantile[:, at] = np.maximum(np.where(known, moved, quantile), 0.0)
        self._rows[:, at], self._size[:, at] = rows, size
        return rarity

    def arrays(self) -> Arrays:
        """What is known of each tail, one entry a rule in every array."""
        tails: Arrays = {"tail_rows": self._rows.T, "tail_size": self._size.T, "tail_quantile": self._quantile.T}
        return {**tails, "tail_excesses": self._excesses.T, "tail_excess": self._excess.T, "tail_log": self._log.T}

    def _score_excess(self, which: NDArray[np.intp], row: NDArray[np.intp], distance: Floats, floor: Floats) -> Floats:
        """The rarity of distances above the quantile, which then teach how far beyond it distances lie."""
        quantile, mean, mean_log = self._quantile[which, row], self._excess[which, row], self._log[which, row]
        excess = distance - quantile
        log = np.log(np.maximum(distance, floor) / np.maximum(quantile, floor))
        usual, usual_log = np.maximum(mean, floor), np.maximum(mean_log, _LEAST_SHAPE)
        scaled = np.minimum(excess / usual, log / usual_log)
        excesses = self._excesses[which, row] + 1.0
        gain = np.maximum(_LEAST_GAIN, 1.0 / excesses)
        most = np.where(excesses <= _FEW, np.inf, _OUTLIER)
        capped, capped_log = np.minimum(excess, most * usual), np.minimum(log, np.minimum(most * usual_log, _MOST_LOG))
        self._excesses[which, row] = excesses
        self._excess[which, row] = mean + gain * (capped - mean)
        self._log[which, row] = mean_log + gain * (capped_log - mean_log)
        ripe = self._rows[which, row] >= self._least[row]
        return np.where(ripe, scaled / _LOG_TEN - _BEYOND, 0.0)
