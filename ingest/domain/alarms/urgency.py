"""The order in which alarms are listed: the newest first, or those that stand by how much they need somebody."""

from __future__ import annotations

from enum import StrEnum
from typing import Final
from uuid import UUID

from ingest.domain.alarms.lifecycle import STANDING, UNSEEN
from ingest.domain.model.alarm import Alarm

_CLASS: Final = 10**15  # more than any time in ms that will be met
_MS: Final = 10**6


class Order(StrEnum):
    """How a list of alarms is sorted; the greatest place comes first, and an alarm's id tells equal ones apart."""

    RAISED = "raised"  # the newest raised first
    URGENCY = "urgency"  # standing ones alone: unacknowledged, then level 2, then the newest annunciated


def urgency(alarm: Alarm) -> int | None:
    """How much a standing alarm needs somebody, None for one that does not stand.

    One number for class and time (ms), so that a page is read off one index whatever lies before it.
    """
    if alarm.state not in STANDING:
        return None
    grade = 2 * (alarm.state in UNSEEN) + (alarm.level == 2)
    return grade * _CLASS + alarm.annunciated // _MS


def place(alarm: Alarm, order: Order) -> tuple[int, UUID]:
    """Where an alarm is in a list of that order."""
    return (alarm.raised if order is Order.RAISED else urgency(alarm) or 0), alarm.id


def is_place(value: int, order: Order) -> bool:
    """Whether that number can be the first half of a place in a list of that order, and not of the other."""
    return (0 <= value < 4 * _CLASS) == (order is Order.URGENCY)
