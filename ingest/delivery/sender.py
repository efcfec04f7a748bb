"""The outbox sender: hands messages to their connectors, most urgent first, until each is delivered."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ParamSpec, Protocol, TypeVar, get_args

from ingest.base.backoff import RetrySchedule
from ingest.base.telemetry import Event, emit
from ingest.delivery.connector import Connector, Outcome
from ingest.delivery.delivery_queue import DeliveryQueue
from ingest.domain.model.outbox import Attempt, Message, MessageKind, Waiting

P = ParamSpec("P")
T = TypeVar("T")

GRACE_S = 1.5
"""Time that deliveries in flight are given to end when the sender stops."""

CLOSE_S = 0.3
"""Time that a connector is given to close its connections."""

RECHECK_S = 60.0
"""The longest sleep; then the outbox is queried again even if nobody woke the sender."""

PAGE = 1000
"""Messages queued by one query, and most readings messages in the queue."""

KINDS: tuple[MessageKind, ...] = get_args(MessageKind)

FRESH = 8
"""Up to so many new messages are read with their bodies at once, which is cheaper than another change of threads."""

OUTBOX_PAUSE_S = 1.0
"""The pause before an outbox that could not be read or written is tried again."""

DOWN_AFTER = 3
"""Failures in a row after which a receiver is reported as down; fewer are normal in a network."""

MAX_ERROR = 500
"""Characters kept of an error text."""


class Outbox(Protocol):
    """The part of the state database the sender uses. Blocking; called from worker threads. Times are ns, UTC."""

    def waiting(self, connector: str, kind: MessageKind, after: int, limit: int) -> Sequence[Waiting]:
        """The first `limit` undelivered messages of that kind with a greater `seq`, in its order."""

    def messages(self, connector: str, seqs: Sequence[int]) -> Sequence[Message]:
        """These messages with their bodies, in the order of `seq`; those no longer stored are left out."""

    def oldest(self, connector: str) -> int | None:
        """When the oldest undelivered message was created; None if there are none."""

    def record(self, connector: str, attempts: Sequence[Attempt]) -> None:
        """Store the results of attempts in one transaction: counts each in `attempts`, sets `first_attempt` once."""


class Scheduled(Connector, Protocol):
    """A connector that also sets its retry schedule and how many deliveries may run at once.

    Attributes:
        schedule: delays between retries.
        in_flight: most deliveries at once.
    """

    schedule: RetrySchedule
    in_flight: int


@dataclass(frozen=True, slots=True)
class MessagesDelivered(Event, level="debug", labels=("connector",), amount="messages"):
    """Messages accepted by their receiver."""

    connector: str
    messages: int


@dataclass(frozen=True, slots=True)
class DeliveryFailed(Event, level="warning", labels=("connector",), amount="messages"):
    """Tries that failed and will be repeated."""

    connector: str
    messages: int
    retry_in_s: float
    error: str


@dataclass(frozen=True, slots=True)
class MessagesUnreadable(Event, level="error", labels=("connector",), amount="messages"):
    """Messages whose rows are damaged: not sent, and kept in the outbox; tried again by the next start."""

    connector: str
    messages: int
    first_seq: int


@dataclass(frozen=True, slots=True)
class DeliveryOverdue(Event, level="error", labels=("connector",)):
    """A receiver failed or refused a message so often in a row that a person must find out why."""

    connector: str
    failures: int
    oldest_s: float
    error: str


@dataclass(frozen=True, slots=True)
class OutboxUnavailable(Event, level="error", labels=("connector", "operation")):
    """The outbox could not be read or written; asked again until it can."""

    connector: str
    operation: str
    error: str


@dataclass(slots=True)
class _Lane:
    """One connector's queue and its progress through the outbox."""

    connector: Scheduled
    queue: DeliveryQueue = field(init=False)
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    stale: bool = True  # the outbox may hold messages that are not queued yet
    seen: dict[MessageKind, int] = field(default_factory=dict)  # newest seq that was queued, by kind
    fresh: dict[int, Message] = field(default_factory=dict)  # the newest few with their bodies, by seq
    readings: int = 0  # messages of this kind in the queue
    more: bool = False  # the outbox holds readings for which the queue had no room
    handed: list[Message] = field(default_factory=list)  # committed since, and not queued yet
    queried: float = field(default_factory=time.monotonic)  # when the outbox last answered
    error: str = ""  # of the newest failed attempt

    def __post_init__(self) -> None:
        """Create the empty queue."""
        scheduled = self.connector
        self.queue = DeliveryQueue(scheduled.schedule, in_flight=scheduled.in_flight, batch=scheduled.batch)

    def time_up(self, recheck: bool) -> None:  # noqa: FBT001  as the loop calls it
        """Wake its task; with `recheck` the outbox is to be queried."""
        self.stale = self.stale or recheck
        self.woken.set()

    def take_over(self) -> None:
        """Queue the messages handed over, in order; readings that do not fit are read from the outbox later."""
        handed, self.handed = self.handed, []
        for message in handed:
            kind = message.kind
            if message.seq <= self.seen.get(kind, 0):  # a query has found it meanwhile
                continue
            if kind == "readings" and (self.more or self.readings >= PAGE):
                self.more = True
                continue
            self.queue.add([Waiting(message.seq, kind, message.plant, message.subject, message.urgency)])
            self.seen[kind] = message.seq
            self.readings += kind == "readings"
            self.fresh[message.seq] = message
        while len(self.fresh) > FRESH:
            del self.fresh[next(iter(self.fresh))]


class OutboxSender:
    """Delivers the outbox with one asyncio task per connector and one per delivery; a slow receiver delays only itself.

    Every message is tried until it is delivered, in the order `DeliveryQueue` decides. All waiting goes by the steady
    clock, and a restart tries everything at once, so a time stored under a wrong clock delays no alarm. A crash or stop
    between delivery and record repeats the message under the same id.
    """

    def __init__(
        self,
        outbox: Outbox,
        connectors: Sequence[Scheduled],
        *,
        escalate_after: int = 10,
        now: Callable[[], int] = time.time_ns,
        steady: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._outbox = outbox
        self._lanes = [_Lane(connector) for connector in connectors]
        self._escalate_after = escalate_after
        self._now = now
        self._steady = steady
        self._jitter = jitter
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self) -> None:
        """Send until `stop`, then close the connectors, within 2 s."""
        self._loop = asyncio.get_running_loop()
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._serve(lane), name=f"outbox-{lane.connector.name}") for lane in self._lanes
                ]
                await self._stopping.wait()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(GRACE_S):
                        await asyncio.gather(*tasks)  # cancels what is left when time is up
        finally:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_S):
                    await asyncio.gather(*(lane.connector.close() for lane in self._lanes))

    def stop(self) -> None:
        """Ask `run` to end. Call on the event loop."""
        self._stopping.set()
        self._wake()

    @property
    def progressed(self) -> float:
        """When the connector that is furthest behind last queried the outbox; checked by the watchdog."""
        return min((lane.queried for lane in self._lanes), default=time.monotonic())

    def down(self) -> dict[str, str]:
        """Connectors whose receiver failed several times in a row, with the last error."""
        return {
            lane.connector.name: f"{failures} tries in a row failed: {lane.error}"
            for lane in self._lanes
            if (failures := lane.queue.failures) >= DOWN_AFTER
        }

    def next_at(self) -> float | None:
        """When the next attempt is due, by the steady clock; None if nothing is due by time alone."""
        times = [lane.queue.next_at(self._steady()) for lane in self._lanes]
        return min((time for time in times if time is not None), default=None)

    def wake(self, committed: Sequence[Message] | None = None) -> None:
        """Signal that messages were committed to the outbox. Callable from any thread at any time; never blocks.

        `committed`: all of them, in the order of `seq`, so that the outbox need not be queried. None: it must be.
        """
        if self._loop is not None and (committed is None or committed):  # before `run` there is nobody asleep
            with contextlib.suppress(RuntimeError):  # the loop is closed: the next start reads the outbox first
                self._loop.call_soon_threadsafe(self._wake, committed)

    def _wake(self, committed: Sequence[Message] | None = None) -> None:
        for lane in self._lanes:
            if committed is None:
                lane.stale = True
            elif mine := [message for message in committed if message.connector == lane.connector.name]:
                lane.handed += mine
            else:
                continue
            lane.woken.set()

    async def _serve(self, lane: _Lane) -> None:
        async with asyncio.TaskGroup() as deliveries:
            while not self._stopping.is_set():
                lane.woken.clear()  # before the query, so that no wake is missed
                await self._refill(lane)
                while not self._stopping.is_set() and (taken := lane.queue.take(self._steady())):
                    deliveries.create_task(self._deliver(lane, taken), name=f"deliver-{lane.connector.name}")
                await self._sleep(lane)

    async def _refill(self, lane: _Lane) -> None:
        """Queue new messages of the outbox: all of alarms and warnings, readings as far as they can soon be sent."""
        if lane.stale or (lane.more and lane.readings < PAGE) or time.monotonic() - lane.queried >= RECHECK_S:
            await self._query(lane)
        if not lane.stale:  # else the outbox holds messages that come before those handed over
            lane.take_over()

    async def _query(self, lane: _Lane) -> None:
        lane.stale = lane.more = False
        name = lane.connector.name
        after = {kind: lane.seen.get(kind, 0) for kind in KINDS}
        while after:
            if "readings" in after and lane.readings >= PAGE:
                lane.more = True
                del after["readings"]
                continue
            found, fresh = await self._until_done(name, _waiting, self._outbox, name, after)
            lane.fresh = {message.seq: message for message in fresh}
            for kind, messages in found.items():
                lane.queue.add(messages)
                lane.seen[kind] = messages[-1].seq if messages else after[kind]
                lane.readings += len(messages) if kind == "readings" else 0
            after = {kind: lane.seen[kind] for kind, messages in found.items() if len(messages) == PAGE}
        lane.queried = time.monotonic()

    async def _sleep(self, lane: _Lane) -> None:
        now = self._steady()
        until = lane.queue.next_at(now)
        pause_s = RECHECK_S if until is None else min(RECHECK_S, max(0.0, until - now))
        due = asyncio.get_running_loop().call_later(pause_s, lane.time_up, pause_s == RECHECK_S)
        try:
            await lane.woken.wait()
        finally:
            due.cancel()

    async def _deliver(self, lane: _Lane, taken: Sequence[Waiting]) -> None:
        """Try messages once, store the results, and update the queue."""
        connector = lane.connector
        messages = await self._messages(lane, [waiting.seq for waiting in taken])
        if unreadable := {waiting.seq for waiting in taken} - {message.seq for message in messages}:
            emit(MessagesUnreadable(connector.name, len(unreadable), min(unreadable)))
            lane.readings -= sum(waiting.kind == "readings" and waiting.seq in unreadable for waiting in taken)
            taken = lane.queue.drop(taken, unreadable)
        if not taken:
            lane.woken.set()
            return
        started = self._now()
        try:
            outcomes = {outcome.seq: outcome for outcome in await connector.deliver(messages)}
        except Exception as error:  # noqa: BLE001  a fault of ours in one connector must not end the sending of alarms
            outcomes = {message.seq: Outcome(message.seq, _fault(error)) for message in messages}
        ended = self._now()
        tries = [
            (message, outcomes.get(message.seq, Outcome(message.seq, "the connector did not say what became of it")))
            for message in messages
        ]
        attempts = [_attempt(outcome, started=started, ended=ended) for _, outcome in tries]
        await self._until_done(connector.name, self._outbox.record, connector.name, attempts)
        failed = {outcome.seq: outcome.retry_after_s for _, outcome in tries if outcome.error is not None}
        retry_s = lane.queue.settle(taken, failed, self._steady(), self._jitter())
        lane.readings -= sum(waiting.kind == "readings" and waiting.seq not in failed for waiting in taken)
        if lane.more or lane.queue.next_at(self._steady()) is not None:
            lane.woken.set()
        delivered = len(tries) - len(failed)
        if delivered:
            emit(MessagesDelivered(connector.name, delivered))
        if retry_s is not None:
            await self._report(lane, [pair for pair in tries if pair[1].seq in failed], retry_s)

    async def _messages(self, lane: _Lane, seqs: Sequence[int]) -> Sequence[Message]:
        """The messages with their bodies, in order; new ones are in memory already."""
        fresh = [lane.fresh.pop(seq) for seq in sorted(seqs) if seq in lane.fresh]
        if len(fresh) == len(seqs):
            return fresh
        return await self._until_done(lane.connector.name, self._outbox.messages, lane.connector.name, seqs)

    async def _report(self, lane: _Lane, failed: Sequence[tuple[Message, Outcome]], retry_s: float) -> None:
        connector, error = lane.connector.name, _storable(failed[-1][1].error or "")
        lane.error = error
        emit(DeliveryFailed(connector, len(failed), round(retry_s, 1), error))
        counts = [lane.queue.failures, *(message.attempts + 1 for message, _ in failed)]
        overdue = [count for count in counts if count and count % self._escalate_after == 0]
        if overdue:
            oldest = await self._until_done(connector, self._outbox.oldest, connector)
            created = failed[-1][0].created if oldest is None else oldest
            emit(DeliveryOverdue(connector, max(overdue), round((self._now() - created) / 1e9, 1), error))

    async def _until_done(self, connector: str, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the outbox until it succeeds: it may be locked or its disk full, and results must be stored."""
        while True:
            try:
                return await asyncio.to_thread(call, *args, **kwargs)
            except Exception as error:  # noqa: BLE001  whatever the database raises, sending goes on when it is back
                operation = getattr(call, "__name__", "call").lstrip("_")
                emit(OutboxUnavailable(connector, operation, f"{type(error).__name__}: {error}"[:MAX_ERROR]))
                await asyncio.sleep(OUTBOX_PAUSE_S)


def _waiting(
    outbox: Outbox, connector: str, after: Mapping[MessageKind, int]
) -> tuple[dict[MessageKind, Sequence[Waiting]], Sequence[Message]]:
    """The first page of each kind, with the bodies if they are few.

    In one go, since each change of threads costs an alarm milliseconds under load.
    """
    found = {kind: outbox.waiting(connector, kind, seq, PAGE) for kind, seq in after.items()}
    seqs = [message.seq for messages in found.values() for message in messages]
    if not 0 < len(seqs) <= FRESH:
        return found, []
    try:
        return found, outbox.messages(connector, seqs)
    except Exception:  # noqa: BLE001  `_deliver` reads them again and reports it
        return found, []


def _attempt(outcome: Outcome, *, started: int, ended: int) -> Attempt:
    if outcome.error is None:
        return Attempt(outcome.seq, started, ended, None)
    return Attempt(outcome.seq, started, None, _storable(outcome.error))


def _storable(text: str) -> str:
    """The text without characters a database refuses (NUL, lone surrogates); it may quote a receiver."""
    return "".join(char if char.isprintable() else " " for char in text[:MAX_ERROR])


def _fault(error: Exception) -> str:
    """Return where a connector raised, without the error's own text, which might quote a secret."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    place = f" at {last.tb_frame.f_code.co_name}:{last.tb_lineno}" if last else ""
    return f"fault in the connector: {type(error).__name__}{place}"
