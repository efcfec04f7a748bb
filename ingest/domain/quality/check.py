"""Flags readings by their value alone: outside the instrument's range."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ingest.domain.model.batch import Batch
from ingest.domain.model.flags import Flag


def check_quality(batch: Batch, low: NDArray[np.float64], high: NDArray[np.float64]) -> Batch:
    """Flag values outside the instrument's range.

    Args:
        batch: readings as journaled.
        low: float64[n], low end of the instrument's range of each reading; NaN = not known.
        high: float64[n], its high end.
    """
    outside = (batch.value < low) | (batch.value > high)
    if not np.count_nonzero(outside):
        return batch
    return batch.with_flags(batch.flags | np.where(outside, np.uint16(Flag.OUT_OF_RANGE), np.uint16(0)))
