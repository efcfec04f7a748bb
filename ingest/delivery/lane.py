"""One connector's way through the outbox: what waits for it, what is sent next, and what became of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from ingest.base.telemetry import emit
from ingest.delivery import outbox_access
from ingest.delivery.bodies import Bodies
from ingest.delivery.connector import Outcome, Scheduled
from ingest.delivery.delivery_queue import DeliveryQueue
from ingest.delivery.events import (
    DeliveryFailed,
    DeliveryOverdue,
    MessageRejected,
    MessagesDelivered,
    MessagesUnreadable,
)
from ingest.delivery.outbox_access import KINDS, Outbox, PatientOutbox, storable
from ingest.delivery.outcomes import Outcomes
from ingest.delivery.rejections import Rejections
from ingest.domain.model.delivery_failure import Failure
from ingest.domain.model.outbox import Attempt, Message, MessageKind, Waiting

T = TypeVar("T", Message, Waiting)

RECHECK_S: Final = 60.0
"""The longest sleep; then the outbox is queried again even if nobody woke the lane."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How deliveries to one connector stand.

    Attributes:
        loaded: whether the outbox was queried since the start; until then `queued` is too little.
        queued: messages that wait in memory.
        beyond: the number after which readings wait in the outbox alone; None: none do.
        down: whether the destination counts as down: one delivery at a time probes it.
    """

    loaded: bool
    queued: int
    beyond: int | None
    down: bool


class Lane:
    """Delivers one connector's messages, with a task for each delivery. Belongs to one event loop.

    What is committed while it is awake is queued and begun at once, in the pass of the loop that is informed of it; the
    lane's own task only queries the outbox.

    Attributes:
        queue: what waits.
        queried: when the outbox last answered, by `time.monotonic`.
        error: of the newest failed attempt.
    """

    def __init__(
        self,
        outbox: Outbox,
        connector: Scheduled,
        *,
        escalate_after: int,
        record_s: float,
        now: Callable[[], int],
        steady: Callable[[], float],
        jitter: Callable[[], float],
    ) -> None:
        self.connector = connector
        self.queue = DeliveryQueue(connector.schedule, in_flight=connector.in_flight, batch=connector.batch)
        self.queried = time.monotonic()
        self.error = Failure("other", text="")
        self._rejections = Rejections()
        self._outbox = PatientOutbox(outbox, connector.name)
        self._bodies = Bodies(self._outbox, self.queue.upcoming)
        self._outcomes = Outcomes(self._outbox, record_s, self._send)
        self._escalate_after = escalate_after
        self._now, self._steady, self._jitter = now, steady, jitter
        self._woken = asyncio.Event()
        self._stopping = False
        self._deliveries: asyncio.TaskGroup | None = None
        self._due: asyncio.TimerHandle | None = None
        self._stale = True  # the outbox may hold messages that are not queued yet
        self._querying = False
        self._seen: dict[MessageKind, int] = {}  # newest seq that was queued, by kind
        self._more = False  # the outbox holds readings for which the queue had no room
        self._handed: list[Message] = []  # committed since, and not queued yet
        self._withdrawn: set[int] = set()  # seq of those it did not have yet
        self._resumed: list[Waiting] = []  # which wait again
        self._resumed_early: list[Waiting] = []  # before the try that they ended by was settled
        self._loaded = False  # whether the outbox was queried since the start

    async def serve(self) -> None:
        """Send until `stop`, then wait for deliveries under way and record them."""
        try:
            async with asyncio.TaskGroup() as self._deliveries:
                while not self._stopping:
                    self._woken.clear()  # before the query, so that no wake is missed
                    if self._lacks_messages or time.monotonic() - self.queried >= RECHECK_S:
                        await self._query()
                    self._send()
                    if not self._stopping:
                        await self._sleep()
                await self._outcomes.flush()  # first: one that is under way may never end
            await self._outcomes.flush()
        finally:
            self._deliveries = None
            if self._due is not None:
                self._due.cancel()

    def stop(self) -> None:
        """Begin no further delivery."""
        self._stopping = True
        self._woken.set()

    def hand_over(self, messages: Sequence[Message]) -> None:
        """Queue messages that were committed, in the order of `seq`, and begin to send them."""
        self._handed += messages
        self._send()

    def query(self) -> None:
        """Query the outbox for messages that were committed."""
        self._stale = True
        self._woken.set()

    def withdraw(self, messages: Sequence[Waiting]) -> None:
        """Send these no more: they ended in the outbox. One that is under way may be accepted all the same."""
        held = self.queue.withdraw(messages)
        self._bodies.release(held)
        self._withdrawn |= {message.seq for message in messages} - {message.seq for message in held}
        self._send()

    def retry(self) -> None:
        """Try what waits at once, whatever it waits for."""
        self.queue.retry()
        self._send()

    def resume(self, messages: Sequence[Waiting]) -> None:
        """Send these, which wait in the outbox again though they had ended."""
        self._resumed += messages
        if self._loaded and not self._querying:
            self._take_resumed()
            self._send()

    def _take_resumed(self) -> None:
        """Queue those that a query has passed already; it finds all others."""
        resumed, self._resumed = self._resumed, []
        passed = [message for message in resumed if message.seq <= self._seen.get(message.kind, 0)]
        held = [message for message in passed if self.queue.holds(message)]
        self._resumed_early += held
        self.queue.add(message for message in passed if message not in held)
        if len(passed) < len(resumed):
            self.query()

    def standing(self) -> Standing:
        """What waits and whether the destination takes it. Callable from any thread."""
        beyond = self._seen.get("readings", 0) if self._more else None
        return Standing(self._loaded, self.queue.waiting, beyond, self.queue.down)

    @property
    def _lacks_messages(self) -> bool:
        return self._stale or (self._more and self.queue.readings < outbox_access.PAGE)

    def _send(self) -> None:
        """Begin every delivery that can start now."""
        if self._deliveries is None or self._stopping:
            return
        if not (self._stale or self._querying):  # else the outbox holds messages that come before those handed over
            self._take_over()
        while not self._outcomes.full and (taken := self.queue.take(self._steady())):
            self._deliveries.create_task(self._deliver(taken), name=f"deliver-{self.connector.name}")
        if self._lacks_messages and not self._querying:
            self._woken.set()
        self._wait_for_next()

    def _wait_for_next(self) -> None:
        """Be called again when the next delivery is due by time."""
        if self._due is not None:
            self._due.cancel()
            self._due = None
        now = self._steady()
        due = self.queue.next_at(now)
        if due is not None and not self._outcomes.full:
            self._due = asyncio.get_running_loop().call_later(min(RECHECK_S, max(0.0, due - now)), self._send)

    async def _sleep(self) -> None:
        """Sleep until woken, or until the outbox is to be queried again."""
        if not self._woken.is_set():
            recheck = asyncio.get_running_loop().call_later(RECHECK_S, self.query)
            try:
                await self._woken.wait()
            finally:
                recheck.cancel()

    def _take_over(self) -> None:
        """Queue the messages handed over, in order; readings that do not fit are read from the outbox later."""
        handed, self._handed = self._handed, []
        for message in self._not_withdrawn(handed):
            kind = message.kind
            if message.seq <= self._seen.get(kind, 0):  # a query has found it meanwhile
                continue
            if kind == "readings" and (self._more or self.queue.readings >= outbox_access.PAGE):
                self._more = True
                continue
            self.queue.add([Waiting(message.seq, kind, message.plant, message.subject, message.urgency)])
            self._seen[kind] = message.seq
            self._bodies.keep([message])

    def _not_withdrawn(self, messages: Sequence[T]) -> Sequence[T]:
        """Without those that were withdrawn before they came here."""
        if not self._withdrawn:
            return messages
        left = [message for message in messages if message.seq not in self._withdrawn]
        self._withdrawn -= {message.seq for message in messages}
        return left

    async def _query(self) -> None:
        """Queue new messages of the outbox: all of alarms and warnings, readings as far as they can soon be sent."""
        self._stale, self._more, self._querying = False, False, True
        try:
            after = {kind: self._seen.get(kind, 0) for kind in KINDS}
            while after:
                if "readings" in after and self.queue.readings >= outbox_access.PAGE:
                    self._more = True
                    del after["readings"]
                    continue
                after = await self._query_page(after)
        finally:
            self._querying = False
        self.queried, self._loaded = time.monotonic(), True
        if self._resumed:
            self._take_resumed()

    async def _query_page(self, after: Mapping[MessageKind, int]) -> dict[MessageKind, int]:
        """Queue the next page of each kind; returns where those go on of which there may be more."""
        found, fresh = await self._outbox.waiting(after)
        self._bodies.keep(fresh)
        for kind, messages in found.items():
            self.queue.add(self._not_withdrawn(messages))
            self._seen[kind] = messages[-1].seq if messages else after[kind]
        return {kind: self._seen[kind] for kind, messages in found.items() if len(messages) == outbox_access.PAGE}

    async def _deliver(self, taken: Sequence[Waiting]) -> None:
        """Try messages once, store the results, and update the queue."""
        seqs = [waiting.seq for waiting in taken]
        messages = self._bodies.kept(seqs) or await self._bodies.get(seqs)
        if len(messages) < len(taken):
            taken = self._drop_unreadable(taken, {message.seq for message in messages})
        if withdrawn := self.queue.withdrawn(taken):  # while their bodies were read
            messages = [message for message in messages if message.seq not in withdrawn]
            taken = self.queue.drop(taken, withdrawn)
        if not taken:
            self._send()
            return
        started = self._now()
        outcomes = await self._try(messages)
        ended = self._now()
        rejected = self._rejections.final(messages, outcomes)
        self._outcomes.add([_attempt(outcome, started, ended, rejected) for outcome in outcomes])
        failed = {
            outcome.seq: outcome.retry_after_s
            for outcome in outcomes
            if outcome.error is not None and outcome.seq not in rejected
        }
        if failed or rejected:
            await self._outcomes.flush()
        disliked = any(outcome.rejected for outcome in outcomes)
        retry_s = self.queue.settle(taken, failed, self._steady(), self._jitter(), disliked=disliked)
        if self._resumed_early:
            self.queue.add(message for message in self._resumed_early if message.seq in rejected)
            self._resumed_early = [message for message in self._resumed_early if message.seq not in seqs]
        self._send()
        if accepted := len(outcomes) - len(failed) - len(rejected):
            emit(MessagesDelivered(self.connector.name, accepted))
        for outcome in outcomes:
            if outcome.seq in rejected:
                emit(MessageRejected(self.connector.name, outcome.seq, storable(outcome.error or "")))
        if retry_s is not None:
            pairs = zip(messages, outcomes, strict=True)
            await self._report([pair for pair in pairs if pair[1].seq in failed], retry_s)

    async def _try(self, messages: Sequence[Message]) -> list[Outcome]:
        """The outcome of each message, in order."""
        try:
            outcomes = {outcome.seq: outcome for outcome in await self.connector.deliver(messages)}
        except Exception as error:  # noqa: BLE001  a fault of ours in one connector must not end the sending of alarms
            outcomes = {message.seq: Outcome(message.seq, _fault(error)) for message in messages}
        return [outcomes.get(message.seq, Outcome(message.seq, Failure("unsaid"))) for message in messages]

    def _drop_unreadable(self, taken: Sequence[Waiting], read: set[int]) -> Sequence[Waiting]:
        unreadable = {waiting.seq for waiting in taken} - read
        emit(MessagesUnreadable(self.connector.name, len(unreadable), min(unreadable)))
        return self.queue.drop(taken, unreadable)

    async def _report(self, failed: Sequence[tuple[Message, Outcome]], retry_s: float) -> None:
        connector, error = self.connector.name, storable(failed[-1][1].error or "")
        self.error = error
        emit(DeliveryFailed(connector, len(failed), round(retry_s, 1), error))
        counts = [self.queue.failures, *(message.attempts + 1 for message, _ in failed)]
        overdue = [count for count in counts if count and count % self._escalate_after == 0]
        if overdue:
            oldest = await self._outbox.oldest()
            created = failed[-1][0].created if oldest is None else oldest
            emit(DeliveryOverdue(connector, max(overdue), round((self._now() - created) / 1e9, 1), error))


def _attempt(outcome: Outcome, started: int, ended: int, rejected: Collection[int]) -> Attempt:
    if outcome.error is None:
        return Attempt(outcome.seq, started, ended, None)
    return Attempt(outcome.seq, started, None, storable(outcome.error), ended if outcome.seq in rejected else None)


def _fault(error: Exception) -> Failure:
    """Return where a connector raised, without the error's own text, which might quote a secret."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    place = f" at {last.tb_frame.f_code.co_name}:{last.tb_lineno}" if last else ""
    return Failure("fault", what=f"{type(error).__name__}{place}")
