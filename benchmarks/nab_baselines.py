"""Detectors to be better than: NAB's Windowed Gaussian, limits at three sigma, and an alarm that always stands."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WINDOW: Final = 6_400
STEP: Final = 100
"""As tuned by NAB's authors for their corpus."""
_LEAST_SIGMA: Final = 1e-6
_SIGMAS: Final = 3.0


def windowed_gaussian(value: Floats) -> Floats:
    """One minus the normal tail beyond each value (float64[n]), by mean and deviation of a window moved in steps."""
    rows = np.arange(len(value))
    moved = np.maximum(rows - WINDOW, 0) // STEP * STEP
    last = np.where(rows <= WINDOW, rows, moved + WINDOW)
    shifted = value - value[:1]
    sums = np.append(0.0, np.cumsum(shifted))
    squares = np.append(0.0, np.cumsum(shifted**2))
    count = np.maximum(last - moved, 1)
    mean = (sums[last] - sums[moved]) / count
    sigma = np.sqrt(np.maximum((squares[last] - squares[moved]) / count - mean**2, 0.0))
    distance = np.abs(shifted - mean) / np.where(sigma == 0.0, _LEAST_SIGMA, sigma)
    tail = [0.5 * math.erfc(value / math.sqrt(2.0)) for value in distance.tolist()]
    scores: Floats = 1.0 - np.array(tail, np.float64)
    scores[:1] = 0.0
    return scores


def plain_limit(value: Floats, learnt: int) -> Floats:
    """1 outside mean ± 3 sigma of the first `learnt` rows, else 0 (float64[n])."""
    past = value[:learnt] if learnt else value[:1]
    outside: NDArray[np.bool_] = np.abs(value - past.mean()) > _SIGMAS * past.std()
    return outside.astype(np.float64)


def always_alarm(value: Floats) -> Floats:
    """1 throughout (float64[n])."""
    return np.ones(len(value))
