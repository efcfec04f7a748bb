"""The engine: reads the journal, takes each batch through the stages, commits what comes of it in one transaction.

It is the only writer of alarms; an operator's acknowledgement comes to it as a command. After a crash it loads its
newest snapshot and replays the journal up to its cursor, keeping what it learns and discarding what it would say: that
was committed already. What it knows then is what it would know had it never stopped, to the byte; only who is silent is
told by the clock: the time in which it was away is taken out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue
from typing import Any, Final, Generic, TypeVar

import msgspec
from prometheus_client import Histogram
from pydantic import Field

from ingest.base.config import Config
from ingest.base.pace import Pace
from ingest.base.telemetry import REGISTRY, SECONDS, EmittedSeldom, emit
from ingest.base.worker import Worker
from ingest.domain.alarms.lifecycle import Cause, removed
from ingest.domain.alarms.suppressions import Suppressions
from ingest.domain.model.alarm import Alarm
from ingest.domain.model.batch import concat, empty_batch
from ingest.engine.alarm_transitions import apply_transition
from ingest.engine.commands import Command
from ingest.engine.committing import Abandoned, OnCommit, StateCommit
from ingest.engine.engine_clock import EngineClock, split_at_clock_jumps
from ingest.engine.engine_state import RECENT, EngineState, SnapshotUnreadable
from ingest.engine.events import AlarmLost, ClockStepped, EngineStarted, ReadingsUnenrolled, SnapshotLost, TurnTaken
from ingest.engine.order import Cycle, Policy, advance
from ingest.plants.configuration import PlantConfiguration
from ingest.storage.journal.records import Entry
from ingest.storage.journal.roles import EngineJournal
from ingest.storage.state.alarm_store import AlarmStore
from ingest.storage.state.engine_store import EngineCheckpoint, EngineStore

T = TypeVar("T")

MOST: Final = 50_000
"""Readings taken in one turn; a turn takes whatever waits, so batches grow under load."""

_AWAY: Final = 10 * 10**9
"""Ns. A service that did not come round for longer than this was away, and nobody was reached."""

_UNDER_WAY: Final = 5 * 10**9
"""Ns. What arrived earlier is in the journal: while it holds nothing new, everything before that was judged."""


_cycle_seconds = Histogram(
    "yujing_engine_cycle_seconds",
    "How long a cycle of the engine takes until what came of it is committed",
    buckets=SECONDS,
    registry=REGISTRY,
)


_LEAST_S: Final = 0.05
"""What is due cannot always be done at once; it is tried so often."""


class EngineConfig(Config):
    """How the engine keeps its memory and its time."""

    snapshot_every_s: float = Field(default=10.0, gt=0)
    tick_s: float = Field(default=2.0, gt=0, le=5)  # it looks up so often while nothing arrives, and nothing is due


@dataclass(frozen=True, slots=True)
class _Order(Generic[T]):
    command: Command[T]
    answer: Future[T] = field(default_factory=Future)


class Engine(Worker):
    """The thread that judges."""

    def __init__(
        self,
        journal: EngineJournal,
        store: EngineStore,
        alarms: AlarmStore,
        configuration: PlantConfiguration,
        terms: Policy,
        config: EngineConfig,
        *,
        on_commit: OnCommit,
        on_failure: Callable[[BaseException], None],
        wall: Callable[[], int] = time.time_ns,
        steady: Callable[[], int] = time.monotonic_ns,
        pace: Pace | None = None,
    ) -> None:
        super().__init__("engine", on_failure)
        self._pace = pace or Pace(0)
        self._journal = journal
        self._store = store
        self._alarms = alarms
        self._terms = terms
        self._config = config
        self._saving = StateCommit(store, config.snapshot_every_s, self._stopping, on_commit)
        self._inbox: SimpleQueue[_Order[Any] | PlantConfiguration] = SimpleQueue()
        self._configuration = configuration
        self._now = 0
        self._clock = partial(EngineClock, wall=wall, steady=steady)
        self._moments = self._clock()
        self._unreplayable = False  # in this turn the configuration changed: no replay would know
        self._unjudged: EmittedSeldom[tuple[str, str]] = EmittedSeldom()
        self.engine_state = EngineState(configuration)
        self.progressed = time.monotonic()  # when a turn last ended
        self._looked = self._moments.now()  # when it last went round
        # Before anybody reads: points may have been renamed while it was away, or a renaming was cut short.
        store.rename(list(configuration.renamed.items()), self._looked)

    @property
    def cursor(self) -> int:
        """Newest journal entry that was judged; what it led to is committed."""
        return self._saving.cursor

    @property
    def showed(self) -> float:
        """When it last showed that it is not stuck, by `time.monotonic`: it ended a turn, or waits for the disk."""
        return max(self.progressed, self._saving.refused)

    @property
    def trouble(self) -> str | None:
        """Why nothing is judged just now: the state database does not take what came of it; None: it does."""
        return self._saving.trouble

    def lag(self) -> int:
        """Journal entries not yet judged and committed."""
        return self._journal.last() - self.cursor

    @property
    def configuration(self) -> PlantConfiguration:
        """The configuration in force."""
        return self._configuration

    def order(self, command: Command[T]) -> Future[T]:
        """Have a command carried out; the future gives what it led to once that is committed, or why it did not.

        Raises:
            UnicodeEncodeError: a text that cannot be stored; it must not reach the one thread that judges.
        """
        msgspec.json.encode(command)
        order = _Order(command)
        self._inbox.put(order)
        self.wake()
        return order.answer

    def adopt(self, configuration: PlantConfiguration) -> None:
        """Go on with another configuration; what is known of points and rules both have is kept."""
        self._inbox.put(configuration)
        self.wake()

    def wake(self) -> None:
        """Look up from waiting."""
        self._journal.wake()

    def _run(self) -> None:
        with suppress(Abandoned):
            self.begin()
            while not self._stopping.is_set():
                if not self.lag() and self._inbox.empty():
                    self._journal.wait(self.cursor, self.idle_s())
                if (
                    rest_s := self._pace.rest_s()
                ):  # what came sooner waits, and shares a cycle with what comes meanwhile
                    self._stopping.wait(rest_s)
                self._pace.begin()
                self.go_on()
                self._pace.end()
            self._commit(Cycle(self._now, empty_batch(), self._configuration, self._terms), self.cursor, snapshot=True)
        self._unjudged.flush(everything=True)

    def idle_s(self) -> float:
        """For how long it may wait while nothing arrives: until time alone changes something, a tick at the most."""
        now, every = self._moments.now(), self._terms.report_every
        due = min(self.engine_state.due(), self.engine_state.excursions.due + _UNDER_WAY)
        if every is not None:
            due = min(due, now + every - (now - self.engine_state.stepped) % every)
        return max(_LEAST_S, min((due - now) / 1e9, self._saving.save_due_s(), self._config.tick_s))

    def begin(self) -> None:
        """Restore the engine state, then adopt the configuration in force: plant files may have changed meanwhile."""
        self._recover()
        self._turn([], configuration=self._configuration)

    def go_on(self, most: int = MOST) -> None:
        """Do what was asked, and judge what waits: at least one entry, up to about so many readings."""
        began = self._moments.now()
        entries = self._journal.read(self.cursor, most)
        for portion in split_at_clock_jumps(entries) if entries else [entries]:
            self._turn(portion, seen=began - _UNDER_WAY)

    def _recover(self) -> None:
        state = self._store.load()
        at, replayed = self._remember(state), 0
        self._now = self.engine_state.listening  # nobody judged before that
        while at < state.cursor:
            entries = [e for e in self._journal.read(at, MOST) if e.id <= state.cursor]
            if not entries:
                break  # trimmed: every reader, this one included, had passed them
            for portion in split_at_clock_jumps(entries):
                self._replay(portion)
            at = entries[-1].id
            replayed += len(entries)
            self.progressed = time.monotonic()
        left = max(self._now, self.engine_state.stepped + (state.reached or 0))
        self._moments = self._clock(self._journal.steps(state.cursor))
        self._now = self._moments.now()
        self._stand()
        for key in self.engine_state.resume(left or self._now, self._now):
            emit(AlarmLost(key))
        self._looked = self._now
        if self._terms.warnings is not None:
            live = self._store.live_warnings()
            self.engine_state.warnings.resume(live, self.engine_state, self._now, self._terms.warnings)
            # What an earlier version of the service left does not tell when it was last up: it was at the last event.
            newest = max((one.changed - one.stepped for one in live), default=self._now - self.engine_state.stepped)
            reached = newest if state.reached is None else state.reached
            self._looked = min(reached + self.engine_state.stepped, self._now)
        self._saving.resume(state.cursor, state.snapshot_cursor)
        emit(EngineStarted(self.cursor, replayed, len(self.engine_state.alarms)))

    def _remember(self, state: EngineCheckpoint) -> int:
        """Take over the newest snapshot; returns the journal entry it was made at, 0 if it cannot be read."""
        engine_state = self.engine_state
        engine_state.record = self._alarms.alarm
        engine_state.stand(self._store.open_alarms())  # an old snapshot does not tell since when they stand
        if state.snapshot is None:
            return state.snapshot_cursor
        try:
            engine_state.load(state.snapshot)
        except SnapshotUnreadable as error:
            emit(SnapshotLost(state.snapshot_cursor, str(error)))
            self.engine_state = EngineState(self._configuration)
            self.engine_state.record = engine_state.record
            self.engine_state.stand(engine_state.alarms.values())
            return 0
        return state.snapshot_cursor

    def _stand(self) -> None:
        """What replaying would say was said: alarms and suppressions are as the state database has them."""
        engine_state, store = self.engine_state, self._store
        engine_state.alarms, engine_state.recent = {}, {}
        engine_state.stand(store.open_alarms())
        for alarm in store.returned_alarms(RECENT):
            engine_state.settle(alarm)
        engine_state.suppressions = Suppressions(store.open_suppressions())

    def _replay(self, portion: Sequence[Entry]) -> None:
        if step := portion[0].step:
            self._now += step
            self.engine_state.shift(step)
        batch = self._configuration.enrolled(concat([entry.batch for entry in portion]))
        if len(batch):
            self._now = max(self._now, int(batch.received.max()))
            advance(Cycle(self._now, batch, self._configuration, self._terms), self.engine_state)

    def _turn(
        self, portion: Sequence[Entry], *, configuration: PlantConfiguration | None = None, seen: int = 0
    ) -> None:
        """Judge entries between which nobody set the clock, and commit; without any, see what time alone changes."""
        began = time.monotonic()
        cycle = Cycle(0, empty_batch(), self._configuration, self._terms, seen)
        self._excuse(cycle)
        if configuration is not None:
            self._adopt(configuration, cycle)
        answers = self._obey(cycle)
        cycle.configuration = self._configuration
        cursor = portion[-1].id if portion else self.cursor
        batch = concat([entry.batch for entry in portion])
        if portion and (step := portion[0].step):
            self._step(step)
        cycle.batch = self._configuration.enrolled(batch)
        if len(cycle.batch) < len(batch):
            emit(ReadingsUnenrolled(len(batch) - len(cycle.batch)))
        received = int(batch.received.max()) if len(batch) else None  # enrolled or not: the journal has come to there
        self._now = max(self._now, self._moments.now() if received is None else self._moments.of(received))
        cycle.now = self._now
        advance(cycle, self.engine_state)
        self._commit(cycle, cursor, snapshot=self._unreplayable or self._saving.snapshot_due(cursor, began))
        self._unreplayable = False
        for one in cycle.unjudged:
            self._unjudged.add((one.reason, one.gateway), one)
        self._unjudged.flush()
        for answer, result in answers:
            answer.set_result(result)
        self.progressed = time.monotonic()
        _cycle_seconds.observe(self.progressed - began)
        if len(batch):
            emit(TurnTaken(len(batch), cursor, self.progressed - began))

    def _step(self, step: int) -> None:
        """The service's clock was set before this entry arrived: go on by the new time, as if it had always been so."""
        emit(ClockStepped(step / 1e9))
        self._moments.step(step)
        self._now += step
        self._looked += step
        self.engine_state.shift(step)

    def _excuse(self, cycle: Cycle) -> None:
        """Whoever had to answer while the service was down, or hung, was not reached: their time goes on from there."""
        now = self._moments.now()
        if now - self._looked > _AWAY:
            cycle.warnings += self.engine_state.warnings.excuse(self._looked, now)
        self._looked = now

    def _commit(self, cycle: Cycle, cursor: int, *, snapshot: bool) -> None:
        self._saving.commit(cycle, cursor, self.engine_state, self._moments.now(), snapshot=snapshot)

    def _obey(self, cycle: Cycle) -> list[tuple[Future[Any], Any]]:
        """Carry out what was ordered; the answers, to be given once all of it is committed."""
        answers = []
        while (order := self._next_order()) is not None:
            if isinstance(order, PlantConfiguration):
                self._adopt(order, cycle)
            elif order.answer.set_running_or_notify_cancel():  # else who asked has given up and was told to look again
                try:
                    answers.append((order.answer, order.command(cycle, self.engine_state, self._moments.now())))
                except (KeyError, ValueError) as error:
                    order.answer.set_exception(error)
        return answers

    def _next_order(self) -> _Order[Any] | PlantConfiguration | None:
        return None if self._inbox.empty() else self._inbox.get()  # nobody else takes from it

    def _adopt(self, configuration: PlantConfiguration, cycle: Cycle) -> None:
        """Change over; alarms of rules that are gone end as removed, since nothing judges them any more."""
        self.engine_state = self.engine_state.successor(configuration)
        cycle.renamed += configuration.renamed.items() - self._configuration.renamed.items()
        cycle.former = {**self._configuration.plants, **cycle.former}
        self._configuration = cycle.configuration = configuration
        self._unreplayable = True
        now = self._moments.now()
        for key, alarm in list(self.engine_state.alarms.items()):
            if configuration.judges(*key):
                continue
            cause = Cause(now, now, detail={"comment": _what_is_gone(configuration, alarm)})
            if (event := removed(alarm, cause)) is not None:
                apply_transition(cycle, self.engine_state, event)
                self.engine_state.excursions.close_span(alarm.rule_key, now)


def _what_is_gone(configuration: PlantConfiguration, alarm: Alarm) -> str:
    if alarm.plant not in configuration.plants:
        return "企业已移出配置 plant removed from configuration"
    if configuration.find(alarm.plant, alarm.point) is None:
        return "测点已移出配置 point removed from configuration"
    return "规则已移出配置 rule removed from configuration"
