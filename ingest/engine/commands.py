"""Commands of people, checked whole and then executed in the thread that writes alarms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar
from uuid import UUID, uuid4

from ingest.domain.alarms.lifecycle import (
    Cause,
    acknowledged,
    assigned,
    commented,
    disposed,
    require_raise,
    require_unseen,
    reset,
)
from ingest.domain.alarms.suppressions import HIGHEST, REQUESTED, decided_before
from ingest.domain.model.alarm import Alarm
from ingest.domain.model.audit import Act, ActRole
from ingest.domain.model.changed import Changed, done_before
from ingest.domain.model.payload import iso
from ingest.domain.model.plant import Point
from ingest.domain.model.suppression import Suppression, SuppressionKind, SuppressionState
from ingest.domain.model.text import Text
from ingest.engine.alarm_transitions import align_point, apply_transition
from ingest.engine.cycle import Cycle
from ingest.engine.engine_state import EngineState

T_co = TypeVar("T_co", covariant=True)


class Command(Protocol[T_co]):
    """A change requested between two batches; `now` in ns. Its result is returned once committed.

    Raises, before it has changed anything:
        KeyError: it names something unknown.
        ValueError: it cannot be done at present; the message says why.
        Changed: the state has changed since the person looked at it.
        StateUnavailable: what it names can only be read from the state database, which is away.
    """

    def __call__(self, cycle: Cycle, engine_state: EngineState, now: int) -> T_co:
        """Check the command, then execute it."""


@dataclass(frozen=True, slots=True)
class Person:
    """The person who gives a command."""

    name: str
    role: ActRole


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Acknowledge an alarm; `seen`: the raise that the person saw, None: the present one."""

    alarm: UUID
    who: Person
    comment: str | None = None
    seen: int | None = None

    def __call__(self, cycle: Cycle, engine_state: EngineState, now: int) -> Alarm:
        """See `Command`."""
        alarm = _find(cycle, engine_state, self.alarm, self.seen)
        require_unseen(alarm)
        detail = {"comment": self.comment} if self.comment else {}
        return apply_transition(
            cycle, engine_state, acknowledged(alarm, Cause(now, now, self.who.name, self.who.role, detail))
        )


@dataclass(frozen=True, slots=True)
class SignedInspection:
    """An inspection on the spot that somebody signs: who inspected, when (ns), and what was found."""

    by: str
    at: int
    result: str
    remark: str | None = None

    def detail(self) -> dict[str, str]:
        """Return it as the alarm's history and the audit trail keep it."""
        detail = {"inspected_by": self.by, "inspected_at": iso(self.at) or "", "result": self.result}
        return detail | ({"remark": self.remark} if self.remark else {})


@dataclass(frozen=True, slots=True)
class Reset:
    """Reset a latched alarm; `seen`: the raise that the person saw, None: the present one.

    A rule that is `signed` wants a signed inspection, made since the alarm was raised.
    """

    alarm: UUID
    who: Person
    seen: int | None = None
    inspection: SignedInspection | None = None

    def __call__(self, cycle: Cycle, engine_state: EngineState, now: int) -> Alarm:
        """See `Command`."""
        alarm = _find(cycle, engine_state, self.alarm, self.seen)
        inspection = self.inspection
        if inspection is None:
            if cycle.configuration.is_signed(alarm.plant, alarm.point, alarm.rule):
                raise ValueError("inspection: expected who inspected, when, and the result: its rule wants that signed")
            return apply_transition(cycle, engine_state, reset(alarm, _cause(self.who, now)))
        if not alarm.annunciated <= inspection.at <= now:
            raise ValueError("inspection: expected a time since the alarm was raised, and not still to come")
        return apply_transition(cycle, engine_state, reset(alarm, _cause(self.who, now, **inspection.detail())))


@dataclass(frozen=True, slots=True)
class Comment:
    """Add a comment to an alarm."""

    alarm: UUID
    who: Person
    comment: str

    def __call__(self, cycle: Cycle, engine_state: EngineState, now: int) -> Alarm:
        """See `Command`."""
        return apply_transition(
            cycle,
            engine_state,
            commented(_find(cycle, engine_state, self.alarm), _cause(self.who, now, comment=self.comment)),
        )


@dataclass(frozen=True, slots=True)
class Assign:
    """Assign an alarm to a person; None: to nobody in particular."""

    alarm: UUID
    who: Person
    to: str | None

    def __call__(self, cycle: Cycle, engine_state: EngineState, now: int) -> Alarm:
        """See `Command`."""
        return apply_transition(
            cycle, engine_state, assigned(_find(cycle, engine_state, self.alarm), _cause(self.who, now, to=self.to))
        )


@dataclass(frozen=True, slots=True)
class Dispose:
    """Note that feedback was given on these alarms; the disposition itself is stored with the cases.

    `seen`: the raises that the person saw; None or missing: the present ones.
    """

    alarms: tuple[UUID, ...]
    who: Person
    disposition: UUID
    seen: Mapping[UUID, int] = field(default_factory=dict)

    def __call__(self, cycle: Cycle, engine_state: EngineState, now: int) -> list[Alarm]:
        """See `Command`."""
        found = [_find(cycle, engine_state, alarm, self.seen.get(alarm)) for alarm in self.alarms]
        cause = _cause(self.who, now, disposition=str(self.disposition))
        return [apply_transition(cycle, engine_state, disposed(alarm, cause)) for alarm in found]


@dataclass(frozen=True, slots=True)
class Suppress:
    """Shelve a rule's alarms, suppress them by design, apply for a point out of service (停用), or check it (功能检查).

    `until` in ns; shelving needs it, and a function check without it lasts as long as one may. `rule` None: every rule
    of the point. `seen`: the alarm and raise that the person saw; None: the present one.
    """

    kind: SuppressionKind
    plant: str
    point: str
    rule: str | None
    reason: str
    until: int | None
    who: Person
    begins: int | None = None
    seen: tuple[UUID, int] | None = None

    def __call__(self, cycle: Cycle, engine_state: EngineState, now: int) -> Suppression:
        """See `Command`."""
        self._check(cycle, engine_state, now)
        until = self.until
        if self.kind is SuppressionKind.FUNCTION_CHECK and until is None:
            until = now + cycle.policy.function_check_max
        applied = self.kind is SuppressionKind.OUT_OF_SERVICE
        record = Suppression(
            id=uuid4(),
            kind=self.kind,
            state=SuppressionState.APPLIED if applied else SuppressionState.IN_FORCE,
            plant=self.plant,
            point=self.point,
            rule=self.rule,
            reason=self.reason,
            applicant=self.who.name,
            applied=now,
            begins=max(now, self.begins or now),
            until=until,
        )
        return _store(cycle, engine_state, record, "applied" if applied else str(self.kind), self.who, now)

    def _check(self, cycle: Cycle, engine_state: EngineState, now: int) -> None:
        point = cycle.configuration.find(self.plant, self.point)
        if point is None:
            raise KeyError(f"point {self.point!r} of plant {self.plant!r}")
        rules = [rule for rule in point.rules if self.rule in {None, rule.code}]
        if self.rule is not None and not rules:
            raise KeyError(f"rule {self.rule!r} of point {self.point!r}")
        for suppression in engine_state.suppressions.of_point(self.plant, self.point):
            if (suppression.kind, suppression.rule) == (self.kind, self.rule):
                raise done_before(REQUESTED[self.kind], suppression.applicant, suppression.applied)
        whole = self.kind in {SuppressionKind.OUT_OF_SERVICE, SuppressionKind.FUNCTION_CHECK}
        if whole and self.rule is not None:
            raise ValueError("a point is taken out of service, and checked, as a whole, not one rule of it")
        if self.until is not None and self.until <= max(now, self.begins or now):
            raise ValueError("until: expected a time after the beginning, and still to come")
        self._check_time(cycle, point, now)
        covered = [rule for rule in rules if rule.level < HIGHEST or cycle.policy.suppress_level_2]
        if not whole and not covered:
            raise ValueError("alarms of the highest level are not to be hidden here (alarms.suppress_level_2)")
        if self.seen is not None:
            alarm, raises = self.seen
            active = engine_state.alarms.get((self.plant, self.point, self.rule or ""))
            another = active is not None and active.id != alarm
            require_raise(active if active and another else _find(cycle, engine_state, alarm), 0 if another else raises)

    def _check_time(self, cycle: Cycle, point: Point, now: int) -> None:
        """Check the time of what may last for a limited one only."""
        if self.kind is SuppressionKind.SHELVED and (self.until is None or self.until - now > cycle.policy.shelve_max):
            raise ValueError(f"until: expected a time at most {cycle.policy.shelve_max / 3600e9:g} h from now")
        if self.kind is not SuppressionKind.FUNCTION_CHECK:
            return
        longest = cycle.policy.function_check_max
        if point.is_device:
            raise ValueError("a function check is one of an instrument; this point is no instrument's")
        if self.begins is not None and self.begins > now:
            raise ValueError("begins: a function check begins when it is requested")
        if self.until is not None and self.until - now > longest:
            raise ValueError(f"until: expected a time at most {longest / 3600e9:g} h from now")


@dataclass(frozen=True, slots=True)
class Decide:
    """Approve or reject an application to take a point out of service; nobody approves their own.

    `seen`: the total of raises that the person saw of the point's alarms that are not normal, since an approval hides
    them. None: the present total.
    """

    suppression: UUID
    approved: bool
    who: Person
    comment: str | None = None
    seen: int | None = None

    def __call__(self, cycle: Cycle, engine_state: EngineState, now: int) -> Suppression:
        """See `Command`."""
        record = _open_suppression(cycle, engine_state, self.suppression)
        if (before := decided_before(record)) is not None:
            raise before
        if record.applicant == self.who.name:
            raise ValueError("whoever applied for it cannot decide on it")
        if self.approved:
            self._require_seen(engine_state, record)
        state = SuppressionState.IN_FORCE if self.approved else SuppressionState.REJECTED
        begins = max(now, record.begins)
        decided = replace(record, state=state, approver=self.who.name, decided=now, begins=begins)
        return _store(
            cycle, engine_state, decided, "approved" if self.approved else "rejected", self.who, now, self.comment
        )

    def _require_seen(self, engine_state: EngineState, record: Suppression) -> None:
        place = (record.plant, record.point)
        hidden = [alarm for alarm in engine_state.alarms.values() if (alarm.plant, alarm.point) == place]
        raises = sum(alarm.raises for alarm in hidden)
        if self.seen is None or raises <= self.seen:
            return
        level_2 = sum(alarm.level == 2 for alarm in hidden)
        localized = Text(
            f"该测点在您查看之后又触发了报警：现有 {len(hidden)} 条，其中二级 {level_2} 条，批准后将一并隐藏。"
            "请先查看，再作决定。",
            f"This point has raised alarms since you looked: {len(hidden)} now, {level_2} of level 2, which an approval"
            " would hide. Look at them, then decide.",
        )
        raise Changed(localized, {"raises": raises, "alarms": [str(alarm.id) for alarm in hidden]})


@dataclass(frozen=True, slots=True)
class End:
    """End a suppression before its time, or withdraw an application."""

    suppression: UUID
    who: Person
    comment: str | None = None

    def __call__(self, cycle: Cycle, engine_state: EngineState, now: int) -> Suppression:
        """See `Command`."""
        record = _open_suppression(cycle, engine_state, self.suppression)
        ended = replace(record, state=SuppressionState.ENDED, ended=now, ended_by=self.who.name)
        return _store(cycle, engine_state, ended, "ended", self.who, now, self.comment)


def _find(cycle: Cycle, engine_state: EngineState, alarm: UUID, seen: int | None = None) -> Alarm:
    """The alarm with its changes of this cycle. Raises KeyError; Changed if the person saw another raise."""
    known = next((event.alarm for event in reversed(cycle.events) if event.alarm.id == alarm), None)
    found = known or engine_state.find(alarm)
    require_raise(found, seen)
    return found


def _open_suppression(cycle: Cycle, engine_state: EngineState, suppression: UUID) -> Suppression:
    """A suppression that is not over. Raises DoneBefore if it ended in this cycle; KeyError if it is unknown."""
    record = engine_state.suppressions.find(suppression)
    if record is None:
        over = next((ended for ended in reversed(cycle.suppressions) if ended.id == suppression), None)
        raise (decided_before(over) if over else None) or KeyError(f"suppression {suppression}")
    return record


def _store(
    cycle: Cycle,
    engine_state: EngineState,
    record: Suppression,
    action: str,
    who: Person,
    now: int,
    comment: str | None = None,
) -> Suppression:
    """Store a suppression and apply it to alarms that are not over."""
    engine_state.keep_suppression(record)
    cycle.suppressions.append(record)
    detail = {"kind": str(record.kind), "point": record.point, "rule": record.rule, "reason": record.reason}
    if comment:
        detail["comment"] = comment
    cycle.acts.append(Act(now, who.name, who.role, action, "suppression", str(record.id), record.plant, detail))
    align_point(cycle, engine_state, record.plant, record.point, _cause(who, now))
    return record


def _cause(who: Person, now: int, **detail: object) -> Cause:
    return Cause(now, now, who.name, who.role, detail)
