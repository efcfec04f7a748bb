"""The engine: reads the journal, runs each batch through the stages and commits the results in one transaction.

It is the only writer of alarms; an operator's acknowledgement reaches it as a command. After a crash it loads its
newest snapshot and replays the journal up to its cursor, keeping the state and discarding the results, which were
committed already. The state is then the same, to the byte, as if it had never stopped. Only silence is measured by the
clock; the time of the outage does not count.
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
from ingest.domain.cases.bypass_register import BypassRegister
from ingest.domain.cases.errors import CaseError
from ingest.domain.model.alarm import Alarm
from ingest.domain.model.batch import concat, empty_batch
from ingest.domain.model.suppression import SuppressionKind
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
from ingest.storage.state.errors import StateUnavailable

T = TypeVar("T")

MAX_READINGS: Final = 50_000
"""Most readings in one cycle; a cycle takes whatever waits, so batches grow under load."""

_OUTAGE: Final = 10 * 10**9
"""Ns. After a longer pause between two cycles the service counts as having been down, and nobody was reached."""

_IN_FLIGHT: Final = 5 * 10**9
"""Ns. What arrived earlier is in the journal: if that holds nothing new, everything before was evaluated."""


_cycle_seconds = Histogram(
    "yujing_engine_cycle_seconds",
    "How long a cycle of the engine takes until what came of it is committed",
    buckets=SECONDS,
    registry=REGISTRY,
)


_MIN_WAIT_S: Final = 0.05
"""Shortest wait: work that is due but cannot be done yet is tried again after this time."""


class EngineConfig(Config):
    """How the engine keeps its memory and its time."""

    snapshot_every_s: float = Field(default=10.0, gt=0)
    tick_s: float = Field(default=2.0, gt=0, le=5)  # it looks up so often while nothing arrives, and nothing is due


@dataclass(frozen=True, slots=True)
class _Request(Generic[T]):
    command: Command[T]
    answer: Future[T] = field(default_factory=Future)


class Engine(Worker):
    """The thread that evaluates readings and writes alarms and warnings."""

    def __init__(
        self,
        journal: EngineJournal,
        store: EngineStore,
        alarms: AlarmStore,
        configuration: PlantConfiguration,
        policy: Policy,
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
        self._policy = policy
        self._config = config
        self._state_commit = StateCommit(store, config.snapshot_every_s, self._stopping, on_commit)
        self._inbox: SimpleQueue[_Request[Any] | PlantConfiguration] = SimpleQueue()
        self._configuration = configuration
        self._now = 0
        self._new_clock = partial(EngineClock, wall=wall, steady=steady)
        self._clock = self._new_clock()
        self._unreplayable = False  # the configuration changed in this cycle, which a replay cannot reproduce
        self._not_evaluated: EmittedSeldom[tuple[str, str]] = EmittedSeldom()
        self.engine_state = EngineState(configuration)
        self.progressed = time.monotonic()  # when a cycle last ended
        self._last_run = self._clock.now()  # when a cycle last began
        # Before anybody reads: points may have been renamed during the outage, or a renaming was cut short.
        store.rename(list(configuration.renamed.items()), self._last_run)

    @property
    def cursor(self) -> int:
        """Newest journal entry that was evaluated; its results are committed."""
        return self._state_commit.cursor

    @property
    def alive_at(self) -> float:
        """When it last proved that it is not stuck, by `time.monotonic`: it ended a cycle, or waits for the disk."""
        return max(self.progressed, self._state_commit.refused)

    @property
    def trouble(self) -> str | None:
        """Why nothing is evaluated at present: the error of the state database; None: it can be used."""
        return self._state_commit.trouble

    def lag(self) -> int:
        """Number of journal entries not yet evaluated and committed."""
        return self._journal.last() - self.cursor

    @property
    def configuration(self) -> PlantConfiguration:
        """The configuration in force."""
        return self._configuration

    def submit(self, command: Command[T]) -> Future[T]:
        """Queue a command; the future gives its result once that is committed, or its error.

        Raises:
            UnicodeEncodeError: a text that cannot be stored; it must not reach the engine's thread.
        """
        msgspec.json.encode(command)
        request = _Request(command)
        self._inbox.put(request)
        self.wake()
        return request.answer

    def adopt(self, configuration: PlantConfiguration) -> None:
        """Switch to another configuration; the state of points and rules that both have is kept."""
        self._inbox.put(configuration)
        self.wake()

    def wake(self) -> None:
        """End a wait early."""
        self._journal.wake()

    def _run(self) -> None:
        with suppress(Abandoned):
            self.begin()
            while not self._stopping.is_set():
                if not self.lag() and self._inbox.empty():
                    self._journal.wait(self.cursor, self.idle_s())
                if rest_s := self._pace.rest_s():  # what arrived sooner waits and shares the next cycle
                    self._stopping.wait(rest_s)
                self._pace.begin()
                self.process()
                self._pace.end()
            self._commit(Cycle(self._now, empty_batch(), self._configuration, self._policy), self.cursor, snapshot=True)
        self._not_evaluated.flush(everything=True)

    def idle_s(self) -> float:
        """Longest wait while nothing arrives: until time alone changes something, at most a tick."""
        now, every = self._clock.now(), self._policy.report_every
        due = min(self.engine_state.due(), self.engine_state.excursions.due + _IN_FLIGHT)
        if every is not None:
            due = min(due, now + every - (now - self.engine_state.stepped) % every)
        return max(_MIN_WAIT_S, min((due - now) / 1e9, self._state_commit.save_due_s(), self._config.tick_s))

    def begin(self) -> None:
        """Restore the engine state, then adopt the configuration in force: plant files may have changed meanwhile."""
        self._recover()
        self._run_cycle([], configuration=self._configuration)

    def process(self, most: int = MAX_READINGS) -> None:
        """Execute queued commands and evaluate waiting entries: at least one, up to about `most` readings."""
        began = self._clock.now()
        entries = self._journal.read(self.cursor, most)
        for portion in split_at_clock_jumps(entries) if entries else [entries]:
            self._run_cycle(portion, seen=began - _IN_FLIGHT)

    def _recover(self) -> None:
        state = self._state_commit.until_done(self._store.load)
        at, replayed = self._load_snapshot(state), 0
        self._now = self.engine_state.listening_since  # nothing was evaluated before that
        while at < state.cursor:
            entries = [e for e in self._journal.read(at, MAX_READINGS) if e.id <= state.cursor]
            if not entries:
                break  # trimmed: every reader, this one included, had passed them
            for portion in split_at_clock_jumps(entries):
                self._replay(portion)
            at = entries[-1].id
            replayed += len(entries)
            self.progressed = time.monotonic()
        left = max(self._now, self.engine_state.stepped + (state.reached or 0))
        self._clock = self._new_clock(self._journal.steps(state.cursor))
        self._now = self._clock.now()
        self._restore_active()
        for key in self.engine_state.resume(left or self._now, self._now):
            emit(AlarmLost(key))
        self._last_run = self._now
        if self._policy.warnings is not None:
            live = self._state_commit.until_done(self._store.live_warnings)
            self.engine_state.warnings.resume(live, self.engine_state, self._now, self._policy.warnings)
            # State written by an earlier version lacks when the service was last up: the last event stands in.
            newest = max(
                (warning.changed - warning.stepped for warning in live), default=self._now - self.engine_state.stepped
            )
            reached = newest if state.reached is None else state.reached
            self._last_run = min(reached + self.engine_state.stepped, self._now)
        self._state_commit.resume(state.cursor, state.snapshot_cursor)
        emit(EngineStarted(self.cursor, replayed, len(self.engine_state.alarms)))

    def _load_snapshot(self, state: EngineCheckpoint) -> int:
        """Load the newest snapshot; returns the journal entry it was made at, 0 if it cannot be read."""
        engine_state = self.engine_state
        engine_state.load_alarm = self._alarms.alarm
        # An old snapshot lacks since when they are active.
        engine_state.add_active(self._state_commit.until_done(self._store.open_alarms))
        if state.snapshot is None:
            return state.snapshot_cursor
        try:
            engine_state.load(state.snapshot)
        except SnapshotUnreadable as error:
            emit(SnapshotLost(state.snapshot_cursor, str(error)))
            self.engine_state = EngineState(self._configuration)
            self.engine_state.load_alarm = engine_state.load_alarm
            self.engine_state.add_active(engine_state.alarms.values())
            return 0
        return state.snapshot_cursor

    def _restore_active(self) -> None:
        """Take alarms and suppressions from the state database, since a replay commits nothing."""
        engine_state, store, until_done = self.engine_state, self._store, self._state_commit.until_done
        engine_state.alarms, engine_state.recent = {}, {}
        engine_state.add_active(until_done(store.open_alarms))
        for alarm in until_done(partial(store.returned_alarms, RECENT)):
            engine_state.store_alarm(alarm)
        engine_state.suppressions = Suppressions()
        for record in until_done(store.open_suppressions):
            engine_state.keep_suppression(record)
        engine_state.bypasses = BypassRegister(until_done(store.open_bypasses))

    def _replay(self, portion: Sequence[Entry]) -> None:
        if jump := portion[0].step:
            self._now += jump
            self.engine_state.shift(jump)
        batch = self._configuration.enrolled(concat([entry.batch for entry in portion]))
        if len(batch):
            self._now = max(self._now, int(batch.received.max()))
            advance(Cycle(self._now, batch, self._configuration, self._policy), self.engine_state)

    def _run_cycle(
        self, portion: Sequence[Entry], *, configuration: PlantConfiguration | None = None, seen: int = 0
    ) -> None:
        """Evaluate entries without a clock jump between them, and commit; with none, apply what time alone changes."""
        began = time.monotonic()
        cycle = Cycle(0, empty_batch(), self._configuration, self._policy, seen)
        self._excuse_outage(cycle)
        if configuration is not None:
            self._adopt(configuration, cycle)
        answers = self._execute_commands(cycle)
        # As with a configuration: from which reading on a function check counts, a replay cannot tell.
        self._unreplayable |= any(record.kind is SuppressionKind.FUNCTION_CHECK for record in cycle.suppressions)
        cycle.configuration = self._configuration
        cursor = portion[-1].id if portion else self.cursor
        batch = concat([entry.batch for entry in portion])
        if portion and (jump := portion[0].step):
            self._follow_jump(jump)
        cycle.batch = self._configuration.enrolled(batch)
        if len(cycle.batch) < len(batch):
            emit(ReadingsUnenrolled(len(batch) - len(cycle.batch)))
        received = int(batch.received.max()) if len(batch) else None  # enrolled or not: the journal has come to there
        self._now = max(self._now, self._clock.now() if received is None else self._clock.of(received))
        cycle.now = self._now
        advance(cycle, self.engine_state)
        self._commit(cycle, cursor, snapshot=self._unreplayable or self._state_commit.snapshot_due(cursor, began))
        self._unreplayable = False
        for event in cycle.not_evaluated:
            self._not_evaluated.add((event.reason, event.gateway), event)
        self._not_evaluated.flush()
        for answer, result in answers:
            answer.set_result(result)
        self.progressed = time.monotonic()
        _cycle_seconds.observe(self.progressed - began)
        if len(batch):
            emit(TurnTaken(len(batch), cursor, self.progressed - began))

    def _follow_jump(self, jump: int) -> None:
        """Follow a clock jump: move the engine's times along, as if the clock had always been so."""
        emit(ClockStepped(jump / 1e9))
        self._clock.step(jump)
        self._now += jump
        self._last_run += jump
        self.engine_state.shift(jump)

    def _excuse_outage(self, cycle: Cycle) -> None:
        """Stop the deadlines of warnings for the time in which the service was down or hung and reached nobody."""
        now = self._clock.now()
        if now - self._last_run > _OUTAGE:
            cycle.warnings += self.engine_state.warnings.excuse(self._last_run, now)
        self._last_run = now

    def _commit(self, cycle: Cycle, cursor: int, *, snapshot: bool) -> None:
        self._state_commit.commit(cycle, cursor, self.engine_state, self._clock.now(), snapshot=snapshot)

    def _execute_commands(self, cycle: Cycle) -> list[tuple[Future[Any], Any]]:
        """Execute queued commands; returns their answers, to be given once all is committed."""
        answers = []
        while (request := self._next_request()) is not None:
            if isinstance(request, PlantConfiguration):
                self._adopt(request, cycle)
            elif request.answer.set_running_or_notify_cancel():  # else the caller has given up and was asked to retry
                try:
                    answers.append((request.answer, request.command(cycle, self.engine_state, self._clock.now())))
                except (KeyError, ValueError, CaseError, StateUnavailable) as error:
                    request.answer.set_exception(error)
        return answers

    def _next_request(self) -> _Request[Any] | PlantConfiguration | None:
        return None if self._inbox.empty() else self._inbox.get()  # nobody else takes from it

    def _adopt(self, configuration: PlantConfiguration, cycle: Cycle) -> None:
        """Switch the configuration; alarms of removed rules end as removed, since nothing evaluates them any more."""
        self.engine_state = self.engine_state.successor(configuration)
        cycle.renamed += configuration.renamed.items() - self._configuration.renamed.items()
        cycle.former = {**self._configuration.plants, **cycle.former}
        self._configuration = cycle.configuration = configuration
        self._unreplayable = True
        now = self._clock.now()
        for key, alarm in list(self.engine_state.alarms.items()):
            if configuration.has_rule(*key):
                continue
            cause = Cause(now, now, detail={"comment": _removal_reason(configuration, alarm)})
            if (event := removed(alarm, cause)) is not None:
                apply_transition(cycle, self.engine_state, event)
                self.engine_state.excursions.close_span(alarm.rule_key, now)


def _removal_reason(configuration: PlantConfiguration, alarm: Alarm) -> str:
    if alarm.plant not in configuration.plants:
        return "企业已移出配置 plant removed from configuration"
    if configuration.find(alarm.plant, alarm.point) is None:
        return "测点已移出配置 point removed from configuration"
    return "规则已移出配置 rule removed from configuration"
