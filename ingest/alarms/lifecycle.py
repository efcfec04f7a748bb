"""The life of an alarm: one table of transitions, and the pure step that follows it (ISA-18.2 / IEC 62682 states)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from uuid import uuid5

from ingest.model.alarm import Alarm, AlarmEvent, AlarmEventKind, AlarmState, event_id

TRANSITIONS: Final[dict[tuple[AlarmState, AlarmEventKind], AlarmState | None]] = {
    (AlarmState.NORMAL, AlarmEventKind.RAISED): AlarmState.UNACKNOWLEDGED,
    (AlarmState.NORMAL, AlarmEventKind.RETURNED): None,
    (AlarmState.NORMAL, AlarmEventKind.ACKNOWLEDGED): None,
    (AlarmState.UNACKNOWLEDGED, AlarmEventKind.RAISED): None,
    (AlarmState.UNACKNOWLEDGED, AlarmEventKind.RETURNED): AlarmState.RETURNED,
    (AlarmState.UNACKNOWLEDGED, AlarmEventKind.ACKNOWLEDGED): AlarmState.ACKNOWLEDGED,
    (AlarmState.ACKNOWLEDGED, AlarmEventKind.RAISED): None,
    (AlarmState.ACKNOWLEDGED, AlarmEventKind.RETURNED): AlarmState.NORMAL,
    (AlarmState.ACKNOWLEDGED, AlarmEventKind.ACKNOWLEDGED): None,
    (AlarmState.RETURNED, AlarmEventKind.RAISED): AlarmState.UNACKNOWLEDGED,
    (AlarmState.RETURNED, AlarmEventKind.RETURNED): None,
    (AlarmState.RETURNED, AlarmEventKind.ACKNOWLEDGED): AlarmState.NORMAL,
    (AlarmState.NORMAL, AlarmEventKind.RECORDED): AlarmState.NORMAL,
    (AlarmState.UNACKNOWLEDGED, AlarmEventKind.RECORDED): None,
    (AlarmState.ACKNOWLEDGED, AlarmEventKind.RECORDED): None,
    (AlarmState.RETURNED, AlarmEventKind.RECORDED): None,
}
"""(state, event) -> next state; None = the event means nothing in that state."""


def raised(alarm: Alarm, *, time: int, received: int, value: float | None) -> AlarmEvent | None:
    """The condition holds. A fresh alarm comes in state NORMAL; None if it stands already."""
    return _step(replace(alarm, value=value, returned=None), AlarmEventKind.RAISED, time, received)


def returned(alarm: Alarm, *, time: int, received: int, comment: str | None = None) -> AlarmEvent | None:
    """The condition is gone; None if it was gone already."""
    changed = replace(alarm, returned=time, comment=comment or alarm.comment)
    return _step(changed, AlarmEventKind.RETURNED, time, received)


def acknowledged(alarm: Alarm, *, time: int, by: str, comment: str | None) -> AlarmEvent | None:
    """Somebody has seen it; None if it needs no acknowledgement."""
    changed = replace(alarm, acked=time, acked_by=by, comment=comment or alarm.comment)
    return _step(changed, AlarmEventKind.ACKNOWLEDGED, time, time)


def recorded(alarm: Alarm, *, received: int) -> AlarmEvent | None:
    """A historical alarm as it is known now, again each time it proves longer; None for one that ever stood."""
    if not alarm.historical or TRANSITIONS[alarm.state, AlarmEventKind.RECORDED] is None or alarm.returned is None:
        return None
    name = uuid5(alarm.id, f"{AlarmEventKind.RECORDED}/{alarm.onset}/{alarm.returned}")
    return AlarmEvent(0, name, AlarmEventKind.RECORDED, alarm.returned, received, alarm)


def _step(alarm: Alarm, kind: AlarmEventKind, time: int, received: int) -> AlarmEvent | None:
    state = TRANSITIONS[alarm.state, kind]
    if state is None:
        return None
    return AlarmEvent(0, event_id(alarm.id, kind, time), kind, time, received, replace(alarm, state=state))
