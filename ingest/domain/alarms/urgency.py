"""The orders in which alarms are listed: newest first, or the outstanding ones by urgency."""

from __future__ import annotations

from enum import StrEnum
from typing import Final
from uuid import UUID

from ingest.domain.alarms.lifecycle import OUTSTANDING, UNSEEN
from ingest.domain.model.alarm import Alarm

_CLASS: Final = 10**15  # more than any time in ms that will be met
_MS: Final = 10**6


class Order(StrEnum):
    """How a list of alarms is sorted: by descending place, equal ones by the alarm's id."""

    RAISED = "raised"  # the newest raised first
    URGENCY = "urgency"  # outstanding ones only: unacknowledged, then level 2, then the newest annunciated


def urgency(alarm: Alarm) -> int | None:
    """Return the urgency of an outstanding alarm, None for any other.

    Class and time (ms) are one number, so that a page is read from one index whatever precedes it.
    """
    if alarm.state not in OUTSTANDING:
        return None
    grade = 2 * (alarm.state in UNSEEN) + (alarm.level == 2)
    return grade * _CLASS + alarm.annunciated // _MS


def place(alarm: Alarm, order: Order) -> tuple[int, UUID]:
    """Return an alarm's sort key in that order."""
    return (alarm.raised if order is Order.RAISED else urgency(alarm) or 0), alarm.id


def is_place(value: int, order: Order) -> bool:
    """Whether that number can be the first part of a sort key of that order, and not of the other."""
    return (0 <= value < 4 * _CLASS) == (order is Order.URGENCY)
