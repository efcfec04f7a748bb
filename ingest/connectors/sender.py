"""The outbox sender: hands due messages to their connector, in order, until each is delivered."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ParamSpec, Protocol, TypeVar

from ingest.connectors.connector import Connector, Outcome
from ingest.connectors.retry import RetrySchedule
from ingest.model.outbox import Attempt, Message
from ingest.telemetry import Event, emit

P = ParamSpec("P")
T = TypeVar("T")

GRACE_S = 1.5
"""What a delivery under way is given to end when the sender stops."""

CLOSE_S = 0.3
"""What a connector is given to let go of its connections."""

RECHECK_S = 60.0
"""The longest sleep: the wall clock may be set while we wait for a time on it."""

OUTBOX_PAUSE_S = 1.0
"""The pause before an outbox that could not be read or written is asked again."""

MAX_ERROR = 500
"""Characters kept of an error text."""


class Outbox(Protocol):
    """What the sender needs of the state database. Blocking; called from worker threads. Times are ns, UTC."""

    def due(self, connector: str, now: int, limit: int) -> Sequence[Message]:
        """The first `limit` undelivered messages with next_attempt <= now, in the order of `seq`."""

    def next_due(self, connector: str) -> int | None:
        """The earliest next_attempt of the undelivered messages, or None if there are none."""

    def oldest(self, connector: str) -> int | None:
        """When the oldest undelivered message was created, or None if there are none."""

    def record(self, connector: str, attempts: Sequence[Attempt]) -> None:
        """Keep what became of tries, in one transaction: counts each in `attempts`, sets `first_attempt` once."""

    def put_off(self, connector: str, until: Mapping[int, int]) -> None:
        """Set next_attempt by seq, without counting a try."""


class Scheduled(Connector, Protocol):
    """A connector that says how patiently its receiver is to be tried."""

    schedule: RetrySchedule


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
class DeliveryOverdue(Event, level="error", labels=("connector",)):
    """A receiver has refused a message so often that a person must look."""

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
    """One connector's side of the outbox."""

    connector: Scheduled
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: dict[str, int] = field(default_factory=dict)  # alarm -> next_attempt of its first message that failed
    looked: float = field(default_factory=time.monotonic)  # into the outbox, with an answer

    def in_turn(self, due: Sequence[Message], now: int) -> tuple[list[Message], dict[int, int]]:
        """What may be tried now, and what waits behind an earlier message of the same alarm, by seq until when.

        One message an alarm at a time: its next one stays due and comes with the next look. Kept in memory only: after
        a restart a later message may overtake one that failed before, and receivers go by the times in the body.
        """
        ready: list[Message] = []
        behind: dict[int, int] = {}
        taken: set[str] = set()
        for message in due:
            alarm = _alarm(message)
            if alarm is None:
                ready.append(message)
            elif alarm not in taken:
                # A failed message that is due again comes before its followers; a time in the future means it is not.
                if self.waiting.get(alarm, now) > now:
                    behind[message.seq] = self.waiting[alarm]
                else:
                    taken.add(alarm)
                    ready.append(message)
        return ready, behind


class OutboxSender:
    """One asyncio task a connector; a receiver that is down holds up nobody but itself.

    Every message is tried until it is delivered. A crash or stop between delivery and record repeats the message under
    the same id. One round of a connector ends with its slowest answer, so a stuck receiver delays that connector's next
    round by at most its timeout.
    """

    def __init__(
        self,
        outbox: Outbox,
        connectors: Sequence[Scheduled],
        *,
        escalate_after: int = 10,
        now: Callable[[], int] = time.time_ns,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._outbox = outbox
        self._lanes = [_Lane(connector) for connector in connectors]
        self._escalate_after = escalate_after
        self._now = now
        self._jitter = jitter
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self) -> None:
        """Send until `stop`, then close the connectors; all within 2 s of the call."""
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
        """When the connector that is furthest behind last looked into the outbox: what a watchdog looks at."""
        return min((lane.looked for lane in self._lanes), default=time.monotonic())

    def wake(self) -> None:
        """Say that messages were committed to the outbox. Callable from any thread, at any time, never blocks."""
        if self._loop is not None:  # before `run` there is nobody asleep
            with contextlib.suppress(RuntimeError):  # the loop is closed: the next start reads the outbox first
                self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        for lane in self._lanes:
            lane.woken.set()

    async def _serve(self, lane: _Lane) -> None:
        connector = lane.connector
        while not self._stopping.is_set():
            lane.woken.clear()  # before looking, so that no wake is missed
            now = self._now()
            due = await self._insist(connector.name, self._outbox.due, connector.name, now, connector.batch)
            lane.looked = time.monotonic()
            if not due:
                await self._sleep(lane)
                continue
            ready, behind = lane.in_turn(due, now)
            if behind:
                await self._insist(connector.name, self._outbox.put_off, connector.name, behind)
            if ready:
                await self._send(lane, ready)

    async def _sleep(self, lane: _Lane) -> None:
        until = await self._insist(lane.connector.name, self._outbox.next_due, lane.connector.name)
        pause_s = RECHECK_S if until is None else min(RECHECK_S, max(0.0, (until - self._now()) / 1e9))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await lane.woken.wait()

    async def _send(self, lane: _Lane, messages: Sequence[Message]) -> None:
        connector = lane.connector
        started = self._now()
        try:
            outcomes = {outcome.seq: outcome for outcome in await connector.deliver(messages)}
        except Exception as error:  # noqa: BLE001  a fault of ours in one connector must not end the sending of alarms
            outcomes = {message.seq: Outcome(message.seq, _fault(error)) for message in messages}
        ended = self._now()
        jitter = self._jitter()  # one draw a round: messages that failed together are tried together again
        attempts = []
        for message in messages:
            outcome = outcomes.get(message.seq, Outcome(message.seq, "the connector did not say what became of it"))
            attempts.append(_attempt(message, outcome, connector.schedule, started=started, ended=ended, jitter=jitter))
        for message, attempt in zip(messages, attempts, strict=True):
            alarm = _alarm(message)
            if alarm is not None and attempt.delivered is None:
                lane.waiting[alarm] = attempt.next_attempt
            elif alarm is not None:
                lane.waiting.pop(alarm, None)
        await self._insist(connector.name, self._outbox.record, connector.name, attempts)
        await self._report(connector.name, messages, attempts)

    async def _report(self, connector: str, messages: Sequence[Message], attempts: Sequence[Attempt]) -> None:
        failed = [(m, a) for m, a in zip(messages, attempts, strict=True) if a.delivered is None]
        if len(failed) < len(messages):
            emit(MessagesDelivered(connector, len(messages) - len(failed)))
        if not failed:
            return
        retry = min(a.next_attempt for _, a in failed) - self._now()
        emit(DeliveryFailed(connector, len(failed), round(retry / 1e9, 1), failed[-1][1].error or ""))
        overdue = [(m, a) for m, a in failed if (m.attempts + 1) % self._escalate_after == 0]
        if overdue:
            oldest = await self._insist(connector, self._outbox.oldest, connector)
            message, attempt = max(overdue, key=lambda pair: pair[0].attempts)
            age_s = (self._now() - (message.created if oldest is None else oldest)) / 1e9
            emit(DeliveryOverdue(connector, message.attempts + 1, round(age_s, 1), attempt.error or ""))

    async def _insist(self, connector: str, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Ask the outbox until it answers: it may be locked or its disk full, and what was delivered must be kept."""
        while True:
            try:
                return await asyncio.to_thread(call, *args, **kwargs)
            except Exception as error:  # noqa: BLE001  whatever the database raises, sending goes on when it is back
                operation = getattr(call, "__name__", "call")
                emit(OutboxUnavailable(connector, operation, f"{type(error).__name__}: {error}"[:MAX_ERROR]))
                await asyncio.sleep(OUTBOX_PAUSE_S)


def _alarm(message: Message) -> str | None:
    """What has to be told in order: the alarm or the warning; readings have no such thing."""
    told: Any = message.body.get(message.kind) if message.kind != "readings" else None
    return str(told["id"]) if told else None


def _attempt(
    message: Message, outcome: Outcome, schedule: RetrySchedule, *, started: int, ended: int, jitter: float
) -> Attempt:
    if outcome.error is None:
        return Attempt(message.seq, started, ended, ended, None)
    age_s = (ended - message.created) / 1e9
    delay_s = schedule.delay_s(message.attempts + 1, age_s, jitter, outcome.retry_after_s)
    return Attempt(message.seq, started, None, ended + int(delay_s * 1e9), _storable(outcome.error))


def _storable(text: str) -> str:
    """The text without what a database refuses (NUL, lone surrogates): receivers' words stand in it."""
    return "".join(char if char.isprintable() else " " for char in text[:MAX_ERROR])


def _fault(error: Exception) -> str:
    """Where a connector broke. Not the error's own words: they might quote a secret."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    place = f" at {last.tb_frame.f_code.co_name}:{last.tb_lineno}" if last else ""
    return f"fault in the connector: {type(error).__name__}{place}"
