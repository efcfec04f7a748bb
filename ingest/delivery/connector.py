"""The protocol every connector implements: deliver messages and report an outcome for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ingest.base.backoff import RetrySchedule
from ingest.domain.model.outbox import Message


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one delivery attempt for one message: delivered, rejected for good, or to be retried.

    Attributes:
        error: None = delivered. A `Failure` is said in both languages; a plain text stays as it is.
        retry_after_s: as the receiver requested (Retry-After).
        rejected: the receiver takes this very message never, and says so: it becomes a dead letter.
        partly: some of its recipients have it, so the receiver does take messages.
    """

    seq: int
    error: str | None = None
    retry_after_s: float | None = None
    rejected: bool = False
    partly: bool = False


class Connector(Protocol):
    """A destination. Its `name` is its key in the outbox."""

    name: str
    batch: int  # most messages handed to one `deliver`; they are of one kind and plant

    async def deliver(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Try each message once; one outcome each. Network and HTTP errors become outcomes, never exceptions."""

    async def close(self) -> None:
        """Close all connections."""


class Scheduled(Connector, Protocol):
    """A connector that also sets its retry schedule and how many deliveries may run at once.

    Attributes:
        schedule: delays between retries.
        in_flight: most deliveries at once.
    """

    schedule: RetrySchedule
    in_flight: int
