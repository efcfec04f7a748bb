"""Advances a call by what happens and by time: whom it rings, whom it leaves, and when it stops (pure).

A try rings a person by all channels. It ends when its time is over or every channel reports that it failed. After the
last try, or a refusal, the next person on duty is rung; after the last person, the next step; after the last step
somebody has to go there. Any answer stops all of it.

A try that is noticed late, since the service was down, is followed by one with its full time: nobody is skipped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

from ingest.domain.calls.happenings import (
    Answer,
    Arrival,
    Happening,
    ReceiptArrived,
    Refusal,
    UnderWay,
    Withdrawal,
)
from ingest.domain.model.call import (
    MISSED,
    OVER,
    Call,
    CallAttempt,
    CallEvent,
    CallEventKind,
    CallState,
    Cause,
    Channel,
    LadderStep,
    OnDuty,
    Person,
    Receipt,
    Ringing,
    attempt_id,
)

Duty = Callable[[LadderStep, int], OnDuty]
"""Returns who is to be called by a step at a time (ns)."""


@dataclass(frozen=True, slots=True)
class Advanced:
    """A call after a step, and what has to be done for it.

    Attributes:
        rung: attempts to be sent.
        silenced: ids of attempts whose messages are withdrawn if they still wait.
        events: what happened, in order.
    """

    call: Call
    rung: tuple[CallAttempt, ...] = ()
    silenced: tuple[UUID, ...] = ()
    events: tuple[CallEvent, ...] = ()


def begin(call: Call, duty: Duty) -> Advanced:
    """Begin a call: its first step is called at once."""
    progress = _Progress(call, call.began, duty)
    progress.note(CallEventKind.BEGAN)
    progress.next_step()
    return progress.advanced()


def advance(call: Call, happened: Happening | int, duty: Duty) -> Advanced:
    """Advance a call by what happened, or to a time (ns). What concerns it no more changes nothing."""
    progress = _Progress(call, happened if isinstance(happened, int) else happened.time, duty)
    match happened:
        case int():
            progress.pass_time()
        case ReceiptArrived():
            progress.take(happened)
        case Answer(by=by, way=way):
            progress.answer(by, way)
        case Refusal(person=person, by=by):
            progress.refuse(person, by)
        case UnderWay(by=by, way=way):
            progress.go(by, way)
        case Arrival(by=by, way=way):
            progress.arrive(by, way)
        case Withdrawal(reason=reason):
            progress.withdraw(reason)
    return progress.advanced()


def due(call: Call) -> int | None:
    """Return when time alone changes the call next; None: never."""
    if call.state in OVER:
        return None
    times = [ringing.until for ringing in call.ringing]
    return min(times if call.overdue else [*times, call.deadline], default=None)


class _Progress:
    """A call while it is advanced at one moment."""

    def __init__(self, call: Call, now: int, duty: Duty) -> None:
        self._call, self._now, self._duty = call, now, duty
        self._rung: list[CallAttempt] = []
        self._silenced: list[UUID] = []
        self._events: list[CallEvent] = []

    def advanced(self) -> Advanced:
        call = self._call
        if self._events:
            call = replace(call, changed=self._now, events=call.events + len(self._events))
        return Advanced(call, tuple(self._rung), tuple(self._silenced), tuple(self._events))

    def note(self, kind: CallEventKind, person: str | None = None, **detail: str | int) -> None:
        number = self._call.events + len(self._events) + 1
        self._events.append(CallEvent(self._call.id, number, kind, self._now, person, detail))

    def pass_time(self) -> None:
        if self._call.state in OVER:
            return
        for ringing in self._call.ringing:
            if self._now < ringing.since:  # the service's clock was set back: the person has the full time from now
                moved = replace(ringing, since=self._now, until=self._now + self._ladder_step.ring)
                self._replace(ringing, moved)
            elif ringing.until <= self._now:
                self._end_try(ringing)
        if not self._call.overdue and self._call.deadline <= self._now:
            self._call = replace(self._call, overdue=True)
            self.note(CallEventKind.OVERDUE)

    def take(self, arrived: ReceiptArrived) -> None:
        attempt = next((attempt for attempt in self._call.attempts if attempt.id == arrived.attempt), None)
        if attempt is None or arrived.receipt.rank <= attempt.receipt.rank:
            return
        known = replace(attempt, receipt=arrived.receipt, changed=self._now)
        attempts = tuple(known if other is attempt else other for other in self._call.attempts)
        self._call = replace(self._call, attempts=attempts)
        if arrived.receipt.rank > Receipt.ANSWERED.rank:  # sent again it would ring again
            self._silenced.append(known.id)
        detail = {"words": arrived.detail} if arrived.detail else {}
        self.note(CallEventKind.RECEIPT, attempt.person, way=attempt.connector, receipt=arrived.receipt, **detail)
        if arrived.receipt is Receipt.ACKNOWLEDGED:
            self.answer(attempt.person, attempt.connector)
            return
        ringing = next((ringing for ringing in self._call.ringing if ringing.ring == attempt.ring), None)
        if arrived.receipt is Receipt.REFUSED:
            self.refuse(attempt.person, attempt.person)
        elif ringing is not None and arrived.receipt is Receipt.ANSWERED:  # time to hear the message and to press 1
            until = max(ringing.until, self._now + self._ladder_step.ring)
            self._replace(ringing, replace(ringing, until=until))
        elif ringing is not None and all(each.receipt in MISSED for each in self._of_ring(ringing.ring)):
            self._end_try(ringing)

    def answer(self, by: str, way: str) -> None:
        """Take the first answer; it counts as well after the whole ladder was called in vain."""
        if self._call.state in OVER:
            return
        self._stop(CallState.ANSWERED)
        self._call = replace(self._call, answered_by=by, answered=self._now, by_way=way)
        self.note(CallEventKind.ANSWERED, by, way=way)

    def refuse(self, person: str, by: str) -> None:
        ringing = next((ringing for ringing in self._call.ringing if ringing.person == person), None)
        if ringing is None:
            return
        self.note(CallEventKind.REFUSED, person, by=by)
        self._leave(ringing)

    def go(self, by: str, way: str) -> None:
        self.answer(by, way)
        if self._call.under_way is None and self._call.arrived is None:
            self._call = replace(self._call, under_way_by=by, under_way=self._now)
            self.note(CallEventKind.UNDER_WAY, by, way=way)

    def arrive(self, by: str, way: str) -> None:
        self.answer(by, way)
        if self._call.arrived is None:
            self._call = replace(self._call, arrived_by=by, arrived=self._now)
            self.note(CallEventKind.ARRIVED, by, way=way)

    def withdraw(self, reason: str) -> None:
        if self._call.state in OVER:
            return
        self._stop(CallState.WITHDRAWN)
        self.note(CallEventKind.WITHDRAWN, reason=reason)

    def next_step(self) -> None:
        """Call the next step that has anybody to be called."""
        while self._call.step + 1 < len(self._call.ladder):
            self._call = replace(self._call, step=self._call.step + 1, called=())
            step = self._ladder_step
            self.note(CallEventKind.STEP, step=self._call.step + 1, title=step.title)
            if self._duty(step, self._now).gap:
                self.note(CallEventKind.GAP, step=self._call.step + 1, title=step.title)
            while self._next_person() and step.parallel:
                pass
            if self._call.ringing:
                return
            self.note(CallEventKind.NOBODY, step=self._call.step + 1, title=step.title)
        self._call = replace(self._call, state=CallState.UNANSWERED)
        self.note(CallEventKind.EXHAUSTED)
        if self._call.cause is not Cause.ROLL_CALL:
            self._call = replace(self._call, errand=self._now)
            self.note(CallEventKind.SEND_SOMEBODY)

    @property
    def _ladder_step(self) -> LadderStep:
        return self._call.ladder[self._call.step]

    def _next_person(self) -> bool:
        """Ring the next person on duty whom this step has not called; False: there is none."""
        for person in self._duty(self._ladder_step, self._now).people:
            if person.name in self._call.called:
                continue
            self._call = replace(self._call, called=(*self._call.called, person.name))
            if person.channels:
                self._ring(person, 1)
                return True
            self.note(CallEventKind.UNREACHABLE, person.name)
        return False

    def _ring(self, person: Person, attempt: int) -> None:
        """Send a person a message by each channel."""
        call, ring = self._call, self._call.rings + 1
        until = self._now + self._ladder_step.ring
        sent = [
            CallAttempt(
                attempt_id(call.id, len(call.attempts) + number),
                call.step, ring, attempt, person.name, channel.connector, channel.address, self._now, until,
            )
            for number, channel in enumerate(person.channels, 1)
        ]  # fmt: skip
        ringing = Ringing(person.name, ring, attempt, self._now, until)
        self._call = replace(call, rings=ring, attempts=(*call.attempts, *sent), ringing=(*call.ringing, ringing))
        self._rung += sent
        self.note(CallEventKind.RANG, person.name, attempt=attempt, ways="、".join(each.connector for each in sent))

    def _end_try(self, ringing: Ringing) -> None:
        """Try the person again, or leave him."""
        if ringing.attempt >= self._ladder_step.tries:
            self.note(CallEventKind.PASSED_ON, ringing.person, attempts=ringing.attempt)
            self._leave(ringing)
            return
        self._silence(ringing)
        channels = tuple(Channel(each.connector, each.address) for each in self._of_ring(ringing.ring))
        self._ring(Person(ringing.person, channels), ringing.attempt + 1)

    def _leave(self, ringing: Ringing) -> None:
        """Stop ringing a person, and ring the next: of this step, or of the next one once nobody is rung any more."""
        self._silence(ringing)
        if not self._ladder_step.parallel and self._next_person():
            return
        if not self._call.ringing:
            self.next_step()

    def _stop(self, state: CallState) -> None:
        for ringing in self._call.ringing:
            self._silence(ringing)
        self._call = replace(self._call, state=state, ended=self._now)

    def _silence(self, ringing: Ringing) -> None:
        self._call = replace(self._call, ringing=tuple(other for other in self._call.ringing if other is not ringing))
        self._silenced += [each.id for each in self._of_ring(ringing.ring)]

    def _replace(self, ringing: Ringing, by: Ringing) -> None:
        kept = tuple(by if other is ringing else other for other in self._call.ringing)
        self._call = replace(self._call, ringing=kept)

    def _of_ring(self, ring: int) -> list[CallAttempt]:
        return [attempt for attempt in self._call.attempts if attempt.ring == ring]
