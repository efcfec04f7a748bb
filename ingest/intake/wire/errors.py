"""Errors of the wire formats.

Rejected   do not retry: the payload will never be readable; `reason` is countable, `detail` is for people
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why a message was put into quarantine."""

    TOPIC = "topic"
    TOO_LARGE = "too-large"
    NOT_READABLE = "not-readable"  # neither JSON nor MessagePack
    SCHEMA = "schema"
    DUPLICATE_KEY = "duplicate-key"
    COLUMN_LENGTH = "column-length"
    TIME_NOT_INCREASING = "time-not-increasing"
    NOT_FINITE = "not-finite"
    UNKNOWN_GATEWAY = "unknown-gateway"
    UNKNOWN_POINT = "unknown-point"
    BOOT_REUSED = "boot-reused"  # another frame of the same gateway, boot and number is on disk
    DAMAGED = "damaged"  # readings staged in the journal that are not as they were written


class Rejected(Exception):
    """A payload that cannot be taken.

    Attributes:
        readings: how many it holds, as far as they could be counted.
        identity: boot and sequence number of the frame, if known.
    """

    def __init__(
        self, reason: Reason, detail: str, *, readings: int = 0, identity: tuple[str, int] | None = None
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.readings = readings
        self.identity = identity
