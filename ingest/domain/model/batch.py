"""Readings as a structure of arrays, the form in which every stage after decoding handles them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Readings in the order of their evaluation; all columns have length n.

    Attributes:
        point: int32[n], index into the configuration.
        time: int64[n], device time, ns since the epoch, UTC.
        value: float64[n], engineering units, NaN = no value.
        flags: uint16[n], bits of `Flag`.
        received: int64[n], when the service received it, ns since the epoch, UTC.
    """

    point: NDArray[np.int32]
    time: NDArray[np.int64]
    value: NDArray[np.float64]
    flags: NDArray[np.uint16]
    received: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.point)

    def columns(self) -> tuple[NDArray[np.generic], ...]:
        """Return all columns in the order of their declaration."""
        return self.point, self.time, self.value, self.flags, self.received

    def take(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> Batch:
        """Return the readings selected by a mask or by indices, in that order."""
        return Batch(self.point[which], self.time[which], self.value[which], self.flags[which], self.received[which])

    def with_flags(self, flags: NDArray[np.uint16]) -> Batch:
        """Return the same readings with other flags."""
        return Batch(self.point, self.time, self.value, flags, self.received)


_EMPTY: Final = Batch(
    np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0), np.empty(0, np.uint16), np.empty(0, np.int64)
)


def empty_batch() -> Batch:
    """Return a batch of no readings."""
    return _EMPTY


def concat(batches: Sequence[Batch]) -> Batch:
    """Return all readings of several batches, in order."""
    if not batches:
        return empty_batch()
    if len(batches) == 1:
        return batches[0]
    return Batch(
        np.concatenate([b.point for b in batches]),
        np.concatenate([b.time for b in batches]),
        np.concatenate([b.value for b in batches]),
        np.concatenate([b.flags for b in batches]),
        np.concatenate([b.received for b in batches]),
    )
