"""Events of the history writer and the history stores."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.base.telemetry import Event


@dataclass(frozen=True, slots=True)
class HistoryWritten(Event, level="debug", amount="readings"):
    """Readings kept by the history store."""

    readings: int
    entry: int


@dataclass(frozen=True, slots=True)
class HistoryDelayed(Event, level="warning"):
    """The history store did not take data; the same data follow after a wait."""

    reason: str
    failures: int
    delay_s: float


@dataclass(frozen=True, slots=True)
class HistoryReadingRejected(Event, level="error", amount="readings"):
    """The history store refused readings; they are in quarantine. One line a cause and minute, with the first."""

    readings: int
    plant: str
    point: str
    time: int
    value: float
    reason: str


@dataclass(frozen=True, slots=True)
class HistoryAlarmEventRejected(Event, level="error", amount="events"):
    """The history store refused alarm events; they are in quarantine. One line a cause and minute, with the first."""

    events: int
    seq: int
    plant: str
    point: str
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class HistoryWarningEventRejected(Event, level="error", amount="events"):
    """The history store refused warning events; they are in quarantine. One line a cause and minute, with the first."""

    events: int
    seq: int
    plant: str
    reason: str


@dataclass(frozen=True, slots=True)
class HistoryItemsExpired(Event, labels=("what",), amount="items"):
    """Readings or events are older than the history keeps, so it did not keep them: no fault. One line a minute.

    Attributes:
        what: what they were: readings, alarm events, warning events, alarm metrics or phases.
        items: how many.
    """

    what: str
    items: int


@dataclass(frozen=True, slots=True)
class HistoryTakesAgain(Event, amount="rows"):
    """The history store took a sample of what it had refused: so much in quarantine is written again."""

    rows: int


@dataclass(frozen=True, slots=True)
class HistoryWrittenAgain(Event, amount="written"):
    """Readings and alarm events that had been refused were tried again."""

    written: int
    refused: int


@dataclass(frozen=True, slots=True)
class HistoryDayDropped(Event, amount="readings", labels=("cause",)):
    """The oldest day of readings was deleted from the history; its rollups by minute and hour stay.

    Attributes:
        day: the last day dropped, and all before it; in UTC.
        readings: how many.
        cause: age or room.
    """

    day: str
    readings: int
    cause: str


@dataclass(frozen=True, slots=True)
class HistoryRollupsDropped(Event, amount="rollups"):
    """The oldest day of rollups was deleted from the history: of the last day dropped and all before it, in UTC."""

    day: str
    rollups: int


@dataclass(frozen=True, slots=True)
class HistoryOverSize(Event, level="warning"):
    """The history is larger than it may be, and has no whole day left to drop: give it more room.

    Attributes:
        mb, most_mb: how large it is and may be, in MB.
    """

    mb: int
    most_mb: int


@dataclass(frozen=True, slots=True)
class HistoryUpkeepDelayed(Event, level="warning"):
    """Readings could not be rolled up, or old ones not be dropped; it is tried again. Trends are right, but slower."""

    reason: str
