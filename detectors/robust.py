"""Robust statistics of short rows, ignoring NaN: medians that outliers do not move."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def median(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The median of each row of float64[m, n], NaN left out; NaN where all is NaN.

    >>> median(np.array([[3.0, np.nan, 1.0], [np.nan, np.nan, np.nan], [1.0, 5.0, 2.0]])).tolist()
    [2.0, nan, 2.0]
    """
    ranked = np.sort(values, axis=1)  # NaN last
    many = np.count_nonzero(~np.isnan(values), axis=1)
    rows = np.arange(len(values))
    upper, lower = np.minimum(many // 2, values.shape[1] - 1), np.maximum((many - 1) // 2, 0)
    return np.asarray((ranked[rows, lower] + ranked[rows, upper]) / 2, np.float64)
