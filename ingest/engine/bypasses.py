"""Registrations of bypasses in the engine: they begin, expire, and set the level of their interlocks' alarms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from ingest.domain.alarms.lifecycle import Cause, registered, with_registration
from ingest.domain.cases.bypass import HOUR, Bypass, BypassState, check, check_hours
from ingest.domain.cases.bypass_steps import BypassStep, Extend
from ingest.domain.cases.errors import Stale
from ingest.domain.cases.verbs import Form, advance
from ingest.domain.model.alarm import Alarm
from ingest.domain.model.audit import YUJING, Act
from ingest.domain.model.changed import done_before
from ingest.domain.model.payload import iso
from ingest.domain.model.plant import Point, Rule
from ingest.domain.model.text import Text
from ingest.engine.alarm_transitions import apply_transition
from ingest.engine.commands import Person
from ingest.engine.cycle import Cycle
from ingest.engine.engine_state import EngineState

_REQUESTED = Text("申请旁路该联锁", "asked to bypass this interlock")


@dataclass(frozen=True, slots=True)
class RequestBypass:
    """Ask for an interlock to be bypassed for at most `hours`, from `begins` (ns; None: once it is approved)."""

    plant: str
    point: str
    reason: str
    measure: str
    who: Person
    hours: int | None = None
    begins: int | None = None

    def __call__(self, cycle: Cycle, engine_state: EngineState, now: int) -> Bypass:
        """See `Command`. Raises Incomplete for what cannot be so."""
        point = cycle.configuration.find(self.plant, self.point)
        if point is None:
            raise KeyError(f"point {self.point!r} of plant {self.plant!r}")
        if not point.interlock:
            raise ValueError(f"point {self.point!r} is not the state of an interlock")
        if (known := engine_state.bypasses.of_point(self.plant, self.point)) is not None:
            raise done_before(_REQUESTED, known.requested_by, known.requested)
        most = cycle.policy.bypass_max // HOUR
        begins, hours = max(now, self.begins or now), most if self.hours is None else self.hours
        record = Bypass(uuid4(), self.plant, self.point, self.reason, self.measure, hours, now, self.who.name, begins)
        check(record, most)
        detail = {"reason": record.reason, "measure": record.measure, "hours": hours}
        return _keep(cycle, engine_state, record, self.who, "request", now, detail)


@dataclass(frozen=True, slots=True)
class TakeBypassStep:
    """Take a step of the table `BypassStep`; `version`: the one that the person saw."""

    bypass: UUID
    version: int
    form: Form[Bypass]
    who: Person

    def __call__(self, cycle: Cycle, engine_state: EngineState, now: int) -> Bypass:
        """See `Command`. Raises CaseError if the step cannot be taken."""
        record = engine_state.bypasses.find(self.bypass)
        if record is None:
            raise KeyError(f"bypass {self.bypass}")
        if record.version != self.version:
            raise Stale("the bypass", self.version, record.version)
        if isinstance(self.form, Extend):
            check_hours(self.form.hours, cycle.policy.bypass_max // HOUR)
        after = advance(BypassStep, record, self.form, by=self.who.name, role=self.who.role, time=now)
        detail = BypassStep.detail(self.form, after)
        return _keep(cycle, engine_state, after, self.who, str(BypassStep.of(self.form)), now, detail)


def noted(engine_state: EngineState, point: Point | None, rule: Rule, alarm: Alarm) -> Alarm:
    """Return an alarm about to be raised, with the registration of its interlock's bypass, if it has one."""
    if not _says_bypassed(point, rule):
        return alarm
    record = engine_state.bypasses.of_point(alarm.plant, alarm.point)
    return with_registration(alarm, record.note if record is not None else None)


def advance_bypasses(cycle: Cycle, engine_state: EngineState) -> None:
    """Let registrations begin and expire up to the present."""
    pass_time(cycle, engine_state, cycle.now)


def pass_time(cycle: Cycle, engine_state: EngineState, now: int) -> None:
    """Let registrations begin and expire up to `now`, each at its own moment, however late the cycle is.

    Before each finding, so that alarms do not depend on how the stream is cut into cycles.
    """
    for moment, record in engine_state.bypasses.pass_time(now):
        action = "expired" if record.state is BypassState.EXPIRED else "began"
        cycle.bypasses.append(record)
        cycle.acts.append(_act(record, Person(YUJING, "service"), action, moment, {}))
        _align(cycle, engine_state, record, Cause(moment, moment))


def _keep(
    cycle: Cycle,
    engine_state: EngineState,
    record: Bypass,
    who: Person,
    action: str,
    now: int,
    detail: Mapping[str, Any],
) -> Bypass:
    """Store a registration after a person's step, and note it on the alarm of its interlock."""
    engine_state.bypasses.keep(record)
    cycle.bypasses.append(record)
    cycle.acts.append(_act(record, who, action, now, detail))
    _align(cycle, engine_state, record, Cause(now, now, who.name, who.role, {"bypass": str(record.id)}))
    return record


def _act(record: Bypass, who: Person, action: str, time: int, detail: Mapping[str, Any]) -> Act:
    content = {"point": record.point, **detail, **({"until": iso(record.until)} if record.until is not None else {})}
    return Act(time, who.name, who.role, action, "bypass", str(record.id), record.plant, content)


def _align(cycle: Cycle, engine_state: EngineState, record: Bypass, cause: Cause) -> None:
    point = cycle.configuration.find(record.plant, record.point)
    for rule in point.rules if point is not None else ():
        alarm = engine_state.alarms.get((record.plant, record.point, rule.code))
        if alarm is not None and _says_bypassed(point, rule):
            event = registered(alarm, record.note, cause)
            if event is not None:
                apply_transition(cycle, engine_state, event)


def _says_bypassed(point: Point | None, rule: Rule) -> bool:
    """Whether an alarm of that rule means that the interlock is bypassed: instruments' own faults do not."""
    return point is not None and point.interlock and rule.kind == "limit" and rule.level == 2
