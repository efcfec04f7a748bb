"""The life of an alarm: one table of transitions, and the pure steps that follow it (ISA-18.2 / IEC 62682)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Final
from uuid import uuid5

from ingest.domain.model.alarm import OVER, Alarm, AlarmEvent, AlarmEventKind, AlarmState, event_id
from ingest.domain.model.audit import ActRole
from ingest.domain.model.changed import Changed, done_before
from ingest.domain.model.payload import iso
from ingest.domain.model.suppression import Suppression, SuppressionKind
from ingest.domain.model.text import Text


class Outcome(Enum):
    """What an event leads to where it leads to no state of its own."""

    NOTHING = "."  # it tells nothing new: no record
    REFUSED = "!"  # an operator is told that it cannot be done
    SAME = "="  # recorded; the state stays
    RESUMED = "<"  # unacknowledged if the condition holds, else latched: nothing else outlasts a suppression


_TABLE: Final = """
                      A  B  C  D  E  F  G  H  I  ?  X
raised                B  .  .  B  B  B  =  =  =  B  .
returned              .  D  A  .  .  .  A  A  A  .  .
latched               .  E  F  .  .  .  =  =  =  .  .
acknowledged          !  C  !  A  F  !  !  !  !  !  !
reset                 !  !  !  !  !  A  !  !  !  !  !
shelved               G  G  G  .  .  .  .  .  .  G  .
unshelved             .  .  .  .  .  .  <  .  .  .  .
suppressed            H  H  H  .  .  .  H  .  .  H  .
unsuppressed          .  .  .  .  .  .  .  <  .  .  .
removed-from-service  I  I  I  .  .  .  I  I  .  I  .
returned-to-service   .  .  .  .  .  .  .  .  <  .  .
unevaluated           ?  .  .  .  .  .  .  .  .  .  .
evaluated             .  .  .  .  .  .  .  .  .  A  .
commented             =  =  =  =  =  =  =  =  =  =  =
assigned              =  =  =  =  =  =  =  =  =  =  =
disposed              =  =  =  =  =  =  =  =  =  =  =
cleared               A  !  !  !  !  !  !  !  !  !  X
removed               .  X  X  .  .  .  X  X  X  .  .
recorded              A  .  .  .  .  .  .  .  .  .  .
"""
"""A row an event, a column a state, by the letters of `AlarmState`; ? = not evaluated, X = removed.

What is over (D, E, F) is not hidden by a suppression: it still waits to be seen or reset. What cannot be evaluated
while an alarm stands changes nothing: unknown is not good.
"""

_LETTERS: Final = dict(zip("ABCDEFGHI?X", AlarmState, strict=True))


def _read(table: str) -> dict[tuple[AlarmState, AlarmEventKind], AlarmState | Outcome]:
    head, *rows = (line.split() for line in table.strip().splitlines())
    return {
        (_LETTERS[column], AlarmEventKind(event)): _LETTERS[cell] if cell in _LETTERS else Outcome(cell)
        for event, *cells in rows
        for column, cell in zip(head, cells, strict=True)
    }


TRANSITIONS: Final = _read(_TABLE)
"""(state, event) -> what comes of it; every pair is there."""

SUPPRESSIONS: Final[Mapping[SuppressionKind, tuple[AlarmState, AlarmEventKind, AlarmEventKind]]] = {
    SuppressionKind.SHELVED: (AlarmState.SHELVED, AlarmEventKind.SHELVED, AlarmEventKind.UNSHELVED),
    SuppressionKind.SUPPRESSED: (AlarmState.SUPPRESSED, AlarmEventKind.SUPPRESSED, AlarmEventKind.UNSUPPRESSED),
    SuppressionKind.OUT_OF_SERVICE: (
        AlarmState.OUT_OF_SERVICE,
        AlarmEventKind.REMOVED_FROM_SERVICE,
        AlarmEventKind.RETURNED_TO_SERVICE,
    ),
}
"""Kind -> the state under it, the event that begins it, the event that ends it; the weakest kind first."""

SUPPRESSED_STATES: Final = {state: leave for state, _, leave in SUPPRESSIONS.values()}

STANDING: Final = frozenset(
    {
        AlarmState.UNACKNOWLEDGED,
        AlarmState.ACKNOWLEDGED,
        AlarmState.RETURNED,
        AlarmState.LATCHED_UNACKNOWLEDGED,
        AlarmState.LATCHED_ACKNOWLEDGED,
    }
)
"""States in which an alarm asks something of the operator: it holds, or waits to be seen or reset."""

UNSEEN: Final = frozenset(
    state for state in STANDING if isinstance(TRANSITIONS[state, AlarmEventKind.ACKNOWLEDGED], AlarmState)
)
"""States in which nobody has acknowledged it."""


class Refused(ValueError):
    """An operator's wish that the alarm's state does not allow."""

    def __init__(self, kind: AlarmEventKind, state: AlarmState) -> None:
        super().__init__(f"{kind}: the alarm is {state}")
        self.kind, self.state = kind, state


_NOT_SEEN: Final = Text(
    "该规则已有一条您没有看到的新报警。请先查看，再作决定。",
    "This rule has a new alarm that you have not seen. Look at it, then decide.",
)


def require_raise(alarm: Alarm, seen: int | None) -> None:
    """Refuse whoever saw another raise of the alarm than its newest; 0: none of them; None: they do not say.

    Raises:
        Changed: it was raised again since, or never so often.
    """
    if seen is None or seen == alarm.raises:
        return
    said = (
        _NOT_SEEN
        if seen == 0
        else Text(
            f"您看到的是该报警的第 {seen} 次触发，现在是第 {alarm.raises} 次。请先查看现在的情况，再作决定。",
            f"You saw raise {seen} of this alarm; it is at raise {alarm.raises} now. Look at it again, then decide.",
        )
    )
    now = {"raises": alarm.raises, "state": str(alarm.state), "annunciated": iso(alarm.annunciated)}
    raise Changed(said, {"alarm": str(alarm.id), **now, "value": alarm.value})


_ACKNOWLEDGED: Final = Text("确认该报警", "acknowledged this alarm")


def require_unseen(alarm: Alarm) -> None:
    """Refuse whoever acknowledges what somebody has acknowledged since it was raised last. Raises Changed."""
    if alarm.acked is not None and alarm.state not in UNSEEN:
        raise done_before(_ACKNOWLEDGED, alarm.acked_by, alarm.acked)


@dataclass(frozen=True, slots=True)
class Cause:
    """What brought an event about. Times are ns since the epoch, UTC.

    Attributes:
        time: when it happened.
        received: when the service learnt of it.
        by, role: who did it; None: the service itself.
        detail: what was said with it, JSON-ready.
    """

    time: int
    received: int
    by: str | None = None
    role: ActRole | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


def following(state: AlarmState, kind: AlarmEventKind, *, active: bool) -> AlarmState | None:
    """The state after an event; None where it tells nothing new. `active`: whether the condition holds.

    Raises:
        Refused: it is an operator's wish that cannot be granted in this state.
    """
    found = TRANSITIONS[state, kind]
    if isinstance(found, AlarmState):
        return found
    if found is Outcome.REFUSED:
        raise Refused(kind, state)
    if found is Outcome.RESUMED:
        return AlarmState.UNACKNOWLEDGED if active else AlarmState.LATCHED_UNACKNOWLEDGED
    return state if found is Outcome.SAME else None


def raised(alarm: Alarm, cause: Cause, *, value: float | None) -> AlarmEvent | None:
    """The condition holds. A fresh alarm comes in state NORMAL; None if it stands already."""
    if alarm.raises and alarm.active:
        return None
    again = replace(
        alarm,
        value=value,
        annunciated=cause.time,
        raises=alarm.raises + 1,
        returned=None,
        acked=None,
        acked_by=None,
        disposed=None,
        cleared=None,
    )
    return _step(again, AlarmEventKind.RAISED, cause)


def returned(alarm: Alarm, cause: Cause, *, latch: bool = False) -> AlarmEvent | None:
    """The condition is gone; None if it was gone already. With `latch` the alarm stays until it is reset."""
    if not alarm.active:
        return None
    comment = cause.detail.get("comment") or alarm.comment
    changed = replace(alarm, returned=cause.time, comment=comment)
    return _step(changed, AlarmEventKind.LATCHED if latch else AlarmEventKind.RETURNED, cause)


def removed(alarm: Alarm, cause: Cause) -> AlarmEvent | None:
    """Nothing judges it any more. What holds ends so, and is not called returned; None for what was over already."""
    return _step(alarm, AlarmEventKind.REMOVED, cause) if alarm.active else None


def acknowledged(alarm: Alarm, cause: Cause) -> AlarmEvent:
    """Somebody has seen it. Raises Refused."""
    comment = cause.detail.get("comment") or alarm.comment
    return _must(
        replace(alarm, acked=cause.time, acked_by=cause.by, comment=comment), AlarmEventKind.ACKNOWLEDGED, cause
    )


def reset(alarm: Alarm, cause: Cause) -> AlarmEvent:
    """Let go of a latched alarm that was acknowledged and whose condition is gone. Raises Refused."""
    return _must(alarm, AlarmEventKind.RESET, cause)


def commented(alarm: Alarm, cause: Cause) -> AlarmEvent:
    """Somebody said something; the newest comment is shown with the alarm."""
    return _must(replace(alarm, comment=cause.detail["comment"]), AlarmEventKind.COMMENTED, cause)


def assigned(alarm: Alarm, cause: Cause) -> AlarmEvent:
    """Somebody is to deal with it; None: nobody in particular."""
    return _must(replace(alarm, assigned=cause.detail["to"]), AlarmEventKind.ASSIGNED, cause)


def disposed(alarm: Alarm, cause: Cause) -> AlarmEvent:
    """Feedback was given."""
    return _must(replace(alarm, disposed=cause.time), AlarmEventKind.DISPOSED, cause)


def recorded(alarm: Alarm, *, received: int) -> AlarmEvent | None:
    """A historical alarm as it is known now, again each time it proves longer; None for one that ever stood."""
    if not alarm.historical or alarm.state is not AlarmState.NORMAL or alarm.returned is None:
        return None
    name = uuid5(alarm.id, f"{AlarmEventKind.RECORDED}/{alarm.onset}/{alarm.returned}")
    return AlarmEvent(0, name, AlarmEventKind.RECORDED, alarm.returned, received, alarm)


def consequences(alarm: Alarm, cause: Cause, over: Suppression | None) -> list[AlarmEvent]:
    """What follows at once from a step of an alarm's life, or from the beginning or end of a suppression.

    Args:
        alarm: as the step left it.
        cause: what brought it about.
        over: the strongest suppression that covers the alarm now.

    Returns:
        Events that take the alarm into, out of or between suppressions, and the one that clears it (销警) once its
        value is back and feedback was given.
    """
    found = []
    for kind in _moves(alarm, over):
        told = cause
        if over is not None:
            told = replace(cause, detail={"suppression": str(over.id), "reason": over.reason})
        event = _step(alarm, kind, told)
        if event is not None:
            found.append(event)
            alarm = event.alarm
    if alarm.state in OVER and alarm.disposed is not None and alarm.cleared is None:
        done = Cause(cause.time, cause.received)
        found.append(_must(replace(alarm, cleared=cause.time), AlarmEventKind.CLEARED, done))
    return found


def _moves(alarm: Alarm, over: Suppression | None) -> list[AlarmEventKind]:
    """Into, out of or between suppressions; what is over is not hidden any more."""
    leave = [SUPPRESSED_STATES[alarm.state]] if alarm.state in SUPPRESSED_STATES else []
    if over is None:
        return leave
    state, enter, _ = SUPPRESSIONS[over.kind]
    if not alarm.active or alarm.state is state:
        return []
    return [enter] if TRANSITIONS[alarm.state, enter] is state else [*leave, enter]


def standing(alarm: AlarmState | None, over: SuppressionKind | None, *, evaluated: bool) -> AlarmState:
    """The state of a rule as an operator is shown it: that of its alarm, or what keeps it from raising one."""
    state = alarm or AlarmState.NORMAL
    if not evaluated:
        state = following(state, AlarmEventKind.UNEVALUATED, active=False) or state
    if over is not None:
        state = following(state, SUPPRESSIONS[over][1], active=False) or state
    return state


def _step(alarm: Alarm, kind: AlarmEventKind, cause: Cause) -> AlarmEvent | None:
    state = following(alarm.state, kind, active=alarm.active)
    if state is None:
        return None
    name = event_id(alarm.id, kind, cause.time, f"/{cause.by}/{cause.detail}" if cause.by else "")
    now = replace(alarm, state=state)
    return AlarmEvent(0, name, kind, cause.time, cause.received, now, cause.by, cause.role, cause.detail)


def _must(alarm: Alarm, kind: AlarmEventKind, cause: Cause) -> AlarmEvent:
    event = _step(alarm, kind, cause)
    if event is None:
        raise Refused(kind, alarm.state)
    return event
