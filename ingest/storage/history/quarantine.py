"""What a store refused for good, as it lies in the journal's quarantine, in JSON: an event a row, or many readings.

Readings refused for one cause lie together: a field that has another type in the store refuses each one of a plant. The
same turn gives the same bytes, so the quarantine holds them once however often it is repeated; of a turn that grew
meanwhile some may lie there twice, and take their own place when they are written again.
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
"""Readings a row at most."""

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


def readings_aside(
    batch: Batch, configuration: PlantConfiguration, refused: Sequence[tuple[int, str]]
) -> list[Quarantined]:
    """The readings at these places of the batch, those of one cause together, with the store's reason."""
    return [
        _packed([_refused(batch, configuration, at) for at, _ in pack], pack[0][1])
        for of_one in by_cause(refused).values()
        for pack in _in_packs(of_one)
    ]


def by_cause(refused: Sequence[tuple[int, str]]) -> dict[str, list[tuple[int, str]]]:
    """What was refused, by cause: reasons that differ only in numbers tell of one."""
    found: dict[str, list[tuple[int, str]]] = {}
    for at, reason in refused:
        found.setdefault(_NUMBER.sub("#", reason), []).append((at, reason))
    return found


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
    packs = [msgspec.json.decode(item.payload, type=list[RefusedReading] | RefusedReading) for item in items]
    found = [one for pack in packs for one in (pack if isinstance(pack, list) else [pack])]  # one alone: before packs
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
