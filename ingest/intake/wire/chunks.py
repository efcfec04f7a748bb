"""Cuts announcements to the packet size that the broker accepts, so that they stay true; pure."""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

from ingest.intake.wire.frame import Committed, encode_committed

UNSTATED: Final = 1 << 16
"""Bytes of a packet assumed to be accepted where the broker states no limit (MQTT 3.1.1 cannot)."""

_OVERHEAD: Final = 1 + 4 + 2 + 1
"""Of a publish at QoS 0: head, length, length of the topic, and no properties (MQTT 5, 3.3)."""


def room(packet: int, topic: str) -> int:
    """Bytes of payload in a packet of that size, to that topic."""
    return packet - _OVERHEAD - len(topic.encode())


def fitting(committed: Committed, most: int) -> Committed | None:
    """As much of a message as fits into `most` bytes, oldest gaps first; None if nothing true is that short.

    It ends before the first gap that finds no room, and so does its `seq`: every frame up to `seq` is on disk but those
    in `missing`. The rest follows once some of these have come.

    >>> fitting(Committed("b", 9, [(2, 3), (5, 5), (7, 8)]), 45)
    Committed(boot='b', seq=6, missing=[(2, 3), (5, 5)])
    """
    if len(encode_committed(committed)) <= most:
        return committed
    missing = committed.missing
    fit = bisect_right(range(len(missing)), most, key=lambda gaps: len(encode_committed(_first(committed, gaps))))
    return _first(committed, fit - 1) if fit else None


def _first(committed: Committed, gaps: int) -> Committed:
    """The message with only its first `gaps` gaps, fewer than it has."""
    return Committed(committed.boot, committed.missing[gaps][0] - 1, committed.missing[:gaps])
