"""A message as a source received it, with what is needed to acknowledge it."""

from __future__ import annotations

import msgspec


class Raw(msgspec.Struct, frozen=True, gc=False):
    """A message as it was received.

    Attributes:
        received: ns since the epoch, UTC.
        set_by: ns by which the service's clock had been set by then since the start.
        packet, connection: what the source needs to acknowledge it.
        retained: the broker sent it because the service subscribed, so it says nothing of the present.
        whole: bytes of the payload as sent, where only its beginning was kept; 0: the payload is complete.
        unread: beyond its sender's share: the payload was dropped, and it is only acknowledged.
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
