"""Quality flags of a reading: bits of one uint16, only ever added."""

from __future__ import annotations

from enum import IntFlag
from typing import Final

import numpy as np


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
    FAILURE = 256  # the instrument signals its own failure (NAMUR NE 107; NE 43: by its current): no measurement
    NOT_CONNECTED = 512  # no instrument is connected to the channel, as a sentinel reading says: no measurement


UNUSABLE = Flag.BAD | Flag.NO_VALUE | Flag.FAILURE
"""A value that must not be evaluated as a measurement."""

NOT_LIVE: Final = np.uint16(Flag.LATE | Flag.HISTORICAL)
"""Readings of the past: stored, and searched for excursions, but they change nothing that is live."""
