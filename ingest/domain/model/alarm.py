"""Alarms (报警), one per point, rule and occurrence, and their events. Early warnings (预警) are another record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Literal
from uuid import UUID, uuid5

from ingest.domain.model.audit import ActRole
from ingest.domain.model.bypass import RegisteredBypass
from ingest.domain.model.contribution import Contribution
from ingest.domain.model.plant import PhaseName, rule_key
from ingest.domain.model.text import Text

_ALARMS = UUID("5f1b6c1e-7d0e-5b7e-9f1a-9a3a0d5c2e11")


class AlarmState(StrEnum):
    """States of an alarm (ISA-18.2 / IEC 62682); the letter is the one of its state diagram."""

    NORMAL = "normal"  # A
    UNACKNOWLEDGED = "unacknowledged"  # B
    ACKNOWLEDGED = "acknowledged"  # C
    RETURNED = "returned-unacknowledged"  # D
    LATCHED_UNACKNOWLEDGED = "latched-unacknowledged"  # E: the condition is gone, the alarm stays until it is reset
    LATCHED_ACKNOWLEDGED = "latched-acknowledged"  # F
    SHELVED = "shelved"  # G: hidden by an operator, for a limited time
    SUPPRESSED = "suppressed"  # H: hidden by the plant's design
    OUT_OF_SERVICE = "out-of-service"  # I: 停用
    NOT_EVALUATED = "not-evaluated"  # none of the diagram's: nobody can tell whether the condition holds
    REMOVED = "removed"  # nor this: removed from configuration while the condition held; its end is unknown


class AlarmEventKind(StrEnum):
    """The kinds of event in an alarm's lifecycle."""

    RAISED = "raised"
    RETURNED = "returned"
    ACKNOWLEDGED = "acknowledged"
    LATCHED = "latched"  # the condition is gone, and its rule latches
    RESET = "reset"
    SHELVED = "shelved"
    UNSHELVED = "unshelved"
    SUPPRESSED = "suppressed"
    UNSUPPRESSED = "unsuppressed"
    REMOVED_FROM_SERVICE = "removed-from-service"
    RETURNED_TO_SERVICE = "returned-to-service"
    UNEVALUATED = "unevaluated"
    EVALUATED = "evaluated"
    COMMENTED = "commented"
    ASSIGNED = "assigned"
    DISPOSED = "disposed"  # feedback was given: cause, measure, evidence
    CLEARED = "cleared"  # 销警: the value is back and feedback was given
    REMOVED = "removed"  # its rule, point or plant is no longer configured
    BYPASS_REGISTERED = "bypass-registered"  # the interlock's bypass is registered and allowed: level 1 meanwhile
    BYPASS_UNREGISTERED = "bypass-unregistered"  # it no longer is, and the interlock is still bypassed: calls again
    RECORDED = "recorded"  # over when it became known, from readings that came late: nobody has to acknowledge it


OVER: Final = frozenset({AlarmState.NORMAL, AlarmState.REMOVED})
"""States in which an alarm is over: seen to return, or removed from configuration."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm in its present state. Times are ns since the epoch, UTC.

    Attributes:
        value: at the newest raise; None where there is none (silence).
        onset, raised: when the condition first began, and when its on-delay had elapsed.
        annunciated, raises: when it was last raised, and how often: one that recurs soon is the same alarm.
        returned: when the condition was seen to end; None while it holds, and always for one that was removed.
        disposed: when feedback was last given.
        cleared: when both were true, value back and feedback given (销警).
        historical: found in late readings: it was never active.
        phase: the phase its equipment was in at the newest raise; None: the equipment has no phases.
        contributions: of a rule that judges a group of points as one, or several aspects of one point, those that
            contributed most to the newest raise.
        bypass: of an interlock that is bypassed, its registration; while that is in force, `level` is 1.
    """

    id: UUID
    plant: str
    point: str
    rule: str
    level: Literal[1, 2]
    state: AlarmState
    title: Text
    value: float | None
    limit: float
    unit: str
    onset: int
    raised: int
    annunciated: int
    raises: int = 0
    returned: int | None = None
    acked: int | None = None
    acked_by: str | None = None
    comment: str | None = None
    assigned: str | None = None
    disposed: int | None = None
    cleared: int | None = None
    historical: bool = False
    phase: PhaseName | None = None
    contributions: tuple[Contribution, ...] = ()
    bypass: RegisteredBypass | None = None

    @property
    def severity(self) -> Literal[1, 2]:
        """Its level by its rule: a registration spares a call, and makes nothing less dangerous."""
        return self.level if self.bypass is None else 2

    @property
    def rule_key(self) -> str:
        """The key of its rule in the state of detectors and excursions."""
        return rule_key(self.plant, self.point, self.rule)

    @property
    def active(self) -> bool:
        """Whether the condition still holds, as far as is known."""
        return self.returned is None and self.state is not AlarmState.REMOVED


@dataclass(frozen=True, slots=True)
class AlarmEvent:
    """One transition of an alarm, with the alarm's state right after it.

    Attributes:
        seq: position in the state database's event log; 0 before it is committed.
        received: when the frame (or command) that caused it reached the service.
        by, role: who did it; None: the service itself.
        detail: comment, reason and the like, JSON-ready.
    """

    seq: int
    id: UUID
    kind: AlarmEventKind
    time: int
    received: int
    alarm: Alarm
    by: str | None = None
    role: ActRole | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


def alarm_id(plant: str, point: str, rule: str, onset: int) -> UUID:
    """Return the alarm's id: the same condition always gives the same id, so a replay cannot duplicate an alarm."""
    return uuid5(_ALARMS, f"{plant}/{point}/{rule}/{onset}")


def historical_id(plant: str, point: str, rule: str, onset: int) -> UUID:
    """Return the id of a historical alarm, from the onset it was first reported with; never equal to a live alarm's."""
    return uuid5(_ALARMS, f"{plant}/{point}/{rule}/{onset}/historical")


def event_id(alarm: UUID, kind: AlarmEventKind, time: int, author: str = "") -> UUID:
    """Return the event's reproducible id; `author` (who, and with what words) separates two events of one moment."""
    return uuid5(alarm, f"{kind}/{time}{author}")


@dataclass(frozen=True, slots=True)
class AlarmFilter:
    """Selects alarms; None = any. Times are ns since the epoch on `raised`."""

    plants: frozenset[str] | None = None
    states: frozenset[AlarmState] | None = None
    level: int | None = None
    point: str | None = None
    since: int | None = None
    until: int | None = None
    historical: bool | None = None
    cleared: bool | None = None  # 销警 or not yet
    assigned: str | None = None
