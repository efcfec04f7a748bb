"""Quality that can be judged from the reading alone: range, and a clock that runs ahead."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ingest.model.batch import Batch
from ingest.model.flags import Flag


def check_quality(batch: Batch, low: NDArray[np.float64], high: NDArray[np.float64], tolerance: int) -> Batch:
    """Flag values outside the instrument's range, and readings stamped in the future.

    A reading stamped more than `tolerance` after its arrival takes its arrival time instead (in order, a nanosecond
    apart): a gateway whose clock runs ahead must not keep its readings from being judged.

    Args:
        batch: readings as journaled.
        low: float64[n], low end of the instrument's range of each reading; NaN = not known.
        high: float64[n], its high end.
        tolerance: ns.
    """
    outside = (batch.value < low) | (batch.value > high)
    future = batch.time > batch.received + tolerance
    flags = batch.flags | np.where(outside, np.uint16(Flag.OUT_OF_RANGE), np.uint16(0))
    flags |= np.where(future, np.uint16(Flag.FUTURE), np.uint16(0))
    time = np.where(future, batch.received + np.arange(len(batch)), batch.time)
    return Batch(batch.point, time, batch.value, flags.astype(np.uint16), batch.received)
