"""Encodes what a store refused for the journal's quarantine, as JSON, and decodes it for a retry.

Readings refused for one cause share rows: a field of another type in the store refuses every reading of a plant. The
same cycle gives the same bytes, so the quarantine holds them once however often it is repeated; of a cycle that grew
meanwhile some may be there twice, and overwrite each other in a retry.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
import numpy as np

from ingest.domain.model.alarm import AlarmEvent
from ingest.domain.model.batch import Batch
from ingest.domain.model.warning import WarningEvent
from ingest.plants.configuration import PlantConfiguration
from ingest.storage.history.series import series_of
from ingest.storage.journal.journal import HISTORY_REJECTED
from ingest.storage.journal.records import Quarantined
from ingest.storage.state.warning_rows import warning_event_of, warning_event_row

_NUMBER: Final = re.compile(r"\d+")

PACK: Final = 1_000
"""Most readings in a row."""

READINGS: Final = "history/readings"
ALARMS: Final = "history/alarms"
WARNINGS: Final = "history/warnings"
"""The topics of the three kinds in quarantine."""


class RefusedReading(msgspec.Struct, frozen=True):
    """A reading with the names of its point, for people, and its permanent index, for a retry."""

    plant: str
    point: str
    signal: str
    index: int
    time: int
    value: float | None
    flags: int
    received: int


def encode_readings(
    batch: Batch, configuration: PlantConfiguration, refused: Sequence[tuple[int, str]]
) -> list[Quarantined]:
    """Encode the readings at these indices of the batch, those of one cause together, with the store's reason."""
    return [
        _packed([_refused(batch, configuration, at) for at, _ in pack], pack[0][1])
        for items in by_cause(refused).values()
        for pack in _in_packs(items)
    ]


def by_cause(refused: Sequence[tuple[int, str]]) -> dict[str, list[tuple[int, str]]]:
    """Group refused items by cause: reasons that differ only in numbers have one cause."""
    found: dict[str, list[tuple[int, str]]] = {}
    for at, reason in refused:
        found.setdefault(_NUMBER.sub("#", reason), []).append((at, reason))
    return found


def encode_alarms(events: Sequence[AlarmEvent], refused: Sequence[tuple[int, str]]) -> list[Quarantined]:
    """Encode the alarm events at these indices, each with the store's reason."""
    return [
        Quarantined(0, events[at].received, ALARMS, HISTORY_REJECTED, reason, 0, msgspec.json.encode(events[at]))
        for at, reason in refused
    ]


def encode_warnings(events: Sequence[WarningEvent], refused: Sequence[tuple[int, str]]) -> list[Quarantined]:
    """Encode the warning events at these indices, each with the store's reason."""
    return [
        Quarantined(0, events[at].time, WARNINGS, HISTORY_REJECTED, reason, 0, _as_row(events[at]))
        for at, reason in refused
    ]


def decode_readings(items: Sequence[Quarantined]) -> Batch:
    """Decode quarantined readings, in order. Raises ValueError if an item is malformed."""
    packs = [msgspec.json.decode(item.payload, type=list[RefusedReading] | RefusedReading) for item in items]
    found = [each for pack in packs for each in (pack if isinstance(pack, list) else [pack])]  # single: an old format
    return Batch(
        np.array([reading.index for reading in found], np.int32),
        np.array([reading.time for reading in found], np.int64),
        np.array([np.nan if reading.value is None else reading.value for reading in found], np.float64),
        np.array([reading.flags for reading in found], np.uint16),
        np.array([reading.received for reading in found], np.int64),
    )


def decode_alarms(items: Sequence[Quarantined]) -> list[AlarmEvent]:
    """Decode quarantined alarm events, in order. Raises ValueError if an item is malformed."""
    return [msgspec.json.decode(item.payload, type=AlarmEvent) for item in items]


def decode_warnings(items: Sequence[Quarantined]) -> list[WarningEvent]:
    """Decode quarantined warning events, in order. Raises ValueError if an item is malformed."""
    try:
        return [warning_event_of(msgspec.json.decode(item.payload)) for item in items]
    except (KeyError, TypeError) as error:
        raise ValueError(f"no warning event: {error}") from error


def _as_row(event: WarningEvent) -> bytes:
    return msgspec.json.encode({"seq": event.seq, **warning_event_row(event)})


def _in_packs(refused: Sequence[tuple[int, str]]) -> Iterator[Sequence[tuple[int, str]]]:
    return (refused[start : start + PACK] for start in range(0, len(refused), PACK))


def _packed(readings: Sequence[RefusedReading], reason: str) -> Quarantined:
    payload = msgspec.json.encode(readings)
    return Quarantined(0, readings[0].received, READINGS, HISTORY_REJECTED, reason, len(readings), payload)


def _refused(batch: Batch, configuration: PlantConfiguration, at: int) -> RefusedReading:
    index, value = int(batch.point[at]), float(batch.value[at])
    series = series_of(configuration, index)
    return RefusedReading(
        series.plant,
        series.point,
        series.signal,
        index,
        int(batch.time[at]),
        value if np.isfinite(value) else None,
        int(batch.flags[at]),
        int(batch.received[at]),
    )
