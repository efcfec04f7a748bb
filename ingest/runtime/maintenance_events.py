"""The events of maintenance."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.base.telemetry import Event


@dataclass(frozen=True, slots=True)
class JournalTrimmed(Event, amount="entries"):
    """Old entries that every reader has passed were deleted."""

    entries: int


@dataclass(frozen=True, slots=True)
class QuarantineTrimmed(Event, level="warning", amount="messages"):
    """Messages that lay in quarantine for longer than they are kept were deleted."""

    messages: int


@dataclass(frozen=True, slots=True)
class OutboxTrimmed(Event, labels=("what",), amount="messages"):
    """Messages delivered long ago lost their bodies, or were deleted."""

    what: str
    messages: int


@dataclass(frozen=True, slots=True)
class EventsTrimmed(Event, labels=("log",), amount="events"):
    """Events of alarms long over, or changes of reasons of warnings long closed, were deleted; the records stay."""

    log: str
    events: int


@dataclass(frozen=True, slots=True)
class AnnunciationsPacked(Event, amount="annunciations"):
    """Annunciations that cannot change any more were laid together, where long spans are read fast."""

    annunciations: int


@dataclass(frozen=True, slots=True)
class TrimPutOff(Event, level="warning"):
    """A database did not let old entries be deleted, or laid together; tried again later."""

    error: str


@dataclass(frozen=True, slots=True)
class OutboxOrphaned(Event, level="warning"):
    """Messages wait for a connector that the settings no longer name; they are kept until it comes back."""

    connector: str
    messages: int
