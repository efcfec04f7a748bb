"""Quality flags of a reading: bits of one uint16, only ever added."""

from __future__ import annotations

from enum import IntFlag
from typing import Final, overload

import numpy as np
from numpy.typing import NDArray


class Flag(IntFlag):
    """What limits the use of a reading. No bit set: good."""

    UNCERTAIN = 1  # the gateway says: uncertain
    BAD = 2  # the gateway says: bad
    NO_VALUE = 4  # the gateway sent null
    OUT_OF_RANGE = 8  # outside the instrument's range: an instrument fault, but still evaluated against limits
    CLOCK = 16  # the device's clock was wrong: evaluated and stored under a corrected time
    LATE = 32  # device time not after the newest reading of the same point
    HISTORICAL = 64  # the gateway says: recorded earlier, read out now
    CLIPPED = 128  # in VictoriaMetrics only: the value was larger than it can keep beside others
    FAILURE = 256  # the instrument signals its own failure (NE 107; by its loop current: NE 43): no measurement
    NOT_CONNECTED = 512  # no instrument is connected to the channel: no measurement
    FUNCTION_CHECK = 1024  # the instrument is tested (NE 107), as with calibration gas: no measurement of the process
    OUT_OF_SPECIFICATION = 2048  # the instrument works outside of what it is made for (NE 107): evaluated, uncertain
    MAINTENANCE = 4096  # the instrument asks for maintenance (NE 107): evaluated
    CHECK_OVERDUE = 8192  # with FUNCTION_CHECK: it has lasted for too long, and the reading is evaluated again
    STATUS_UNKNOWN = 16384  # a status contact of the instrument is silent, bad or was never heard: evaluated


UNUSABLE = Flag.BAD | Flag.NO_VALUE | Flag.FAILURE
"""A value that is no measurement."""

CHECKED = Flag.FUNCTION_CHECK | Flag.CHECK_OVERDUE
"""Both: a function check that has lasted for too long; the first alone: one that may last."""


@overload
def unusable(flags: int) -> bool: ...
@overload
def unusable(flags: NDArray[np.uint16]) -> NDArray[np.bool_]: ...
def unusable(flags: int | NDArray[np.uint16]) -> bool | NDArray[np.bool_]:
    """Whether a value must not be evaluated as a measurement of the process, by its flags (one, or uint16[n])."""
    return ((flags & UNUSABLE) != 0) | ((flags & CHECKED) == Flag.FUNCTION_CHECK)


NOT_LIVE: Final = np.uint16(Flag.LATE | Flag.HISTORICAL)
"""Readings of the past: stored, and searched for excursions, but they change nothing that is live."""
