"""Sentinel readings: numbers by which a gateway reports a channel's state instead of a measurement (pure).

A data logger has no quality code for "this channel is spare" or "its loop has failed", so it sends a number that no
instrument shows (found: 7777 and 9988). Such a reading is a quality and never a value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.domain.model.display_value import SINGLE
from ingest.domain.model.flags import Flag
from ingest.domain.model.plant import Point, Sentinels

FLAGS: Final[Mapping[str, Flag]] = {
    "not_connected": Flag.BAD | Flag.NOT_CONNECTED,
    "failure": Flag.BAD | Flag.FAILURE,
}
"""What a reading equal to a sentinel is flagged with, by the list it is in."""


@dataclass(frozen=True, slots=True, eq=False)
class SentinelTable:
    """The sentinels of all points. `kind` 0: a point that has none.

    Attributes:
        kind: int32[p + 1], which row of `flags` is the point's; the last entry stands for all points numbered later.
        inside: bool[p + 1], whether a sentinel of the point lies within its instrument's range.
        low, high: float64[k], ends of the values that count as a sentinel, increasing; the first is none.
        flags: uint16[kinds, k], what each of them means to points of that kind; 0 = a measurement.
    """

    kind: NDArray[np.int32]
    inside: NDArray[np.bool_]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    flags: NDArray[np.uint16]

    def marks(self, point: NDArray[np.int32], value: NDArray[np.float64]) -> NDArray[np.uint16]:
        """Return the flags of these readings (uint16[n]); 0: no sentinel. NaN is none."""
        at = self.low.searchsorted(value, side="right") - 1
        found: NDArray[np.uint16] = self.flags[self.kind.take(point, mode="clip"), at]
        return np.where(value <= self.high[at], found, np.uint16(0))


def sentinel_table(points: Sequence[Point | None]) -> SentinelTable | None:
    """Compile the sentinels of points (by index); None if no point has any."""
    kinds: dict[Sentinels, int] = {}
    kind, inside = np.zeros(len(points) + 1, np.int32), np.zeros(len(points) + 1, bool)
    for index, point in enumerate(points):
        if point is not None and point.sentinels is not None:
            kind[index] = kinds.setdefault(point.sentinels, len(kinds) + 1)
            inside[index] = any(not (value < point.low or value > point.high) for value in point.sentinels.values())
    if not kinds:
        return None
    values = sorted({value for sentinels in kinds for value in sentinels.values()})
    flags = np.zeros((len(kinds) + 1, len(values) + 1), np.uint16)
    for sentinels, row in kinds.items():
        for name, flag in FLAGS.items():
            flags[row, [1 + values.index(value) for value in getattr(sentinels, name)]] = flag
    middle = np.array([-np.inf, *values])
    unsure = SINGLE * np.abs(np.where(np.isfinite(middle), middle, 0.0))
    return SentinelTable(kind, inside, middle - unsure, middle + unsure, flags)
