"""What a source hands over: a message as it came, and what its sender must be told once it may be forgotten."""

from __future__ import annotations

import msgspec


class Raw(msgspec.Struct, frozen=True, gc=False):
    """A message as it came.

    Attributes:
        received: ns since the epoch, UTC.
        set_by: ns by which the service's clock had been set by then since the start.
        packet, connection: what the source needs to acknowledge it.
        retained: the broker had kept it, and told it because the service subscribed: it says nothing of now.
        whole: bytes of the payload as it was sent, where only its beginning was kept; 0: all of it is here.
        unread: beyond its sender's share: its payload was dropped, and all it wants is its acknowledgement.
    """

    topic: str
    payload: bytes
    received: int
    set_by: int = 0
    packet: int = 0
    connection: int = 0
    retained: bool = False
    unread: bool = False
    whole: int = 0
