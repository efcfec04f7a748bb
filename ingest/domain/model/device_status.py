"""The status of an instrument (NAMUR NE 107), from the flags of its newest reading."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from ingest.domain.model.flags import Flag


class DeviceStatus(StrEnum):
    """What an instrument's reading is worth, by the terms of NE 107."""

    GOOD = "good"
    UNKNOWN = "unknown"  # judged as if good, but a contact that would say otherwise cannot be read
    MAINTENANCE_REQUIRED = "maintenance-required"  # measures, and soon will not
    OUT_OF_SPECIFICATION = "out-of-specification"  # measures outside of what it is made for: judged, and uncertain
    FUNCTION_CHECK = "function-check"  # shows a test, not the process
    FAILURE = "failure"  # measures nothing


_SIGNS: Final = (
    (Flag.FUNCTION_CHECK, DeviceStatus.FUNCTION_CHECK),
    (Flag.BAD | Flag.NO_VALUE | Flag.FAILURE, DeviceStatus.FAILURE),
    (Flag.UNCERTAIN | Flag.OUT_OF_SPECIFICATION | Flag.OUT_OF_RANGE, DeviceStatus.OUT_OF_SPECIFICATION),
    (Flag.MAINTENANCE, DeviceStatus.MAINTENANCE_REQUIRED),
    (Flag.STATUS_UNKNOWN, DeviceStatus.UNKNOWN),
)
"""The first whose flags a reading bears. A check comes before a failure: that an instrument is tested explains both."""

STATUS_FLAGS: Final[Mapping[DeviceStatus, Flag]] = {
    DeviceStatus.FAILURE: Flag.BAD | Flag.FAILURE,
    DeviceStatus.FUNCTION_CHECK: Flag.FUNCTION_CHECK,
    DeviceStatus.OUT_OF_SPECIFICATION: Flag.UNCERTAIN | Flag.OUT_OF_SPECIFICATION,
    DeviceStatus.MAINTENANCE_REQUIRED: Flag.MAINTENANCE,
}
"""What a reading is flagged with whose instrument says so of itself, the gravest first."""


def device_status(flags: int) -> DeviceStatus:
    """Return the status that a reading with these flags shows.

    >>> device_status(0), device_status(int(Flag.FUNCTION_CHECK | Flag.OUT_OF_RANGE))
    (<DeviceStatus.GOOD: 'good'>, <DeviceStatus.FUNCTION_CHECK: 'function-check'>)
    """
    return next((status for signs, status in _SIGNS if flags & signs), DeviceStatus.GOOD)
