"""Quality flags of a reading: bits of one uint16, added along the way and never taken back."""

from __future__ import annotations

from enum import IntFlag
from typing import Final

import numpy as np


class Flag(IntFlag):
    """What is known against a reading. No bit set: good."""

    UNCERTAIN = 1  # the gateway says: uncertain
    BAD = 2  # the gateway says: bad
    NO_VALUE = 4  # the gateway sent null
    OUT_OF_RANGE = 8  # outside the instrument's range: an instrument fault, yet still judged against limits
    CLOCK = 16  # the device's clock was wrong: judged and kept under a corrected time
    LATE = 32  # device time not after the newest reading of the same point
    HISTORICAL = 64  # the gateway says: recorded earlier, read out now
    CLIPPED = 128  # in VictoriaMetrics only: the value was larger than it can keep beside others


UNUSABLE = Flag.BAD | Flag.NO_VALUE
"""A value that must not be judged as a measurement."""

NOT_LIVE: Final = np.uint16(Flag.LATE | Flag.HISTORICAL)
"""Readings that tell of the past: they are kept, and looked at for excursions, but move nothing that is live."""
