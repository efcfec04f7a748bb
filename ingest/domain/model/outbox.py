"""The outbox's records: messages to deliver, and attempts to deliver them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Literal
from uuid import UUID

from ingest.domain.model.delivery_failure import Failure

MessageKind = Literal["alarm", "warning", "notice", "readings", "call"]

Ending = Literal["rejected", "withdrawn"]
"""How a message ceased to wait although nobody had accepted it: its receiver rejected it for good (it is a dead letter
until a person resends or drops it), or there is nothing to tell any more."""


class Urgency(IntEnum):
    """The order of sending, the most urgent first."""

    FIRST = 0  # an alarm of the highest level, or a grave warning, that nobody has heard of yet
    URGENT = 1  # another raise or rise
    ROUTINE = 2  # what else becomes of alarms and warnings
    BULK = 3  # readings, notices


@dataclass(frozen=True, slots=True)
class Waiting:
    """An undelivered message without its body.

    Attributes:
        subject: what it is about; messages of one subject are delivered in the order of `seq`. None: in any order.
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
        connector: the connector that delivers it.
        id: the same over every retry; receivers deduplicate by it.
        body: JSON-ready: for kind "warning" `ingest.domain.warnings.report.warning_body`, for "alarm" and "readings"
            `alarm_body` and `readings_body` of `ingest.domain.alarms.report`, for "notice" `notice_body` of
            `ingest.domain.cases.notice_report`, for "call" `call_body` of `ingest.domain.calls.report`.
        received: when the frame that caused it reached the service.
        attempts: delivery attempts so far.
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
class LaneState:
    """How a receiver answers: whether it counts as down, failures in a row since, and why the newest try failed."""

    down: bool
    failures: int
    error: Failure


@dataclass(frozen=True, slots=True)
class Attempt:
    """One delivery attempt of one message. Times are ns since the epoch, UTC.

    Attributes:
        started: when the attempt began; that of the first is stored as the message's `first_attempt`.
        delivered: when the receiver had accepted it, or None.
        error: why it was not delivered, or None.
        rejected: when its receiver rejected it for good, or None: it is a dead letter from then on.
    """

    seq: int
    started: int
    delivered: int | None
    error: str | None
    rejected: int | None = None
