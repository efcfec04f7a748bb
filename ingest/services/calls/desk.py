"""The desk of calls: every change of a call goes through it, one at a time, and is committed with its messages.

What is committed is decided by the call as it is in the database, so a process that is killed in between loses nothing
and does nothing twice: attempts have the ids they had.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from ingest.base.telemetry import Event, emit
from ingest.domain.calls.advance import Advanced, Duty, advance, begin, due
from ingest.domain.calls.config import CallsConfig
from ingest.domain.calls.facts import facts_of
from ingest.domain.calls.happenings import Happening, ReceiptArrived
from ingest.domain.calls.needs import Need
from ingest.domain.calls.report import call_message
from ingest.domain.calls.roster import Roster
from ingest.domain.model.audit import YUJING, Act, ActRole
from ingest.domain.model.call import (
    OVER,
    Call,
    CallAttempt,
    CallEvent,
    CallEventKind,
    Cause,
    LadderStep,
    OnDuty,
    Receipt,
    call_id,
)
from ingest.domain.model.outbox import Message, Waiting
from ingest.domain.model.plant import Plant
from ingest.domain.model.warning import Colour
from ingest.storage.state.call_store import CallStore

_WEEK: Final = 7 * 86_400 * 10**9

_SERVICE: Final = (YUJING, "service")

_REASONS: Final = {
    CallEventKind.ANSWERED: "answered",
    CallEventKind.WITHDRAWN: "withdrawn",
    CallEventKind.REFUSED: "refused",
}
"""Why messages of a call are withdrawn, by what happened; else the next person or try is rung."""

_RECORDED: Final = frozenset(CallEventKind) - {CallEventKind.RECEIPT, CallEventKind.RANG}
"""Events of a call that are acts in the audit trail, too; the others are in its own log."""


@dataclass(frozen=True, slots=True)
class CallAdvanced(Event, labels=("kind",)):
    """Something happened to a call: it began, rang somebody, was answered, found nobody."""

    kind: str
    call: str
    plant: str
    person: str | None


class CallDesk:
    """Begins and advances calls. Blocking; from any thread. Times are ns since the epoch, UTC."""

    def __init__(
        self,
        store: CallStore,
        config: CallsConfig,
        connectors: Collection[str],
        plant: Callable[[str], Plant | None],
        wake: Callable[[Sequence[Message] | None], None],
        withdrawn: Callable[[Mapping[str, Sequence[Waiting]]], None],
    ) -> None:
        """Write to that store.

        Args:
            store: of calls.
            config: the settings.
            connectors: names of those there are; what another should deliver has failed at once.
            plant: returns a plant by its id.
            wake: is called once messages were committed (`OutboxSender.wake`).
            withdrawn: is called with those that are not to be sent any more (`OutboxSender.withdraw`).
        """
        self.config = config
        self.store = store
        self._connectors = frozenset(connectors)
        self._plant = plant
        self._wake = wake
        self._withdrawn = withdrawn
        self._planned = config.roster()
        self._lock = threading.Lock()
        self.roster_lock = threading.Lock()  # held from what a change of the roster goes by until it is committed

    def roster(self, now: int) -> Roster:
        """Return the roster as it is now. Raises StateUnavailable."""
        return self._planned.with_changes(self.store.presences(now - _WEEK), self.store.swaps(now - _WEEK))

    def ladder(self, need: Need) -> tuple[LadderStep, ...]:
        """Return whom to call; empty: nobody."""
        plant = self._plant(need.plant)
        return self.config.ladder(need.plant, plant.region if plant else "", need.cause, need.colour)

    def roll_ladder(self, plant: Plant) -> tuple[LadderStep, ...]:
        """Return whom a roll call of a plant rings: the first step of its ladder, once; empty: nobody."""
        ladder = self.config.ladder(plant.id, plant.region, Cause.ROLL_CALL, Colour.RED)
        return tuple(replace(step, tries=1) for step in ladder[:1])

    def call_the_roll(self, plant: Plant, subject: str, now: int, actor: tuple[str, ActRole] = _SERVICE) -> Call | None:
        """Call the roll of a plant; None: nobody would be rung, or it began already. Raises StateUnavailable.

        `subject`: tells it from other roll calls.
        """
        ladder = self.roll_ladder(plant)
        if not ladder:
            return None
        facts = {
            "zh": {"enterprise": plant.name.zh, "level": "在岗抽查"},
            "en": {"enterprise": plant.name.en, "level": "on duty"},
        }
        deadline = now + sum(step.ring * step.tries for step in ladder)
        key = call_id(Cause.ROLL_CALL, subject, None)
        call = Call(key, plant.id, Cause.ROLL_CALL, subject, None, None, facts, now, now, deadline, ladder)
        return self.open(call, actor)

    def begin(self, need: Need, now: int) -> Call | None:
        """Begin the call of a need; None: there is one already, or its plant has no ladder. Raises StateUnavailable."""
        ladder = self.ladder(need)
        if not ladder:
            return None
        facts, since = facts_of(need, self._plant(need.plant))
        level = getattr(need.of, "level", None)
        deadline = now + self.config.deadline_s.ns(need.colour)
        subject = str(need.of.id)
        call = Call(need.id, need.plant, need.cause, subject, need.colour, level, facts, since, now, deadline, ladder)
        return self.open(call, _SERVICE)

    def open(self, call: Call, actor: tuple[str, ActRole] = _SERVICE) -> Call | None:
        """Begin a call; None: it began already. Raises StateUnavailable."""
        with self._lock:
            if self.store.call(call.id) is not None:
                return None
            duty = self._duty(call)
            return self._commit(None, begin(call, duty), duty, actor)

    def take(self, key: UUID, happened: Happening | int, actor: tuple[str, ActRole] = _SERVICE) -> Call | None:
        """Advance a call by what happened, or to a time; returns it as committed, None: there is none.

        `actor`: who did it, for the audit trail. Raises StateUnavailable.
        """
        with self._lock:
            call = self.store.call(key)
            if call is None:
                return None
            duty = self._duty(call)
            return self._commit(call, advance(call, happened, duty), duty, actor)

    def receive(self, arrived: ReceiptArrived) -> Call | None:
        """Take a receipt; returns its call, None: no call has that attempt. Raises StateUnavailable."""
        key = self.store.call_of(arrived.attempt)
        return None if key is None else self.take(key, arrived)

    def pass_time(self, now: int) -> int | None:
        """Do what rejections and time call for in all calls; returns when time alone does next.

        Raises:
            StateUnavailable: it is not known what is due.
        """
        upcoming: list[int] = []
        for found in self.store.open_calls():
            call = self._take_rejections(found, now)
            at = due(call)
            stepped_back = any(ringing.since > now for ringing in call.ringing)
            if at is not None and (at <= now or stepped_back):
                at = due(self.take(call.id, now) or call)
            if at is not None:
                upcoming.append(at)
        return min(upcoming, default=None)

    def _take_rejections(self, call: Call, now: int) -> Call:
        """Report attempts whose messages are dead letters as failed; returns the call as committed."""
        unheard = [attempt.id for attempt in call.attempts if attempt.receipt is Receipt.CALLED]
        for attempt, answer in self.store.rejected(unheard).items() if call.state not in OVER else ():
            words = answer.both if answer is not None else ""
            call = self.take(call.id, ReceiptArrived(now, attempt, Receipt.FAILED, words)) or call
        return call

    def _duty(self, call: Call) -> Duty:
        def duty(step: LadderStep, at: int) -> OnDuty:
            return self.roster(at).on_duty(call.plant, step, at)

        return duty

    def _commit(self, before: Call | None, advanced: Advanced, duty: Duty, actor: tuple[str, ActRole]) -> Call:
        advanced = self._without_unknown(advanced, duty)
        call = advanced.call
        if call == before:
            return call
        silenced = set(advanced.silenced)
        template = self.config.template(call.cause)
        messages = [
            call_message(call, attempt, template)
            for attempt in advanced.rung
            if attempt.connector in self._connectors and attempt.id not in silenced
        ]
        reason = next((_REASONS[event.kind] for event in advanced.events if event.kind in _REASONS), "passed on")
        acts = [_act(call, event, actor) for event in advanced.events if event.kind in _RECORDED]
        withdrawn = self.store.commit(advanced, messages, acts, f"call {call.id}: {reason}")
        for event in advanced.events:
            emit(CallAdvanced(str(event.kind), str(call.id), call.plant, event.person))
        self._withdrawn(withdrawn)
        if messages:
            self._wake(None)
        return call

    def _without_unknown(self, advanced: Advanced, duty: Duty) -> Advanced:
        """Report attempts by connectors that do not exist as failed; the ladder ends, and so does this."""
        while unknown := self._first_unknown(advanced):
            failed = ReceiptArrived(unknown.sent, unknown.id, Receipt.FAILED, f"no connector {unknown.connector}")
            following = advance(advanced.call, failed, duty)
            advanced = Advanced(
                following.call,
                advanced.rung + following.rung,
                advanced.silenced + following.silenced,
                advanced.events + following.events,
            )
        return advanced

    def _first_unknown(self, advanced: Advanced) -> CallAttempt | None:
        known = {attempt.id for attempt in advanced.call.attempts if attempt.receipt is not Receipt.CALLED}
        return next((of for of in advanced.rung if of.connector not in self._connectors and of.id not in known), None)


def _act(call: Call, event: CallEvent, actor: tuple[str, ActRole]) -> Act:
    by, role = actor
    detail = {"cause": str(call.cause), "subject": call.subject, **event.detail}
    if event.person is not None:
        detail["person"] = event.person
    return Act(event.time, by, role, str(event.kind), "call", str(call.id), call.plant, detail)
