"""The warning episodes of one plant, advanced by new facts, by time and by people (pure: time is passed in).

Whatever becomes due happens at its due time, in order, however late the call: so the events are the same however
time is cut into calls.
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
from ingest.domain.warnings.derive import Derivation, derive, reasons
from ingest.domain.warnings.policy import Actor, PlantContext, WarningPolicy

QUIET: Final = 10 * 10**9
"""Ns after the last event before the mere loss of reasons makes another: each event stores all its reasons, and facts
that come and go would fill the log."""

NEVER: Final = 2**63 - 1
"""The due time if nothing is due."""

_ACKNOWLEDGED: Final = Text("确认该预警", "acknowledged this warning")
_ANSWERED: Final = Text("反馈该预警", "gave feedback on this warning")

PLANT_REMOVED: Final = {"comment": "企业已移出配置 plant removed from configuration"}
"""The detail of the last events of a warning whose plant was removed."""


class WarningEpisodes:
    """A plant's facts, and its warning episodes that are not closed, of which at most one is open.

    Attributes:
        facts: by key; those that have ended stay as long as they count for anything.
        live: episodes by id, oldest first.
        due: when the next change by time is due, ns.
    """

    def __init__(self, context: PlantContext, policy: WarningPolicy, at: int, *, stepped: int = 0) -> None:
        """`at`: the time it begins at; `stepped`: by how much the clock was set so far, ns."""
        self.context = context
        self.facts: dict[str, Fact] = {}
        self.live: dict[UUID, EarlyWarning] = {}
        self.due = NEVER
        self._policy = policy
        self._at = at
        self._reached = at  # since when people can be reached
        self._stepped = stepped
        self._derived = Derivation()
        self._reported: tuple[tuple[Ground, ...], frozenset[tuple[str, str]]] = (), frozenset()
        self._fading: dict[Colour, int] = {}
        self._events: list[WarningEvent] = []

    @property
    def open(self) -> EarlyWarning | None:
        """The open episode, if there is one."""
        return next((episode for episode in list(self.live.values()) if episode.state is WarningState.OPEN), None)

    @property
    def idle(self) -> bool:
        """Whether it has neither facts nor episodes."""
        return not self.live and not self.facts

    def resume(self, warnings: Iterable[EarlyWarning], facts: Iterable[Fact]) -> None:
        """Restore committed episodes and the facts of that time; no event arises yet."""
        for warning in warnings:
            self.live[warning.id] = _shifted(warning, self._stepped - warning.stepped, self._stepped, self._at)
        self.facts = {fact.key: fact for fact in facts}
        current = self.open
        if current is not None:
            top = max((ground.colour for ground in current.inputs), default=None)
            same = current.rules == self._policy.rules.version
            self._derived = Derivation(top, current.inputs, current.changed if same else self._at)
            self._fading = dict(current.fading)
        elif self.facts:
            self._derived = Derivation(due=self._at)
        self._at = 0  # what became due meanwhile happens at its due time
        self._set_due()

    def pass_time(self, now: int) -> list[WarningEvent]:
        """Return the events that became due up to `now`."""
        self._advance(now)
        return self._take_events()

    def extend_deadlines(self, since: int, until: int) -> list[WarningEvent]:
        """Extend deadlines over a time in which the service reached nobody, and record that.

        Changes that ask nothing of people (a colour rises with age, or falls) still happen at their due time.
        """
        since = self._advance(since)
        if until > since:
            for key, episode in self.live.items():
                if episode.asking is not None:
                    self.live[key] = replace(episode, asked=episode.asked + until - since)
            self._reached = until
            self._set_due()
            self._advance(until)
            away = {"away_since": iso(since), "away_s": (until - since) // 10**9}
            for episode in [*self.live.values()]:
                if episode.asking is not None:
                    self._record(WarningEventKind.RESUMED, episode, until, away)
            self._set_due()
        return self._take_events()

    def remove(self, now: int) -> list[WarningEvent]:
        """End and close all episodes of a plant that was removed from configuration."""
        time = self._advance(now)
        self.facts, self._fading, self._derived = {}, {}, Derivation()
        for episode in [*self.live.values()]:
            over = replace(episode, asking=None)
            if episode.state is WarningState.OPEN:
                over = replace(over, colour=None, since=time, state=WarningState.OVER, ended=time)
                over = self._record(WarningEventKind.ENDED, over, time, PLANT_REMOVED)
            self._record(WarningEventKind.CLOSED, replace(over, state=WarningState.CLOSED), time, PLANT_REMOVED)
        self.live = {}
        self._set_due()
        return self._take_events()

    def learn(
        self, time: int, *, known: Iterable[Fact] = (), over: Iterable[str] = (), void: Iterable[str] = ()
    ) -> list[WarningEvent]:
        """Update facts at `time`: `known` as they are now, keys of those `over`, and of those `void` from the start."""
        time = self._advance(time)
        for fact in known:
            before = self.facts.get(fact.key)
            same = before is not None and before.gone is None
            self.facts[fact.key] = replace(fact, since=before.since) if before is not None and same else fact
        for key in over:
            ended = self.facts.get(key)
            if ended is not None and ended.gone is None:
                self.facts[key] = replace(ended, gone=time)
        voided = [key for key in void if self.facts.pop(key, None) is not None]
        self._evaluate(time, at_once=bool(voided))
        self._set_due()
        return self._take_events()

    def acknowledge(self, warning: UUID, actor: Actor, comment: str | None = None) -> list[WarningEvent]:
        """Acknowledge a warning; from then on feedback is asked for.

        What is due up to then happens first, also if this is refused: `pass_time` returns those events.

        Raises:
            KeyError: it is not known here, or closed.
            ValueError: it cannot be acknowledged now, or not by this actor.
        """
        time = self._advance(actor.time)
        current = self.live[warning]
        if current.asking is not Asked.ACKNOWLEDGEMENT:
            raise done_before(_ACKNOWLEDGED, current.acknowledged_by, current.acknowledged)
        if not escalation.may_acknowledge(actor.role, current.step, assigned=bool(self.context.duty.at(current.step))):
            raise ValueError(f"it has gone up to the {current.step}, who must acknowledge it")
        self._acknowledge(current, actor, time, {"comment": comment} if comment else {})
        self._set_due()
        return self._take_events()

    def give_feedback(self, warning: UUID, actor: Actor, cause: str, measure: str) -> list[WarningEvent]:
        """Record cause and measure; this also acknowledges the warning. Raises as `acknowledge`."""
        time = self._advance(actor.time)
        current = self.live[warning]
        if current.feedback is not None:
            raise done_before(_ANSWERED, current.feedback.by, current.feedback.time)
        if current.asking is Asked.ACKNOWLEDGEMENT:
            current = self._acknowledge(current, actor, time, {})
        given = Feedback(cause, measure, actor.by, time)
        current = replace(current, feedback=given, asking=None)
        detail = {"cause": cause, "measure": measure}
        current = self._record(WarningEventKind.FEEDBACK, current, time, detail, actor)
        self._close(current, time)
        self._set_due()
        return self._take_events()

    def shift(self, step: int) -> None:
        """Shift every time that durations count from by `step` ns, by which the service's clock was set."""
        self._stepped += step
        self._at += step
        self._reached += step
        self._fading = {shade: since + step for shade, since in self._fading.items()}
        self.facts = {
            key: replace(fact, since=fact.since + step, gone=None if fact.gone is None else fact.gone + step)
            for key, fact in self.facts.items()
        }
        self.live = {key: _shifted(episode, step, self._stepped) for key, episode in self.live.items()}
        if self._derived.due is not None:
            self._derived = replace(self._derived, due=self._derived.due + step)
        self._set_due()

    def _advance(self, now: int) -> int:
        """Process what became due up to `now` and return the time then; time never goes back."""
        while self.due <= now:
            time = max(self.due, self._at)
            if min(self._derived.due or NEVER, self._next_fall(), self._removal_due()) <= time:
                self._evaluate(time)
            for episode in [*self.live.values()]:
                if (escalation.due(episode, self._policy.deadlines) or NEVER) <= time:
                    self._escalate(episode)
            self._at = time
            self._set_due()
        self._at = max(self._at, now)
        return self._at

    def _next_fall(self) -> int:
        return colour.next_fall(self._fading, self._policy.fall_after) or NEVER

    def _removal_due(self) -> int:
        """Return when the loss of reasons is to be recorded."""
        current = self.open
        if current is None or self._derived.reasons == self._reasons(current):
            return NEVER
        return current.changed + QUIET

    def _reasons(self, current: EarlyWarning) -> frozenset[tuple[str, str]]:
        """Return the reasons in its last event."""
        if self._reported[0] is not current.inputs:
            self._reported = current.inputs, reasons(current.inputs)
        return self._reported[1]

    def _set_due(self) -> None:
        dues = (escalation.due(episode, self._policy.deadlines) for episode in self.live.values())
        self.due = min(
            self._derived.due or NEVER, self._next_fall(), self._removal_due(), *(due or NEVER for due in dues)
        )

    def _evaluate(self, time: int, *, at_once: bool = False) -> None:
        """Derive the colour and record what that changes; with `at_once` also the mere loss of reasons."""
        longest = self._policy.rules.longest
        self.facts = {
            key: fact
            for key, fact in self.facts.items()
            if fact.gone is None or not (risk.forgotten(fact, time) and time >= fact.since + longest)
        }
        before, derived = self._derived, derive(self.facts.values(), self._policy.rules, time)
        self._derived = derived
        fading = colour.fade(self._fading, before.colour, derived.colour, time)
        self._fading = colour.lasting(fading, time, self._policy.fall_after)
        shows = colour.shown(derived.colour, self._fading, time, self._policy.fall_after)
        current = self.open
        if current is None:
            if shows is not None:
                self._begin(shows, time)
        elif shows is None:
            over = replace(current, colour=None, since=time, state=WarningState.OVER, ended=time)
            self._close(self._record(WarningEventKind.ENDED, over, time), time)
        elif shows != current.colour:
            was = str(current.colour)
            changed = self._above_peak(replace(current, colour=shows, since=time), time)
            self._record(WarningEventKind.COLOUR_CHANGED, changed, time, {"from": was, "to": str(shows)})
        elif derived.reasons - (had := self._reasons(current)) or (
            derived.reasons != had and (at_once or time >= current.changed + QUIET)
        ):
            self._record(WarningEventKind.INPUTS_CHANGED, current, time)

    def _begin(self, shows: Colour, time: int) -> None:
        """Begin a new episode, or reopen the last one."""
        lately = [
            episode
            for episode in self.live.values()
            if episode.ended is not None and time - episode.ended <= self._policy.reopen
        ]
        if lately:
            again = replace(lately[-1], colour=shows, since=time, state=WarningState.OPEN, ended=None)
            self._record(WarningEventKind.REOPENED, self._above_peak(again, time), time)
            return
        first = self.context.duty.first()
        fresh = EarlyWarning(
            id=warning_id(self.context.plant, time),
            plant=self.context.plant,
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
        self._record(WarningEventKind.RAISED, fresh, time, {"passed": passed} if passed else {})

    def _above_peak(self, current: EarlyWarning, time: int) -> EarlyWarning:
        """Ask for acknowledgement and feedback again if the colour is above its peak, from the present tier."""
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

    def _escalate(self, current: EarlyWarning) -> None:
        time = escalation.due(current, self._policy.deadlines) or 0
        kind, changed, detail = escalation.escalate(current, self._policy.deadlines, self.context.duty)
        self._record(kind, changed, time, detail)

    def _acknowledge(self, current: EarlyWarning, actor: Actor, time: int, detail: Mapping[str, Any]) -> EarlyWarning:
        seen = replace(
            current,
            acknowledged=time,
            acknowledged_by=actor.by,
            asking=Asked.FEEDBACK,
            asked=time,
            reminded=0,
        )
        return self._record(WarningEventKind.ACKNOWLEDGED, seen, time, detail, actor)

    def _close(self, current: EarlyWarning, time: int) -> None:
        """Close an episode that has ended and has feedback."""
        if current.state is WarningState.OVER and current.feedback is not None:
            self._record(WarningEventKind.CLOSED, replace(current, state=WarningState.CLOSED), time)
            del self.live[current.id]

    def _record(
        self,
        kind: WarningEventKind,
        changed: EarlyWarning,
        time: int,
        detail: Mapping[str, Any] | None = None,
        actor: Actor | None = None,
    ) -> EarlyWarning:
        """Store the warning in its new state and record the event."""
        now = replace(
            changed,
            risk=risk.index(self.context.inherent, self.facts.values(), time),
            rules=self._policy.rules.version,
            inputs=self._derived.grounds if changed.state is WarningState.OPEN else (),
            fading=dict(self._fading) if changed.state is WarningState.OPEN else {},
            until=escalation.deadline(changed, self._policy.deadlines),
            who=self.context.duty.at(changed.step) if changed.asking else (),
            changed=time,
            stepped=self._stepped,
            events=changed.events + 1,
        )
        self.live[now.id] = now
        name = warning_event_id(now.id, now.events, kind)
        by, role = (actor.by, actor.role) if actor else (None, None)
        self._events.append(WarningEvent(0, name, kind, time, now, by, role, detail or {}))
        return now

    def _take_events(self) -> list[WarningEvent]:
        events, self._events = self._events, []
        return events


def _shifted(warning: EarlyWarning, step: int, stepped: int, latest: int = NEVER) -> EarlyWarning:
    """Return the warning with every time that durations count from moved by `step`, and none later than `latest`."""
    return replace(
        warning,
        asked=min(warning.asked + step, latest),
        until=None if warning.until is None else warning.until + step,
        ended=None if warning.ended is None else min(warning.ended + step, latest),
        fading={shade: min(since + step, latest) for shade, since in warning.fading.items()},
        changed=min(warning.changed + step, latest),
        stepped=stepped,
    )
