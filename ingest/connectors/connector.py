"""The seam every connector fills: take due outbox messages, deliver them, say what became of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from uuid import UUID

MessageKind = Literal["alarm", "readings"]


@dataclass(frozen=True, slots=True)
class Message:
    """One outbox row.

    Attributes:
        seq: place in the outbox; messages of one connector are offered in this order.
        id: the same over every retry; receivers deduplicate by it.
        body: JSON-ready. Kind "alarm": see `ingest.alarms.report.alarm_body`; kind "readings": `readings_body`.
        attempts: deliveries tried before this one.
    """

    seq: int
    id: UUID
    kind: MessageKind
    plant: str
    body: Mapping[str, Any]
    created: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one message: delivered, or to be tried again (never silently given up)."""

    seq: int
    error: str | None = None  # None = delivered
    retry_after_s: float | None = None  # the receiver's own wish (Retry-After)


class Connector(Protocol):
    """A destination. Its `name` is its key in the outbox."""

    name: str
    kinds: frozenset[MessageKind]
    batch: int  # most messages handed to one `deliver`

    async def deliver(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Try each message once; one outcome each. Network and HTTP errors become outcomes, never exceptions."""

    async def close(self) -> None:
        """Let go of connections."""
