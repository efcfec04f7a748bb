"""What can happen to a call, beside that time passes. Times are ns since the epoch, UTC."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from ingest.domain.model.call import Receipt


@dataclass(frozen=True, slots=True)
class ReceiptArrived:
    """A channel reports on an attempt; `detail` in its own words."""

    time: int
    attempt: UUID
    receipt: Receipt
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """Somebody answers; `way`: `console`, `api`, or what was acknowledged: `warning`, `alarm`."""

    time: int
    by: str
    way: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A person who is rung cannot come; `by` says so."""

    time: int
    person: str
    by: str


@dataclass(frozen=True, slots=True)
class UnderWay:
    """Somebody goes there, which is an answer too."""

    time: int
    by: str
    way: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody is there."""

    time: int
    by: str
    way: str


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Nobody needs to be called any more: what it was for is over, or a graver call takes its place."""

    time: int
    reason: str


Happening = ReceiptArrived | Answer | Refusal | UnderWay | Arrival | Withdrawal
