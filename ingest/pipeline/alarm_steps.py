"""A step of an alarm's life in the engine: kept, and followed by all that comes of it at once."""

from __future__ import annotations

from ingest.alarms.lifecycle import Cause, consequences
from ingest.model.alarm import Alarm, AlarmEvent
from ingest.model.audit import YUJING, Act
from ingest.pipeline.memory import Memory
from ingest.pipeline.turn import Turn


def take_step(turn: Turn, memory: Memory, event: AlarmEvent) -> Alarm:
    """Keep the step and what follows from it; the alarm as it stands then."""
    memory.settle(event.alarm)
    turn.events.append(event)
    return align(turn, memory, event.alarm, Cause(event.time, event.received))


def align(turn: Turn, memory: Memory, alarm: Alarm, cause: Cause) -> Alarm:
    """Bring the alarm into or out of suppressions as they stand now, and clear it if it can be."""
    over = memory.suppressions.over(alarm, max(turn.now, cause.received), highest=turn.terms.suppress_level_2)
    for event in consequences(alarm, cause, over):
        memory.settle(event.alarm)
        turn.events.append(event)
        alarm = event.alarm
    return alarm


def align_point(turn: Turn, memory: Memory, plant: str, point: str, cause: Cause) -> None:
    """The same for every alarm of a point that stands."""
    for alarm in [one for one in memory.alarms.values() if (one.plant, one.point) == (plant, point)]:
        align(turn, memory, alarm, cause)


def advance_suppressions(turn: Turn, memory: Memory) -> None:
    """End what has lasted its time; alarms that were hidden show again."""
    ended, touched = memory.suppressions.expire(turn.now)
    for one in ended:
        turn.suppressions.append(one)
        turn.acts.append(Act(turn.now, YUJING, "service", "ended", "suppression", str(one.id), one.plant))
    for plant, point in sorted(touched):
        align_point(turn, memory, plant, point, Cause(turn.now, turn.now))
