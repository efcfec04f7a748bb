"""The outbox as its readers and its keeper both see it: messages that must leave, and tries to deliver them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Literal
from uuid import UUID

MessageKind = Literal["alarm", "warning", "readings"]


class Urgency(IntEnum):
    """What is sent before what, the most urgent first."""

    FIRST = 0  # an alarm of the highest level, or a grave warning, that nobody has heard of yet
    URGENT = 1  # another raise or rise
    ROUTINE = 2  # what else becomes of alarms and warnings
    BULK = 3  # readings


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that is not delivered, without its body.

    Attributes:
        subject: what it is about; messages of one subject are delivered in the order of `seq`. None: it stands alone.
    """

    seq: int
    kind: MessageKind
    plant: str
    subject: str | None
    urgency: Urgency


@dataclass(frozen=True, slots=True)
class Message:
    """One outbox row. Times are ns since the epoch, UTC.

    Attributes:
        seq: place in the outbox. 0 before it is committed.
        connector: who delivers it.
        id: the same over every retry; receivers deduplicate by it.
        body: JSON-ready: for kind "warning" `ingest.domain.warnings.report.warning_body`, for "alarm" and "readings"
            `alarm_body` and `readings_body` of `ingest.domain.alarms.report`.
        received: when the frame that caused it reached the service.
        attempts: deliveries tried so far.
        urgency: see `Urgency`.
        subject: what it is about, see `Waiting`.
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
    urgency: Urgency = Urgency.ROUTINE
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of one message. Times are ns since the epoch, UTC.

    Attributes:
        started: when the try began; the first one of a message is kept as its `first_attempt`.
        delivered: when the receiver had accepted it, or None.
        error: why it was not delivered, or None.
    """

    seq: int
    started: int
    delivered: int | None
    error: str | None
