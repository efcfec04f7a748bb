"""A step of an alarm's life in the engine: kept, and followed by all that comes of it at once."""

from __future__ import annotations

from ingest.domain.alarms.lifecycle import Cause, consequences
from ingest.domain.model.alarm import Alarm, AlarmEvent
from ingest.domain.model.audit import YUJING, Act
from ingest.engine.cycle import Cycle
from ingest.engine.engine_state import EngineState


def apply_transition(cycle: Cycle, engine_state: EngineState, event: AlarmEvent) -> Alarm:
    """Keep the step and what follows from it; the alarm as it stands then."""
    engine_state.settle(event.alarm)
    cycle.events.append(event)
    return align(cycle, engine_state, event.alarm, Cause(event.time, event.received))


def align(cycle: Cycle, engine_state: EngineState, alarm: Alarm, cause: Cause) -> Alarm:
    """Bring the alarm into or out of suppressions as they stand now, and clear it if it can be."""
    over = engine_state.suppressions.over(alarm, max(cycle.now, cause.received), highest=cycle.terms.suppress_level_2)
    for event in consequences(alarm, cause, over):
        engine_state.settle(event.alarm)
        cycle.events.append(event)
        alarm = event.alarm
    return alarm


def align_point(cycle: Cycle, engine_state: EngineState, plant: str, point: str, cause: Cause) -> None:
    """The same for every alarm of a point that stands."""
    for alarm in [alarm for alarm in engine_state.alarms.values() if (alarm.plant, alarm.point) == (plant, point)]:
        align(cycle, engine_state, alarm, cause)


def advance_suppressions(cycle: Cycle, engine_state: EngineState) -> None:
    """End what has lasted its time; alarms that were hidden show again."""
    ended, touched = engine_state.suppressions.expire(cycle.now)
    for suppression in ended:
        cycle.suppressions.append(suppression)
        cycle.acts.append(
            Act(cycle.now, YUJING, "service", "ended", "suppression", str(suppression.id), suppression.plant)
        )
    for plant, point in sorted(touched):
        align_point(cycle, engine_state, plant, point, Cause(cycle.now, cycle.now))
