"""The outbox as its readers and its keeper both see it: messages that must leave, and tries to deliver them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

MessageKind = Literal["alarm", "warning", "readings"]


@dataclass(frozen=True, slots=True)
class Message:
    """One outbox row. Times are ns since the epoch, UTC.

    Attributes:
        seq: place in the outbox; messages of one connector are offered in this order. 0 before it is committed.
        connector: who delivers it.
        id: the same over every retry; receivers deduplicate by it.
        body: JSON-ready. Kind "alarm": see `ingest.alarms.report.alarm_body`; kind "readings": `readings_body`; kind
            "warning": `ingest.warnings.report.warning_body`.
        received: when the frame that caused it reached the service.
        attempts: deliveries tried so far.
    """

    seq: int
    connector: str
    id: UUID
    kind: MessageKind
    plant: str
    body: Mapping[str, Any]
    received: int
    created: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of one message. Times are ns since the epoch, UTC.

    Attributes:
        started: when the try began; the first one of a message is kept as its `first_attempt`.
        delivered: when the receiver had accepted it, or None.
        next_attempt: when it is tried again; without meaning once delivered.
        error: why it was not delivered, or None.
    """

    seq: int
    started: int
    delivered: int | None
    next_attempt: int
    error: str | None
