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
MEMORY: Final = 1_000.0
"""Distances remembered, and so 50 excesses."""
_LEAST_GAIN: Final = 1.0 / (MEMORY * (1.0 - QUANTILE))
_LEAST_STEP: Final = 0.003
_COOLING: Final = -0.7
_OUTLIER: Final = 10.0
"""An excess teaches as if it were at most so many mean ones,"""
_MOST_LOG: Final = 3.0
"""and a log excess as if it were at most this;"""
_FEW: Final = 3
"""but the first few teach as they are."""
_LEAST_SHAPE: Final = 0.01
_TINY: Final = 1e-300
_BEYOND: Final = math.log10(1.0 - QUANTILE)
_LOG_TEN: Final = math.log(10.0)


class Tails:
    """The upper tails of some non-negative numbers of each rule; 48 bytes each."""

    def __init__(self, least: Floats, many: int) -> None:
        """Tails of `many` numbers a rule, unknown before `least` (float64[r]) of them were seen."""
        shape = len(least), many
        self._least, self._everyone = least, np.arange(len(least))
        self._rows, self._size, self._quantile = (np.zeros(shape) for _ in range(3))
        self._excesses, self._excess, self._log = (np.zeros(shape) for _ in range(3))

    def score(self, at: Index, distance: Floats, floor: Floats) -> Floats:
        """-log10 of the probability of such a distance or a larger one; then learn it.

        Args:
            at: the rules.
            distance: float64[k, many], >= 0, NaN = none.
            floor: float64[k], a distance below which there is only rounding.

        Returns:
            float64[k, many]; 0 up to the quantile, without a distance and before `least` of them.
        """
        known = ~np.isnan(distance)
        size, quantile = self._size[at], self._quantile[at]
        above = distance > quantile
        rarity = np.zeros(distance.shape)
        if above.any():
            place, which = np.nonzero(above)
            floor = np.maximum(floor[place] + 1e-3 * size[above], _TINY)
            row = self._everyone[at][place]
            rarity[above] = self._score_excess(row, which, distance[above], floor)
        rows = self._rows[at] + known
        counted = np.maximum(rows, 1.0)
        size = size + np.where(known, np.maximum(1.0 / MEMORY, 1.0 / counted) * (distance - size), 0.0)
        step = size * np.maximum(counted**_COOLING, _LEAST_STEP)
        moved = quantile + step * np.where(above, QUANTILE, QUANTILE - 1.0)
        self._quantile[at] = np.maximum(np.where(known, moved, quantile), 0.0)
        self._rows[at], self._size[at] = rows, size
        return rarity

    def arrays(self) -> Arrays:
        """What is known of each tail."""
        tails: Arrays = {"tail_rows": self._rows, "tail_size": self._size, "tail_quantile": self._quantile}
        return {**tails, "tail_excesses": self._excesses, "tail_excess": self._excess, "tail_log": self._log}

    def _score_excess(self, row: NDArray[np.intp], which: NDArray[np.intp], distance: Floats, floor: Floats) -> Floats:
        """The rarity of distances above the quantile, which then teach how far beyond it distances lie."""
        quantile, mean, mean_log = self._quantile[row, which], self._excess[row, which], self._log[row, which]
        excess = distance - quantile
        log = np.log(np.maximum(distance, floor) / np.maximum(quantile, floor))
        usual = np.maximum(mean, floor)
        scaled = np.minimum(excess / usual, log / np.maximum(mean_log, _LEAST_SHAPE))
        excesses = self._excesses[row, which] + 1.0
        gain = np.maximum(_LEAST_GAIN, 1.0 / excesses)
        capped = np.where(excesses <= _FEW, excess, np.minimum(excess, _OUTLIER * usual))
        self._excesses[row, which] = excesses
        self._excess[row, which] = mean + gain * (capped - mean)
        self._log[row, which] = mean_log + gain * (np.minimum(log, _MOST_LOG) - mean_log)
        ripe = self._rows[row, which] >= self._least[row]
        return np.where(ripe, scaled / _LOG_TEN - _BEYOND, 0.0)
