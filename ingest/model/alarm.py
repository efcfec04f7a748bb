"""Alarm (报警): one point or device, one rule, one life. An early warning (预警) is another record."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal
from uuid import UUID, uuid5

from ingest.model.plant import Text, rule_key

_ALARMS = UUID("5f1b6c1e-7d0e-5b7e-9f1a-9a3a0d5c2e11")


class AlarmState(StrEnum):
    """ISA-18.2 states of an alarm."""

    NORMAL = "normal"
    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED = "returned-unacknowledged"


class AlarmEventKind(StrEnum):
    """What happened to an alarm."""

    RAISED = "raised"
    RETURNED = "returned"
    ACKNOWLEDGED = "acknowledged"
    RECORDED = "recorded"  # over when it became known, from readings that came late: nobody has to acknowledge it


@dataclass(frozen=True, slots=True)
class Alarm:
    """The alarm as it stands. Times are ns since the epoch, UTC."""

    id: UUID
    plant: str
    point: str
    rule: str
    level: Literal[1, 2]
    state: AlarmState
    title: Text
    value: float | None  # at raise; None where there is none (silence)
    limit: float
    unit: str
    onset: int  # when the condition began
    raised: int  # when the on-delay was over
    returned: int | None = None
    acked: int | None = None
    acked_by: str | None = None
    comment: str | None = None
    historical: bool = False  # found in readings that came late: it never stood

    @property
    def rule_key(self) -> str:
        """What names its rule in the memory of detectors and excursions."""
        return rule_key(self.plant, self.point, self.rule)

    @property
    def active(self) -> bool:
        """Whether the condition still holds."""
        return self.state in {AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED}


@dataclass(frozen=True, slots=True)
class AlarmEvent:
    """One step in an alarm's life, with the alarm as it stood right after it."""

    seq: int  # position in the state database's event log; 0 before it is committed
    id: UUID
    kind: AlarmEventKind
    time: int
    received: int  # when the frame (or command) that caused it reached the service
    alarm: Alarm


def alarm_id(plant: str, point: str, rule: str, onset: int) -> UUID:
    """The alarm's id: the same condition always gives the same id, so replay cannot double an alarm."""
    return uuid5(_ALARMS, f"{plant}/{point}/{rule}/{onset}")


def historical_id(plant: str, point: str, rule: str, onset: int) -> UUID:
    """The id of a historical alarm, by the onset it was first told with; never that of a live one."""
    return uuid5(_ALARMS, f"{plant}/{point}/{rule}/{onset}/historical")


def event_id(alarm: UUID, kind: AlarmEventKind, time: int) -> UUID:
    """The event's id, equally reproducible."""
    return uuid5(alarm, f"{kind}/{time}")


@dataclass(frozen=True, slots=True)
class AlarmFilter:
    """Which alarms. None = any. Times are ns since the epoch on `raised`."""

    plants: frozenset[str] | None = None
    states: frozenset[AlarmState] | None = None
    level: int | None = None
    point: str | None = None
    since: int | None = None
    until: int | None = None
    historical: bool | None = None
