"""What the engine reports of itself, as typed events."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.base.telemetry import Event


@dataclass(frozen=True, slots=True)
class AlarmLost(Event, level="error"):
    """The record of an alarm that stood is lost: it is raised anew with the next reading that calls for it."""

    rule: str


@dataclass(frozen=True, slots=True)
class EngineStarted(Event):
    """The engine knows again what it knew."""

    cursor: int
    replayed_entries: int
    open_alarms: int


@dataclass(frozen=True, slots=True)
class SnapshotLost(Event, level="error"):
    """The engine's snapshot is not as it was written: what it knew is learnt anew from all that the journal keeps."""

    cursor: int
    error: str


@dataclass(frozen=True, slots=True)
class TurnTaken(Event, level="debug", amount="readings"):
    """Readings judged and committed."""

    readings: int
    cursor: int
    duration_s: float


@dataclass(frozen=True, slots=True)
class ReadingsUnenrolled(Event, level="warning", amount="readings"):
    """Readings of points that have been removed from their plant file: journaled, not judged."""

    readings: int


@dataclass(frozen=True, slots=True)
class ClockStepped(Event, level="warning"):
    """The service's clock was set; watches and delays that follow it were moved along."""

    step_s: float
