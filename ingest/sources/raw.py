"""What a source hands over: a message as it came, and the way to tell its sender that it may be forgotten."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Raw:
    """A message as it came.

    Attributes:
        received: ns since the epoch, UTC.
        acknowledge: tells the broker that it may forget the message; to be called once it is on disk, in order.
    """

    topic: str
    payload: bytes
    received: int
    acknowledge: Callable[[], None]
