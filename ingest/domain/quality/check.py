"""Flags readings by their value alone: a sentinel, outside the instrument's range, a loop current of a failure."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.domain.model.batch import Batch
from ingest.domain.model.flags import Flag
from ingest.domain.quality.sentinels import SentinelTable

_FAILED_LOW: Final = 0.4 / 16
_FAILED_HIGH: Final = 1 / 16
"""Shares of span below and above it, for a loop current of 3.6 and 21 mA: from there on a transmitter signals failure;
3.8 to 20.5 mA are measurements (NAMUR NE 43)."""

_UNSURE: Final = 1e-6
"""What single precision cannot tell, as a share of span."""


def check_quality(
    batch: Batch,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    loop: NDArray[np.bool_] | None = None,
    sentinels: SentinelTable | None = None,
) -> Batch:
    """Flag sentinels, values outside the instrument's range, and those by which a 4-20 mA loop signals failure.

    A sentinel is no value, so it is not outside of anything. Nearly all lie beyond the range of their instrument: a
    batch that is within its ranges is not searched for them.

    Args:
        batch: readings as journaled.
        low: float64[n], low end of the instrument's range of each reading; NaN = not known.
        high: float64[n], its high end.
        loop: bool[p + 1], whether a point's range stands for 4-20 mA, the last entry for all points numbered later;
            None: nowhere.
        sentinels: those of all points; None: there are none.
    """
    outside = (batch.value < low) | (batch.value > high)
    if sentinels is not None and np.count_nonzero(odd := outside | sentinels.inside.take(batch.point, mode="clip")):
        marks = np.zeros(len(batch), np.uint16)
        marks[odd] = sentinels.marks(batch.point[odd], batch.value[odd])
        outside &= marks == 0
        batch = batch.with_flags(batch.flags | marks)
    if not np.count_nonzero(outside):
        return batch
    flags = batch.flags | np.where(outside, np.uint16(Flag.OUT_OF_RANGE), np.uint16(0))
    if loop is not None:
        at = np.flatnonzero(outside)
        at = at[loop.take(batch.point[at], mode="clip")]
        span, value = high[at] - low[at], batch.value[at]
        failed = (value <= low[at] - (_FAILED_LOW - _UNSURE) * span) | (
            value >= high[at] + (_FAILED_HIGH - _UNSURE) * span
        )
        flags[at[failed]] |= np.uint16(Flag.FAILURE)
    return batch.with_flags(flags)
