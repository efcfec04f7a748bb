"""The lifecycle of an alarm: one table of transitions, and pure functions that apply it (ISA-18.2 / IEC 62682)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Final
from uuid import uuid5

from ingest.domain.model.alarm import OVER, Alarm, AlarmEvent, AlarmEventKind, AlarmState, event_id
from ingest.domain.model.audit import ActRole
from ingest.domain.model.bypass import RegisteredBypass
from ingest.domain.model.changed import Changed, done_before
from ingest.domain.model.contribution import Contribution
from ingest.domain.model.payload import iso
from ingest.domain.model.plant import PhaseName
from ingest.domain.model.suppression import Suppression, SuppressionKind
from ingest.domain.model.text import Text


class Outcome(Enum):
    """The result of an event that leads to no fixed state."""

    NOTHING = "."  # no change: no record
    REFUSED = "!"  # not allowed in this state: the operator's action is refused
    SAME = "="  # recorded; the state stays
    RESUMED = "<"  # after a suppression: unacknowledged if the condition holds, else latched


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
bypass-registered     .  =  =  .  .  .  =  =  =  .  .
bypass-unregistered   .  =  B  .  .  .  =  =  =  .  .
recorded              A  .  .  .  .  .  .  .  .  .  .
"""
"""A row per event, a column per state, by the letters of `AlarmState`; ? = not evaluated, X = removed.

A suppression does not hide D, E and F: they still wait to be acknowledged or reset. A rule that cannot be evaluated
while its alarm is active changes nothing: unknown is not good.
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
"""(state, event) -> the next state or outcome; every pair is present."""

SUPPRESSIONS: Final[Mapping[SuppressionKind, tuple[AlarmState, AlarmEventKind, AlarmEventKind]]] = {
    SuppressionKind.SHELVED: (AlarmState.SHELVED, AlarmEventKind.SHELVED, AlarmEventKind.UNSHELVED),
    SuppressionKind.SUPPRESSED: (AlarmState.SUPPRESSED, AlarmEventKind.SUPPRESSED, AlarmEventKind.UNSUPPRESSED),
    SuppressionKind.OUT_OF_SERVICE: (
        AlarmState.OUT_OF_SERVICE,
        AlarmEventKind.REMOVED_FROM_SERVICE,
        AlarmEventKind.RETURNED_TO_SERVICE,
    ),
}
"""Kind -> the state under it, the event that begins it and the event that ends it; the weakest kind first."""

SUPPRESSED_STATES: Final = {state: leave for state, _, leave in SUPPRESSIONS.values()}

OUTSTANDING: Final = frozenset(
    {
        AlarmState.UNACKNOWLEDGED,
        AlarmState.ACKNOWLEDGED,
        AlarmState.RETURNED,
        AlarmState.LATCHED_UNACKNOWLEDGED,
        AlarmState.LATCHED_ACKNOWLEDGED,
    }
)
"""States in which an alarm needs the operator: active, or waiting to be acknowledged or reset."""

CALLS: Final = frozenset({AlarmEventKind.RAISED, AlarmEventKind.BYPASS_UNREGISTERED})
"""Events that call people, each a raise of its alarm."""

UNSEEN: Final = frozenset(
    state for state in OUTSTANDING if isinstance(TRANSITIONS[state, AlarmEventKind.ACKNOWLEDGED], AlarmState)
)
"""Outstanding states in which nobody has acknowledged the alarm."""


class Refused(ValueError):
    """The alarm's state does not allow the operator's action."""

    def __init__(self, kind: AlarmEventKind, state: AlarmState) -> None:
        super().__init__(f"{kind}: the alarm is {state}")
        self.kind, self.state = kind, state


_NOT_SEEN: Final = Text(
    "该规则已有一条您没有看到的新报警。请先查看，再作决定。",
    "This rule has a new alarm that you have not seen. Look at it, then decide.",
)


def require_raise(alarm: Alarm, seen: int | None) -> None:
    """Refuse a decision made on another raise of the alarm than its newest; `seen`: 0 = none, None = not stated.

    Raises:
        Changed: it was raised again since, or not that often yet.
    """
    if seen is None or seen == alarm.raises:
        return
    text = (
        _NOT_SEEN
        if seen == 0
        else Text(
            f"您看到的是该报警的第 {seen} 次触发，现在是第 {alarm.raises} 次。请先查看现在的情况，再作决定。",
            f"You saw raise {seen} of this alarm; it is at raise {alarm.raises} now. Look at it again, then decide.",
        )
    )
    now = {"raises": alarm.raises, "state": str(alarm.state), "annunciated": iso(alarm.annunciated)}
    raise Changed(text, {"alarm": str(alarm.id), **now, "value": alarm.value})


_ACKNOWLEDGED: Final = Text("确认该报警", "acknowledged this alarm")


def require_unseen(alarm: Alarm) -> None:
    """Refuse to acknowledge an alarm already acknowledged since it was last raised. Raises Changed."""
    if alarm.acked is not None and alarm.state not in UNSEEN:
        raise done_before(_ACKNOWLEDGED, alarm.acked_by, alarm.acked)


@dataclass(frozen=True, slots=True)
class Cause:
    """The cause of an event. Times are ns since the epoch, UTC.

    Attributes:
        time: when it happened.
        received: when the service learnt of it.
        by, role: who did it; None: the service itself.
        detail: comment, reason and the like, JSON-ready.
    """

    time: int
    received: int
    by: str | None = None
    role: ActRole | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


def following(state: AlarmState, kind: AlarmEventKind, *, active: bool) -> AlarmState | None:
    """Return the state after an event, or None if nothing changes. `active`: whether the condition holds.

    Raises:
        Refused: an operator's action that this state does not allow.
    """
    found = TRANSITIONS[state, kind]
    if isinstance(found, AlarmState):
        return found
    if found is Outcome.REFUSED:
        raise Refused(kind, state)
    if found is Outcome.RESUMED:
        return AlarmState.UNACKNOWLEDGED if active else AlarmState.LATCHED_UNACKNOWLEDGED
    return state if found is Outcome.SAME else None


def raised(
    alarm: Alarm,
    cause: Cause,
    *,
    value: float | None,
    phase: PhaseName | None = None,
    contributions: tuple[Contribution, ...] = (),
) -> AlarmEvent | None:
    """Raise an alarm in that phase of its equipment, with the points that contributed to it; None if it is active.

    A new alarm is passed in state NORMAL.
    """
    if alarm.raises and alarm.active:
        return None
    raised_again = replace(
        alarm,
        value=value,
        phase=phase,
        contributions=contributions,
        annunciated=cause.time,
        raises=alarm.raises + 1,
        returned=None,
        acked=None,
        acked_by=None,
        disposed=None,
        cleared=None,
    )
    return _step(raised_again, AlarmEventKind.RAISED, cause)


def returned(alarm: Alarm, cause: Cause, *, latch: bool = False) -> AlarmEvent | None:
    """Return an alarm whose condition has ended; None if it is not active. With `latch` it stays until it is reset."""
    if not alarm.active:
        return None
    comment = cause.detail.get("comment") or alarm.comment
    changed = replace(alarm, returned=cause.time, comment=comment)
    return _step(changed, AlarmEventKind.LATCHED if latch else AlarmEventKind.RETURNED, cause)


def removed(alarm: Alarm, cause: Cause) -> AlarmEvent | None:
    """Remove an active alarm whose rule is no longer configured: its end is unknown. None if it is not active."""
    return _step(alarm, AlarmEventKind.REMOVED, cause) if alarm.active else None


def acknowledged(alarm: Alarm, cause: Cause) -> AlarmEvent:
    """Acknowledge an alarm. Raises Refused."""
    comment = cause.detail.get("comment") or alarm.comment
    return _must(
        replace(alarm, acked=cause.time, acked_by=cause.by, comment=comment), AlarmEventKind.ACKNOWLEDGED, cause
    )


def reset(alarm: Alarm, cause: Cause) -> AlarmEvent:
    """Reset a latched alarm that was acknowledged and whose condition has ended. Raises Refused."""
    return _must(alarm, AlarmEventKind.RESET, cause)


def commented(alarm: Alarm, cause: Cause) -> AlarmEvent:
    """Add a comment; the newest one is shown with the alarm."""
    return _must(replace(alarm, comment=cause.detail["comment"]), AlarmEventKind.COMMENTED, cause)


def assigned(alarm: Alarm, cause: Cause) -> AlarmEvent:
    """Assign an alarm to the person in `cause.detail["to"]`; None: to nobody in particular."""
    return _must(replace(alarm, assigned=cause.detail["to"]), AlarmEventKind.ASSIGNED, cause)


def disposed(alarm: Alarm, cause: Cause) -> AlarmEvent:
    """Record that feedback was given on an alarm."""
    return _must(replace(alarm, disposed=cause.time), AlarmEventKind.DISPOSED, cause)


def registered(alarm: Alarm, note: RegisteredBypass | None, cause: Cause) -> AlarmEvent | None:
    """Note the present registration of its interlock's bypass on an active alarm; None if nothing changes.

    Without one, or with one that has expired, it calls again at level 2: that is another raise, which nobody has seen.
    """
    if not alarm.active or note == alarm.bypass:
        return None
    changed = with_registration(alarm, note)
    if changed.level == 1:
        return _step(changed, AlarmEventKind.BYPASS_REGISTERED, cause)
    again = replace(changed, annunciated=cause.time, raises=alarm.raises + 1, acked=None, acked_by=None, disposed=None)
    return _step(again, AlarmEventKind.BYPASS_UNREGISTERED, cause)


def with_registration(alarm: Alarm, note: RegisteredBypass | None) -> Alarm:
    """Return an alarm of a bypassed interlock with its registration's level; None: the bypass is not registered."""
    return replace(alarm, level=2 if note is None or note.expired else 1, bypass=note)


def recorded(alarm: Alarm, *, received: int) -> AlarmEvent | None:
    """Record a historical alarm, anew each time it proves longer; None for one that was ever live."""
    if not alarm.historical or alarm.state is not AlarmState.NORMAL or alarm.returned is None:
        return None
    name = uuid5(alarm.id, f"{AlarmEventKind.RECORDED}/{alarm.onset}/{alarm.returned}")
    return AlarmEvent(0, name, AlarmEventKind.RECORDED, alarm.returned, received, alarm)


def consequences(alarm: Alarm, cause: Cause, over: Suppression | None) -> list[AlarmEvent]:
    """Return the events that follow at once from a transition, or from the beginning or end of a suppression.

    Args:
        alarm: its state after the transition.
        cause: the transition's cause.
        over: the strongest suppression that covers the alarm now.

    Returns:
        Events that take the alarm into, out of or between suppressions, and the one that clears it (销警) once it is
        over and feedback was given.
    """
    found = []
    for kind in _suppression_events(alarm, over):
        of_event = cause
        if over is not None:
            of_event = replace(cause, detail={"suppression": str(over.id), "reason": over.reason})
        event = _step(alarm, kind, of_event)
        if event is not None:
            found.append(event)
            alarm = event.alarm
    if alarm.state in OVER and alarm.disposed is not None and alarm.cleared is None:
        own = Cause(cause.time, cause.received)
        found.append(_must(replace(alarm, cleared=cause.time), AlarmEventKind.CLEARED, own))
    return found


def _suppression_events(alarm: Alarm, over: Suppression | None) -> list[AlarmEventKind]:
    """Return the events into, out of or between suppressions; an alarm that is not active enters none."""
    leave = [SUPPRESSED_STATES[alarm.state]] if alarm.state in SUPPRESSED_STATES else []
    if over is None:
        return leave
    state, enter, _ = SUPPRESSIONS[over.kind]
    if not alarm.active or alarm.state is state:
        return []
    return [enter] if TRANSITIONS[alarm.state, enter] is state else [*leave, enter]


def displayed_state(alarm: AlarmState | None, over: SuppressionKind | None, *, evaluated: bool) -> AlarmState:
    """Return the state displayed for a rule: that of its alarm, or what keeps it from raising one."""
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
