"""Applies alarm transitions in the engine, with everything that follows from them at once."""

from __future__ import annotations

from ingest.domain.alarms.lifecycle import Cause, consequences
from ingest.domain.model.alarm import Alarm, AlarmEvent
from ingest.domain.model.audit import YUJING, Act
from ingest.engine.cycle import Cycle
from ingest.engine.engine_state import EngineState


def apply_transition(cycle: Cycle, engine_state: EngineState, event: AlarmEvent) -> Alarm:
    """Store the transition and what follows from it; returns the alarm as it is then."""
    engine_state.store_alarm(event.alarm)
    cycle.events.append(event)
    return align(cycle, engine_state, event.alarm, Cause(event.time, event.received))


def align(cycle: Cycle, engine_state: EngineState, alarm: Alarm, cause: Cause) -> Alarm:
    """Bring the alarm into or out of the suppressions in force, and clear it if it can be."""
    over = engine_state.suppressions.over(alarm, max(cycle.now, cause.received), highest=cycle.policy.suppress_level_2)
    for event in consequences(alarm, cause, over):
        engine_state.store_alarm(event.alarm)
        cycle.events.append(event)
        alarm = event.alarm
    return alarm


def align_point(cycle: Cycle, engine_state: EngineState, plant: str, point: str, cause: Cause) -> None:
    """The same for every alarm of a point that is not over."""
    for alarm in [alarm for alarm in engine_state.alarms.values() if (alarm.plant, alarm.point) == (plant, point)]:
        align(cycle, engine_state, alarm, cause)


def advance_suppressions(cycle: Cycle, engine_state: EngineState) -> None:
    """End suppressions whose time is up; alarms that they hid show again."""
    ended, touched = engine_state.suppressions.expire(cycle.now)
    for suppression in ended:
        cycle.suppressions.append(suppression)
        cycle.acts.append(
            Act(cycle.now, YUJING, "service", "ended", "suppression", str(suppression.id), suppression.plant)
        )
    for plant, point in sorted(touched):
        align_point(cycle, engine_state, plant, point, Cause(cycle.now, cycle.now))
