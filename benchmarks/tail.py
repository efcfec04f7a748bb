"""How rare is a distance as large as this? Streaming peaks over threshold, without a fit.

The 95 % quantile is followed by stochastic approximation (Robbins and Monro, Ann. Math. Statist. 22, 1951). What
exceeds it is compared with the mean excess (an exponential tail) and with the mean log excess (a Pareto tail: Hill,
Ann. Statist. 3, 1975); the milder verdict counts, so neither a light nor a heavy tail gives false rarities. The frame
is that of Siffer et al., "Anomaly detection in streams with extreme value theory", KDD 2017, with means for its fit.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

QUANTILE: Final = 0.95
MEMORY: Final = 1_000.0
"""Distances remembered, and so 50 excesses."""
WARM_UP: Final = 100
_LEAST_STEP: Final = 0.003
_OUTLIER: Final = 10.0
_LEAST_SHAPE: Final = 0.01
_MOST_LOG: Final = 3.0
_FEW: Final = 3
_TINY: Final = 1e-300


class Tail:
    """The upper tail of one non-negative number of each point; 48 bytes a point."""

    def __init__(self, points: int) -> None:
        self._rows, self._size, self._quantile = (np.zeros(points) for _ in range(3))
        self._excesses, self._excess, self._log = (np.zeros(points) for _ in range(3))

    def step(self, distance: Floats, usable: NDArray[np.bool_], floor: Floats) -> Floats:
        """-log10 of the probability of such a distance or a larger one; then learn it.

        Args:
            distance: float64[p], >= 0.
            usable: bool[p], which of them exist.
            floor: float64[p], a distance below which there is only rounding.

        Returns:
            float64[p]; 0 below the quantile and while warming up.
        """
        distance = np.where(usable, distance, 0.0)
        floor = np.maximum(floor + 1e-3 * self._size, _TINY)
        excess = distance - self._quantile
        above = usable & (excess > 0)
        log = np.log(np.maximum(distance, floor) / np.maximum(self._quantile, floor))
        scaled = np.minimum(excess / np.maximum(self._excess, floor), log / np.maximum(self._log, _LEAST_SHAPE))
        rarity = np.where(above & (self._rows >= WARM_UP), (scaled / np.log(10.0)) - np.log10(1.0 - QUANTILE), 0.0)
        self._learn(distance, usable, above, excess, log, floor)
        return rarity

    def _learn(
        self,
        distance: Floats,
        usable: NDArray[np.bool_],
        above: NDArray[np.bool_],
        excess: Floats,
        log: Floats,
        floor: Floats,
    ) -> None:
        self._rows += usable
        rows = np.maximum(self._rows, 1.0)
        self._size += np.where(usable, np.maximum(1.0 / MEMORY, 1.0 / rows) * (distance - self._size), 0.0)
        self._excesses += above
        gain = np.maximum(1.0 / (MEMORY * (1.0 - QUANTILE)), 1.0 / np.maximum(self._excesses, 1.0))
        capped = np.minimum(excess, _OUTLIER * np.maximum(self._excess, floor))
        capped = np.where(self._excesses <= _FEW, excess, capped)
        self._excess += np.where(above, gain * (capped - self._excess), 0.0)
        self._log += np.where(above, gain * (np.minimum(log, _MOST_LOG) - self._log), 0.0)
        step = self._size * np.maximum(rows**-0.7, _LEAST_STEP)
        moved = self._quantile + step * np.where(above, QUANTILE, QUANTILE - 1.0)
        self._quantile = np.maximum(np.where(usable, moved, self._quantile), 0.0)
