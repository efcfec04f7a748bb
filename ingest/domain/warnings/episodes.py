"""The warnings of one plant, moved on by what is learnt of it, by time and by people (pure: time is passed in).

Whatever becomes due is done at its own moment, in order, however late somebody looks: so the same things happen however
time is cut into looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from ingest.domain.model.changed import done_before
from ingest.domain.model.payload import iso
from ingest.domain.model.text import Text
from ingest.domain.model.warning import (
    Asked,
    Colour,
    EarlyWarning,
    Fact,
    Feedback,
    Ground,
    WarningEvent,
    WarningEventKind,
    WarningState,
    warning_event_id,
    warning_id,
)
from ingest.domain.warnings import colour, escalation, risk
from ingest.domain.warnings.derive import Called, derive, reasons
from ingest.domain.warnings.policy import Actor, PlantContext, WarningPolicy

QUIET: Final = 10 * 10**9
"""Ns. That reasons have only gone is told this long after the last event at the earliest: what comes and goes all the
time is one story, and each event keeps all its reasons for good."""

NEVER: Final = 2**63 - 1
"""The due time of nothing."""

_ACKNOWLEDGED: Final = Text("确认该预警", "acknowledged this warning")
_ANSWERED: Final = Text("反馈该预警", "gave feedback on this warning")

PLANT_REMOVED: Final = {"comment": "企业已移出配置 plant removed from configuration"}
"""What is said with the end of a warning whose plant is watched no more."""


class WarningEpisodes:
    """One plant's facts, and its episodes that are not closed: at most one of them is open.

    Attributes:
        facts: by key; those that are over stay as long as they count for anything.
        live: episodes by id, oldest first.
        due: when something happens by itself next, ns.
    """

    def __init__(self, place: PlantContext, terms: WarningPolicy, at: int, *, stepped: int = 0) -> None:
        """`at`: when it begins; `stepped`: by how much the clock was set so far, ns."""
        self.place = place
        self.facts: dict[str, Fact] = {}
        self.live: dict[UUID, EarlyWarning] = {}
        self.due = NEVER
        self._terms = terms
        self._at = at
        self._reached = at  # since when people can be reached
        self._stepped = stepped
        self._called = Called()
        self._told: tuple[tuple[Ground, ...], frozenset[tuple[str, str]]] = (), frozenset()
        self._fading: dict[Colour, int] = {}
        self._events: list[WarningEvent] = []

    @property
    def open(self) -> EarlyWarning | None:
        """The open episode, if there is one."""
        return next((one for one in list(self.live.values()) if one.state is WarningState.OPEN), None)

    @property
    def idle(self) -> bool:
        """Whether there is nothing to watch."""
        return not self.live and not self.facts

    def resume(self, warnings: Iterable[EarlyWarning], facts: Iterable[Fact]) -> None:
        """Go on with episodes as they were committed, and the facts as they were then; nothing happens yet."""
        for warning in warnings:
            self.live[warning.id] = _shifted(warning, self._stepped - warning.stepped, self._stepped, self._at)
        self.facts = {fact.key: fact for fact in facts}
        current = self.open
        if current is not None:
            top = max((ground.colour for ground in current.inputs), default=None)
            same = current.rules == self._terms.rules.version
            self._called = Called(top, current.inputs, current.changed if same else self._at)
            self._fading = dict(current.fading)
        elif self.facts:
            self._called = Called(due=self._at)
        self._at = 0  # what became due while nobody looked is done at its own moment
        self._set_due()

    def pass_time(self, now: int) -> list[WarningEvent]:
        """Everything that became due up to `now`."""
        self._pass(now)
        return self._take()

    def excuse(self, since: int, until: int) -> list[WarningEvent]:
        """Between these times the service reached nobody: deadlines go on from where they stood, and that is told.

        What nobody has to do (a colour rises with age, or falls) is done at its own moment all the same.
        """
        since = self._pass(since)
        if until > since:
            for key, one in self.live.items():
                if one.asking is not None:
                    self.live[key] = replace(one, asked=one.asked + until - since)
            self._reached = until
            self._set_due()
            self._pass(until)
            away = {"away_since": iso(since), "away_s": (until - since) // 10**9}
            for one in [*self.live.values()]:
                if one.asking is not None:
                    self._tell(WarningEventKind.RESUMED, one, until, away)
            self._set_due()
        return self._take()

    def remove(self, now: int) -> list[WarningEvent]:
        """The plant is configured no more: nothing is asked of anybody any more, and that is told."""
        time = self._pass(now)
        self.facts, self._fading, self._called = {}, {}, Called()
        for one in [*self.live.values()]:
            over = replace(one, asking=None)
            if one.state is WarningState.OPEN:
                over = replace(over, colour=None, since=time, state=WarningState.OVER, ended=time)
                over = self._tell(WarningEventKind.ENDED, over, time, PLANT_REMOVED)
            self._tell(WarningEventKind.CLOSED, replace(over, state=WarningState.CLOSED), time, PLANT_REMOVED)
        self.live = {}
        self._set_due()
        return self._take()

    def learn(
        self, time: int, *, known: Iterable[Fact] = (), over: Iterable[str] = (), void: Iterable[str] = ()
    ) -> list[WarningEvent]:
        """At `time`: facts as they are now, keys of those that are over, and of those that never counted."""
        time = self._pass(time)
        for fact in known:
            before = self.facts.get(fact.key)
            same = before is not None and before.gone is None
            self.facts[fact.key] = replace(fact, since=before.since) if before is not None and same else fact
        for key in over:
            gone = self.facts.get(key)
            if gone is not None and gone.gone is None:
                self.facts[key] = replace(gone, gone=time)
        voided = [key for key in void if self.facts.pop(key, None) is not None]
        self._judge(time, at_once=bool(voided))
        self._set_due()
        return self._take()

    def acknowledge(self, warning: UUID, hand: Actor, comment: str | None = None) -> list[WarningEvent]:
        """Somebody has seen it; from now on feedback is asked for.

        What time brings up to then happens first, and also if this is refused: `pass_time` tells it.

        Raises:
            KeyError: it is not known here, or closed.
            ValueError: it cannot be acknowledged as things stand, or not by them.
        """
        time = self._pass(hand.time)
        current = self.live[warning]
        if current.asking is not Asked.ACKNOWLEDGEMENT:
            raise done_before(_ACKNOWLEDGED, current.acknowledged_by, current.acknowledged)
        if not escalation.may_acknowledge(hand.role, current.step, assigned=bool(self.place.duty.at(current.step))):
            raise ValueError(f"it has gone up to the {current.step}, who must acknowledge it")
        self._acknowledge(current, hand, time, {"comment": comment} if comment else {})
        self._set_due()
        return self._take()

    def feed_back(self, warning: UUID, hand: Actor, cause: str, measure: str) -> list[WarningEvent]:
        """Somebody says what it was and what was done; who can say so has seen it. Raises as `acknowledge`."""
        time = self._pass(hand.time)
        current = self.live[warning]
        if current.feedback is not None:
            raise done_before(_ANSWERED, current.feedback.by, current.feedback.time)
        if current.asking is Asked.ACKNOWLEDGEMENT:
            current = self._acknowledge(current, hand, time, {})
        given = Feedback(cause, measure, hand.by, time)
        current = replace(current, feedback=given, asking=None)
        said = {"cause": cause, "measure": measure}
        current = self._tell(WarningEventKind.FEEDBACK, current, time, said, hand)
        self._close(current, time)
        self._set_due()
        return self._take()

    def shift(self, step: int) -> None:
        """The service's clock was set by `step` ns: everything that counts from a time moves along."""
        self._stepped += step
        self._at += step
        self._reached += step
        self._fading = {one: since + step for one, since in self._fading.items()}
        self.facts = {
            key: replace(fact, since=fact.since + step, gone=None if fact.gone is None else fact.gone + step)
            for key, fact in self.facts.items()
        }
        self.live = {key: _shifted(one, step, self._stepped) for key, one in self.live.items()}
        if self._called.due is not None:
            self._called = replace(self._called, due=self._called.due + step)
        self._set_due()

    def _pass(self, now: int) -> int:
        """Do what became due up to `now`; time never goes back. Returns the moment it is then."""
        while self.due <= now:
            time = max(self.due, self._at)
            if min(self._called.due or NEVER, self._fall(), self._thinned()) <= time:
                self._judge(time)
            for one in [*self.live.values()]:
                if (escalation.due(one, self._terms.pace) or NEVER) <= time:
                    self._press(one)
            self._at = time
            self._set_due()
        self._at = max(self._at, now)
        return self._at

    def _fall(self) -> int:
        return colour.next_fall(self._fading, self._terms.fall_after) or NEVER

    def _thinned(self) -> int:
        """When it is told that reasons have gone."""
        current = self.open
        if current is None or self._called.reasons == self._reasons(current):
            return NEVER
        return current.changed + QUIET

    def _reasons(self, current: EarlyWarning) -> frozenset[tuple[str, str]]:
        """The reasons that were told with it last."""
        if self._told[0] is not current.inputs:
            self._told = current.inputs, reasons(current.inputs)
        return self._told[1]

    def _set_due(self) -> None:
        dues = (escalation.due(one, self._terms.pace) for one in self.live.values())
        self.due = min(self._called.due or NEVER, self._fall(), self._thinned(), *(due or NEVER for due in dues))

    def _judge(self, time: int, *, at_once: bool = False) -> None:
        """Derive the colour anew, and tell what that changes; with `at_once` also that reasons have only gone."""
        longest = self._terms.rules.longest
        self.facts = {
            key: fact
            for key, fact in self.facts.items()
            if fact.gone is None or not (risk.forgotten(fact, time) and time >= fact.since + longest)
        }
        before, called = self._called, derive(self.facts.values(), self._terms.rules, time)
        self._called = called
        fading = colour.fade(self._fading, before.colour, called.colour, time)
        self._fading = colour.lasting(fading, time, self._terms.fall_after)
        shows = colour.shown(called.colour, self._fading, time, self._terms.fall_after)
        current = self.open
        if current is None:
            if shows is not None:
                self._begin(shows, time)
        elif shows is None:
            over = replace(current, colour=None, since=time, state=WarningState.OVER, ended=time)
            self._close(self._tell(WarningEventKind.ENDED, over, time), time)
        elif shows != current.colour:
            was = str(current.colour)
            changed = self._risen(replace(current, colour=shows, since=time), time)
            self._tell(WarningEventKind.COLOUR_CHANGED, changed, time, {"from": was, "to": str(shows)})
        elif called.reasons - (had := self._reasons(current)) or (
            called.reasons != had and (at_once or time >= current.changed + QUIET)
        ):
            self._tell(WarningEventKind.INPUTS_CHANGED, current, time)

    def _begin(self, shows: Colour, time: int) -> None:
        """A new episode, or the last one again."""
        lately = [one for one in self.live.values() if one.ended is not None and time - one.ended <= self._terms.reopen]
        if lately:
            again = replace(lately[-1], colour=shows, since=time, state=WarningState.OPEN, ended=None)
            self._tell(WarningEventKind.REOPENED, self._risen(again, time), time)
            return
        first = self.place.duty.first()
        fresh = EarlyWarning(
            id=warning_id(self.place.plant, time),
            plant=self.place.plant,
            colour=shows,
            peak=shows,
            since=time,
            raised=time,
            state=WarningState.OPEN,
            step=first,
            asking=Asked.ACKNOWLEDGEMENT,
            asked=max(time, self._reached),
            reminded=0,
            risk=0.0,
            rules="",
            inputs=(),
        )
        passed = [str(step) for step in escalation.STEPS if step < first]
        self._tell(WarningEventKind.RAISED, fresh, time, {"passed": passed} if passed else {})

    def _risen(self, current: EarlyWarning, time: int) -> EarlyWarning:
        """Above its peak it is another matter: it must be seen and answered anew, by the step it has come to."""
        if current.colour is None or current.colour <= current.peak:
            return current
        return replace(
            current,
            peak=current.colour,
            asking=Asked.ACKNOWLEDGEMENT,
            asked=max(time, self._reached),
            reminded=0,
            acknowledged=None,
            acknowledged_by=None,
            feedback=None,
        )

    def _press(self, current: EarlyWarning) -> None:
        time = escalation.due(current, self._terms.pace) or 0
        kind, changed, detail = escalation.escalate(current, self._terms.pace, self.place.duty)
        self._tell(kind, changed, time, detail)

    def _acknowledge(self, current: EarlyWarning, hand: Actor, time: int, detail: Mapping[str, Any]) -> EarlyWarning:
        seen = replace(
            current,
            acknowledged=time,
            acknowledged_by=hand.by,
            asking=Asked.FEEDBACK,
            asked=time,
            reminded=0,
        )
        return self._tell(WarningEventKind.ACKNOWLEDGED, seen, time, detail, hand)

    def _close(self, current: EarlyWarning, time: int) -> None:
        """It is closed once the colour is gone and feedback was given."""
        if current.state is WarningState.OVER and current.feedback is not None:
            self._tell(WarningEventKind.CLOSED, replace(current, state=WarningState.CLOSED), time)
            del self.live[current.id]

    def _tell(
        self,
        kind: WarningEventKind,
        changed: EarlyWarning,
        time: int,
        detail: Mapping[str, Any] | None = None,
        hand: Actor | None = None,
    ) -> EarlyWarning:
        """Keep the warning as it is now, and tell what happened."""
        now = replace(
            changed,
            risk=risk.index(self.place.inherent, self.facts.values(), time),
            rules=self._terms.rules.version,
            inputs=self._called.grounds if changed.state is WarningState.OPEN else (),
            fading=dict(self._fading) if changed.state is WarningState.OPEN else {},
            until=escalation.deadline(changed, self._terms.pace),
            who=self.place.duty.at(changed.step) if changed.asking else (),
            changed=time,
            stepped=self._stepped,
            events=changed.events + 1,
        )
        self.live[now.id] = now
        name = warning_event_id(now.id, now.events, kind)
        by, role = (hand.by, hand.role) if hand else (None, None)
        self._events.append(WarningEvent(0, name, kind, time, now, by, role, detail or {}))
        return now

    def _take(self) -> list[WarningEvent]:
        taken, self._events = self._events, []
        return taken


def _shifted(warning: EarlyWarning, step: int, stepped: int, latest: int = NEVER) -> EarlyWarning:
    """The warning with everything that counts from a time moved by `step`, and nothing later than `latest`."""
    return replace(
        warning,
        asked=min(warning.asked + step, latest),
        until=None if warning.until is None else warning.until + step,
        ended=None if warning.ended is None else min(warning.ended + step, latest),
        fading={shade: min(since + step, latest) for shade, since in warning.fading.items()},
        changed=min(warning.changed + step, latest),
        stepped=stepped,
    )
