"""Ranks messages of alarms and warnings by urgency (pure)."""

from __future__ import annotations

from typing import Final

from ingest.domain.alarms.lifecycle import CALLS
from ingest.domain.model.alarm import AlarmEvent
from ingest.domain.model.outbox import Urgency
from ingest.domain.model.warning import Colour, WarningEvent, WarningEventKind

_CALLS_FOR_ACTION: Final = frozenset(
    {
        WarningEventKind.RAISED,
        WarningEventKind.REOPENED,
        WarningEventKind.COLOUR_CHANGED,
        WarningEventKind.ESCALATED,
    }
)
"""Events after which somebody has to act, for the first time or again."""


def of_alarm(event: AlarmEvent) -> Urgency:
    """A raise comes before other events, an alarm of level 2 or a new one before others."""
    if event.kind not in CALLS:
        return Urgency.ROUTINE
    grave, new = event.alarm.level == 2, event.alarm.raises == 1
    return Urgency.FIRST if grave and new else Urgency.URGENT if grave or new else Urgency.ROUTINE


def of_warning(event: WarningEvent) -> Urgency:
    """An event that calls for action comes before others, orange and red before the rest."""
    if event.kind not in _CALLS_FOR_ACTION:
        return Urgency.ROUTINE
    colour = event.warning.colour
    return Urgency.FIRST if colour is not None and colour >= Colour.ORANGE else Urgency.URGENT
