"""Turns alarms, and points out of service or under function check, into the facts that warnings stand on (pure)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final

from ingest.domain.model.alarm import OVER, Alarm, AlarmState
from ingest.domain.model.equipment_state import EquipmentState
from ingest.domain.model.plant import GATEWAY_SIGNAL, Point, Rule
from ingest.domain.model.suppression import Suppression, SuppressionKind, SuppressionState
from ingest.domain.model.warning import Fact, Trait

_LOST: Final = frozenset({"silence", "bad", "current"})
"""Kinds of rule whose alarm means that the device delivers no value."""

_LATCHED: Final = frozenset({AlarmState.LATCHED_UNACKNOWLEDGED, AlarmState.LATCHED_ACKNOWLEDGED})
_SILENCED: Final = OVER | {AlarmState.OUT_OF_SERVICE}


def counts(alarm: Alarm) -> bool:
    """Whether an alarm is a fact: its condition holds, or it is latched, and its point is in service.

    Shelving and suppression by design hide it from operators, but it remains a fact.
    """
    if alarm.historical or alarm.state in _SILENCED:
        return False
    return alarm.active or alarm.state in _LATCHED


def alarm_fact(
    alarm: Alarm,
    point: Point | None,
    rule: Rule | None,
    *,
    since: int,
    state: EquipmentState,
    bypass_signals: Collection[str],
) -> Fact:
    """Return an alarm as a fact, from its point and rule as configured now; None: removed.

    A registered bypass is as grave as one that is not.

    `state`: that of its equipment; `since`: when the service learnt of it, ns.
    """
    lost = (rule is not None and rule.kind in _LOST) or (point is not None and point.signal == GATEWAY_SIGNAL)
    signal, interlock = (point.signal, point.interlock) if point else ("", False)
    marks = {
        Trait.LEVEL_1: alarm.severity == 1,
        Trait.LEVEL_2: alarm.severity == 2,
        Trait.RED: rule is not None and rule.red,
        Trait.UNACKNOWLEDGED: alarm.acked is None,
        Trait.FORECAST: rule is not None and rule.kind == "forecast",
        Trait.LOST: lost,
        Trait.BYPASS: (interlock or signal in bypass_signals) and alarm.severity == 2 and not lost,
    }
    return Fact(
        alarm=alarm.id,
        point=alarm.point,
        rule=alarm.rule,
        signal=signal,
        equipment=point.equipment if point else None,
        level=alarm.severity,
        traits=_traits(marks) | _of_point(point, state),
        since=since,
        value=alarm.value,
        limit=alarm.limit,
        unit=alarm.unit,
        phase=state.called,
    )


_UNWATCHED: Final[Mapping[SuppressionKind, Trait]] = {
    SuppressionKind.OUT_OF_SERVICE: Trait.OUT_OF_SERVICE,
    SuppressionKind.FUNCTION_CHECK: Trait.FUNCTION_CHECK,
}
"""Kinds under which nothing watches the process at a point."""


def service_key(suppression: Suppression) -> str:
    """Return the key of the fact that a point is not in service because of this suppression."""
    traits = _UNWATCHED.get(suppression.kind, Trait(0))
    return Fact(None, suppression.point, "", "", None, 0, traits, 0).key if traits else ""


def service_fact(suppression: Suppression, point: Point | None, state: EquipmentState) -> Fact | None:
    """Return a point that is not in service as a fact, from the beginning on; None: it is in service now."""
    in_force = suppression.state is SuppressionState.IN_FORCE
    if point is None or not in_force or suppression.kind not in _UNWATCHED:
        return None
    traits = _UNWATCHED[suppression.kind] | _of_point(point, state)
    begins = suppression.begins
    return Fact(None, point.id, "", point.signal, point.equipment, 0, traits, begins, phase=state.called)


def in_state(fact: Fact, state: EquipmentState) -> Fact:
    """Return a fact in another state of its equipment."""
    traits = fact.traits & ~(Trait.IN_PRODUCTION | Trait.CRITICAL_PHASE) | _of_state(state)
    return replace(fact, traits=traits, phase=state.called)


def _of_point(point: Point | None, state: EquipmentState) -> Trait:
    return _traits({Trait.MANDATORY: point is not None and point.mandatory}) | _of_state(state)


def _of_state(state: EquipmentState) -> Trait:
    return _traits({Trait.IN_PRODUCTION: state.in_production, Trait.CRITICAL_PHASE: state.critical})


def _traits(marks: dict[Trait, bool]) -> Trait:
    return Trait(sum(int(trait) for trait, is_so in marks.items() if is_so))
