"""What a store refused for good, as it lies in the journal's quarantine: one reading or event a row, in JSON.

The same reading always gives the same bytes, so the quarantine holds it once however often a turn is repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from ingest.history.series import series_of
from ingest.journal.journal import HISTORY_REJECTED
from ingest.journal.records import Quarantined
from ingest.model.alarm import AlarmEvent
from ingest.model.batch import Batch
from ingest.model.warning import WarningEvent
from ingest.plants.roster import Roster
from ingest.state.warning_rows import warning_event_of, warning_event_row

READINGS: Final = "history/readings"
ALARMS: Final = "history/alarms"
WARNINGS: Final = "history/warnings"
"""Topics of the three."""


class RefusedReading(msgspec.Struct, frozen=True):
    """A reading with the names of its point, for people, and its permanent index, to be written again."""

    plant: str
    point: str
    signal: str
    index: int
    time: int
    value: float | None
    flags: int
    received: int


def readings_aside(batch: Batch, roster: Roster, refused: Sequence[tuple[int, str]]) -> list[Quarantined]:
    """The readings at these places of the batch, each with the store's reason."""
    return [_reading_aside(batch, roster, at, reason) for at, reason in refused]


def alarms_aside(events: Sequence[AlarmEvent], refused: Sequence[tuple[int, str]]) -> list[Quarantined]:
    """The alarm events at these places, each with the store's reason."""
    return [
        Quarantined(0, events[at].received, ALARMS, HISTORY_REJECTED, reason, 0, msgspec.json.encode(events[at]))
        for at, reason in refused
    ]


def warnings_aside(events: Sequence[WarningEvent], refused: Sequence[tuple[int, str]]) -> list[Quarantined]:
    """The warning events at these places, each with the store's reason."""
    return [
        Quarantined(0, events[at].time, WARNINGS, HISTORY_REJECTED, reason, 0, _as_row(events[at]))
        for at, reason in refused
    ]


def readings_again(items: Sequence[Quarantined]) -> Batch:
    """The readings put aside, in that order. Raises ValueError for one that is none."""
    found = [msgspec.json.decode(item.payload, type=RefusedReading) for item in items]
    return Batch(
        np.array([one.index for one in found], np.int32),
        np.array([one.time for one in found], np.int64),
        np.array([np.nan if one.value is None else one.value for one in found], np.float64),
        np.array([one.flags for one in found], np.uint16),
        np.array([one.received for one in found], np.int64),
    )


def alarms_again(items: Sequence[Quarantined]) -> list[AlarmEvent]:
    """The alarm events put aside, in that order. Raises ValueError for one that is none."""
    return [msgspec.json.decode(item.payload, type=AlarmEvent) for item in items]


def warnings_again(items: Sequence[Quarantined]) -> list[WarningEvent]:
    """The warning events put aside, in that order. Raises ValueError for one that is none."""
    try:
        return [warning_event_of(msgspec.json.decode(item.payload)) for item in items]
    except (KeyError, TypeError) as error:
        raise ValueError(f"no warning event: {error}") from error


def _as_row(event: WarningEvent) -> bytes:
    return msgspec.json.encode({"seq": event.seq, **warning_event_row(event)})


def _reading_aside(batch: Batch, roster: Roster, at: int, reason: str) -> Quarantined:
    index, value, received = int(batch.point[at]), float(batch.value[at]), int(batch.received[at])
    series = series_of(roster, index)
    reading = RefusedReading(
        series.plant,
        series.point,
        series.signal,
        index,
        int(batch.time[at]),
        value if np.isfinite(value) else None,
        int(batch.flags[at]),
        received,
    )
    return Quarantined(0, received, READINGS, HISTORY_REJECTED, reason, 1, msgspec.json.encode(reading))
