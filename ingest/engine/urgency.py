"""What of alarms and warnings is sent before what (pure)."""

from __future__ import annotations

from typing import Final

from ingest.domain.model.alarm import AlarmEvent, AlarmEventKind
from ingest.domain.model.outbox import Urgency
from ingest.domain.model.warning import Colour, WarningEvent, WarningEventKind

_RISES: Final = frozenset(
    {
        WarningEventKind.RAISED,
        WarningEventKind.REOPENED,
        WarningEventKind.COLOUR_CHANGED,
        WarningEventKind.ESCALATED,
    }
)
"""Steps by which somebody new has to act, or somebody has to act anew."""


def of_alarm(event: AlarmEvent) -> Urgency:
    """A raise comes before what else happens, an alarm of level 2 and one that is new before others."""
    if event.kind is not AlarmEventKind.RAISED:
        return Urgency.ROUTINE
    grave, new = event.alarm.level == 2, event.alarm.raises == 1
    return Urgency.FIRST if grave and new else Urgency.URGENT if grave or new else Urgency.ROUTINE


def of_warning(event: WarningEvent) -> Urgency:
    """A warning that rises comes before what else happens, a grave one before others."""
    if event.kind not in _RISES:
        return Urgency.ROUTINE
    colour = event.warning.colour
    return Urgency.FIRST if colour is not None and colour >= Colour.ORANGE else Urgency.URGENT
