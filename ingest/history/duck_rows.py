"""Events and operator positions' figures as rows of the DuckDB file. Pure."""

from __future__ import annotations

from typing import Any, Final

from ingest.alarms.slot import AlarmSlot
from ingest.history.line_protocol import rank
from ingest.model.alarm import AlarmEvent
from ingest.model.warning import WarningEvent

_SLOT: Final = (
    "raised", "level_1", "level_2", "hidden", "flood_s", "standing_1", "standing_2", "unacknowledged", "stale",
    "chattering",
)  # fmt: skip


def slot_row(slot: AlarmSlot) -> tuple[Any, ...]:
    """A row of `alarm_metrics`."""
    numbers = slot.numbers()
    return (slot.position, slot.end, *(numbers.get(name) for name in _SLOT))


def warning_row(event: WarningEvent) -> tuple[Any, ...]:
    """A row of `warnings`."""
    one = event.warning
    return (
        event.id,
        event.time,
        one.plant,
        str(event.kind),
        one.id,
        str(one.colour) if one.colour else None,
        rank(one.colour),
        str(one.peak),
        str(one.state),
        str(one.step),
        str(one.asking) if one.asking else None,
        one.risk,
    )


def alarm_row(event: AlarmEvent) -> tuple[Any, ...]:
    """A row of `alarms`."""
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
    )
