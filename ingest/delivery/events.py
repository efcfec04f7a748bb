"""What becomes of deliveries: events of the log, each a counter."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.base.telemetry import Event


@dataclass(frozen=True, slots=True)
class MessagesDelivered(Event, level="debug", labels=("connector",), amount="messages"):
    """Messages accepted by their receiver."""

    connector: str
    messages: int


@dataclass(frozen=True, slots=True)
class DeliveryFailed(Event, level="warning", labels=("connector",), amount="messages"):
    """Tries that failed and will be repeated."""

    connector: str
    messages: int
    retry_in_s: float
    error: str


@dataclass(frozen=True, slots=True)
class MessageRejected(Event, level="error", labels=("connector",)):
    """A message that its receiver rejects for good: a dead letter until a person resends or drops it."""

    connector: str
    seq: int
    error: str


@dataclass(frozen=True, slots=True)
class MessagesUnreadable(Event, level="error", labels=("connector",), amount="messages"):
    """Messages whose rows are damaged: not sent, and kept in the outbox; tried again by the next start."""

    connector: str
    messages: int
    first_seq: int


@dataclass(frozen=True, slots=True)
class DeliveryOverdue(Event, level="error", labels=("connector",)):
    """A receiver failed or refused a message so often in a row that a person must find out why."""

    connector: str
    failures: int
    oldest_s: float
    error: str


@dataclass(frozen=True, slots=True)
class OutboxUnavailable(Event, level="error", labels=("connector", "operation")):
    """The outbox could not be read or written; asked again until it can."""

    connector: str
    operation: str
    error: str


@dataclass(frozen=True, slots=True)
class EventNotChosen(Event, level="debug", labels=("connector",), amount="messages"):
    """Messages whose event the settings of their receiver leave out: passed over, and kept here as ever."""

    connector: str
    messages: int
