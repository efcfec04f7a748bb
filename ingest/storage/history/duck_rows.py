"""Converts events and metrics of operator positions to rows of the DuckDB file. Pure."""

from __future__ import annotations

from typing import Any, Final

from ingest.domain.alarms.slot import AlarmSlot
from ingest.domain.model.alarm import AlarmEvent
from ingest.domain.model.phase_record import PhaseRecord
from ingest.domain.model.warning import WarningEvent
from ingest.storage.history.line_protocol import rank

_SLOT: Final = (
    "raised", "level_1", "level_2", "hidden", "flood_s", "standing_1", "standing_2", "unacknowledged", "stale",
    "chattering",
)  # fmt: skip


def slot_row(slot: AlarmSlot) -> tuple[Any, ...]:
    """The slot as a row of `alarm_metrics`."""
    numbers = slot.numbers()
    return (slot.position, slot.end, *(numbers.get(name) for name in _SLOT))


def phase_row(record: PhaseRecord) -> tuple[Any, ...]:
    """The record as a row of `phases`."""
    return record.plant, record.equipment, record.time, record.phase, record.number


def warning_row(event: WarningEvent) -> tuple[Any, ...]:
    """The event as a row of `warnings`."""
    warning = event.warning
    return (
        event.id,
        event.time,
        warning.plant,
        str(event.kind),
        warning.id,
        str(warning.colour) if warning.colour else None,
        rank(warning.colour),
        str(warning.peak),
        str(warning.state),
        str(warning.step),
        str(warning.asking) if warning.asking else None,
        warning.risk,
    )


def alarm_row(event: AlarmEvent) -> tuple[Any, ...]:
    """The event as a row of `alarms`."""
    alarm = event.alarm
    return (
        event.id,
        event.time,
        alarm.plant,
        alarm.point,
        alarm.rule,
        alarm.level,
        str(event.kind),
        alarm.id,
        str(alarm.state),
        alarm.title.zh,
        alarm.title.en,
        alarm.unit,
        alarm.limit,
        alarm.value,
        alarm.phase.code if alarm.phase else None,
    )
