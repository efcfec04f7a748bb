"""The seam every connector fills: take due outbox messages, deliver them, say what became of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ingest.domain.model.outbox import Message


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one message: delivered, or to be tried again (never silently given up)."""

    seq: int
    error: str | None = None  # None = delivered
    retry_after_s: float | None = None  # the receiver's own wish (Retry-After)


class Connector(Protocol):
    """A destination. Its `name` is its key in the outbox."""

    name: str
    batch: int  # most messages handed to one `deliver`; they are of one kind and plant

    async def deliver(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Try each message once; one outcome each. Network and HTTP errors become outcomes, never exceptions."""

    async def close(self) -> None:
        """Let go of connections."""
