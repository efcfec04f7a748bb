"""What people have to be called for, and what becomes of a call whose warning or alarm was dealt with (pure).

An alarm calls nobody while a call that covers it is under way: that of a warning that rests on it, or that of another
alarm of its plant. So a burst of alarms is one call, and what is raised after an answer is another.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from ingest.domain.calls.config import CallsConfig
from ingest.domain.calls.happenings import Answer, Happening, Withdrawal
from ingest.domain.model.alarm import Alarm, AlarmState
from ingest.domain.model.call import Call, CallState, Cause, call_id
from ingest.domain.model.plant import SERVICE
from ingest.domain.model.warning import Asked, Colour, EarlyWarning, WarningState

UNANSWERED: Final = frozenset({AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED, AlarmState.LATCHED_UNACKNOWLEDGED})
"""States of an alarm in which nobody has acknowledged it."""

LEVEL: Final = 2
"""The level of alarms that people are called for."""


@dataclass(frozen=True, slots=True)
class Need:
    """Something that somebody has to be called for."""

    cause: Cause
    of: EarlyWarning | Alarm
    id: UUID
    colour: Colour | None = None

    @property
    def plant(self) -> str:
        """The plant it is of."""
        return self.of.plant


def of_warning(warning: EarlyWarning, config: CallsConfig) -> Need | None:
    """Return the need of a warning that nobody has acknowledged at its highest colour; None: there is none."""
    if warning.state is WarningState.CLOSED or warning.asking is not Asked.ACKNOWLEDGEMENT:
        return None
    if not config.calls_for(warning.peak):
        return None
    number = call_id(Cause.WARNING, str(warning.id), warning.peak)
    return Need(Cause.WARNING, warning, number, warning.peak)


def of_alarm(alarm: Alarm, config: CallsConfig) -> Need | None:
    """Return the need of an alarm of level 2 that nobody has acknowledged; None: there is none.

    Raised again after it was acknowledged, it is another.
    """
    cause = Cause.SYSTEM if alarm.plant == SERVICE else Cause.ALARM
    wanted = config.system if cause is Cause.SYSTEM else config.alarms
    if not wanted or alarm.level != LEVEL or alarm.state not in UNANSWERED:
        return None
    return Need(cause, alarm, call_id(cause, f"{alarm.id}/{alarm.annunciated}", None))


def covered(alarm: Alarm, calls: Iterable[Call], resting: Collection[str], config: CallsConfig, now: int) -> bool:
    """Whether a call for something else, or for an earlier raise of it, covers an alarm.

    Args:
        alarm: nobody has acknowledged it.
        calls: of its plant.
        resting: ids of the warnings that rest on it.
        config: the settings.
        now: ns since the epoch.
    """
    for call in calls:
        if call.cause is Cause.ROLL_CALL or (call.cause is Cause.WARNING and call.subject not in resting):
            continue
        if call.state is CallState.RINGING:
            return True
        if call.state is CallState.UNANSWERED and call.errand is not None and alarm.annunciated <= call.errand:
            return True
        if call.state is CallState.ANSWERED and call.ended is not None:
            heard = call.by_way != str(Cause.ALARM) and alarm.annunciated <= call.ended
            if heard or now < call.ended + config.again_s * 10**9:
                return True
    return False


def rests_on(warning: EarlyWarning, alarm: Alarm) -> bool:
    """Whether an alarm is among the facts of a warning."""
    return any(fact.alarm == alarm.id for ground in warning.inputs for fact in ground.facts)


def settled(call: Call, of: EarlyWarning | Alarm | None, now: int) -> Happening | None:
    """Return what ends a call for a warning or alarm as that stands now; None: it goes on."""
    if call.cause is Cause.ROLL_CALL:
        return None
    if of is None:
        return Withdrawal(now, "removed")
    if isinstance(of, Alarm):
        if of.state in UNANSWERED:
            return None
        if of.acked is not None and of.acked_by is not None:
            return Answer(now, of.acked_by, str(Cause.ALARM))
        return Withdrawal(now, str(of.state))
    return _of_warning(call, of, now)


def _of_warning(call: Call, warning: EarlyWarning, now: int) -> Happening | None:
    if warning.asking is not Asked.ACKNOWLEDGEMENT:
        by = warning.acknowledged_by or (warning.feedback.by if warning.feedback else None)
        return Withdrawal(now, str(warning.state)) if by is None else Answer(now, by, str(Cause.WARNING))
    if call.colour is not None and warning.peak > call.colour:
        return Withdrawal(now, str(warning.peak))
    return None
