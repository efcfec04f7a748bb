"""The engine: reads the journal, runs each batch through the stages and commits the results in one transaction.

It is the only writer of alarms; an operator's acknowledgement reaches it as a command. After a crash it loads its
newest snapshot and replays the journal up to its cursor, keeping the state and discarding the results, which were
committed already. The state is then the same, to the byte, as if it had never stopped. Only silence is measured by the
clock; the time of the outage does not count.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue
from typing import Any, Final, Generic, TypeVar

import msgspec
from pydantic import Field

from ingest.base.config import Config
from ingest.base.durations import Durations
from ingest.base.pace import Pace
from ingest.base.telemetry import EmittedSeldom, emit
from ingest.base.worker import Worker
from ingest.domain.cases.errors import CaseError
from ingest.domain.model.batch import concat, empty_batch
from ingest.domain.model.suppression import SuppressionKind
from ingest.engine.commands import Command
from ingest.engine.committing import Abandoned, OnCommit, StateCommit
from ingest.engine.engine_clock import EngineClock, split_at_clock_jumps
from ingest.engine.engine_state import EngineState
from ingest.engine.evaluation import Evaluation
from ingest.engine.events import ClockStepped, ReadingsUnenrolled, TurnTaken
from ingest.engine.order import STAGES, Cycle, Policy, advance, report_due
from ingest.engine.recovery import MAX_READINGS, Recovery
from ingest.engine.removed_rules import end_removed
from ingest.plants.configuration import PlantConfiguration
from ingest.storage.journal.records import Entry
from ingest.storage.journal.roles import EngineJournal
from ingest.storage.state.alarm_store import AlarmStore
from ingest.storage.state.engine_store import EngineStore
from ingest.storage.state.errors import StateUnavailable

T = TypeVar("T")

_OUTAGE: Final = 10 * 10**9
"""Ns. After a longer pause between two cycles the service counts as having been down, and nobody was reached."""

_IN_FLIGHT: Final = 5 * 10**9
"""Ns. What arrived earlier is in the journal: if that holds nothing new, everything before was evaluated."""


_cycle_seconds = Durations(
    "yujing_engine_cycle_seconds", "How long a cycle of the engine takes until what came of it is committed"
)


AT_ONCE: Final = 2_000
"""Most readings evaluated in the thread that brings them: a few milliseconds of it."""

_EARLY_S: Final = 0.005
"""The engine's thread is not woken because something is due so much earlier than it expected."""

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
    """The thread that evaluates readings and writes alarms and warnings.

    Whoever brings a few readings may evaluate them in its own thread (`follow`). The state database is used by the
    engine's thread alone, so nobody else ever waits for it.
    """

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
        self._cycle_lock = threading.Lock()  # held while one thread evaluates
        self._woken = threading.Event()
        self._wakes_at = math.inf  # when the engine's thread goes on by itself, by `time.monotonic`
        self._open: Evaluation | None = None  # begun by another thread, to be finished by the engine's
        self._ready = False  # whether other threads may evaluate
        self._spoilt = False  # whether one of them failed amid a cycle
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
        self._woken.set()

    def follow(self, at_once: bool, /) -> None:  # noqa: FBT001  as intake calls it
        """Note that the journal has grown. From the thread that has written it.

        With `at_once` that thread evaluates what has come, if it is little and the engine idle: a change of threads
        costs as much as a few frames. Whatever comes of it, or may have to wait, is left to the engine's thread.
        """
        if not (at_once and self._evaluate_at_once()):
            self.wake()

    def _evaluate_at_once(self) -> bool:
        """Evaluate what waits in the calling thread; False: the engine's own has something to do."""
        if not self._cycle_lock.acquire(blocking=False):
            return False
        try:
            if not self._ready or self._stopping.is_set() or self._pace.rest_s() or not self._inbox.empty():
                return False
            now = self._clock.now()
            entries = self._journal.read(self.cursor, AT_ONCE)
            many = sum(len(entry.batch) for entry in entries)
            if many > AT_ONCE or any(entry.step for entry in entries):
                return False
            if self._open or self._due() <= now or report_due(self._policy.report_every, self.engine_state, now):
                return False
            if entries:
                self._pace.begin()
                self._open = self._begin_cycle(entries, seen=now - _IN_FLIGHT)
                advance(self._open.cycle, self.engine_state, uneventful=True)
                if self._open.cycle.passed < len(STAGES) or self._commit_due(self._open):
                    return False
                self._state_commit.defer(self._open.cursor)  # decided once: a moment later a commit may be due
                self._end_cycle(self._open)
                self._pace.end()
            return time.monotonic() + self.idle_s() > self._wakes_at - _EARLY_S
        except BaseException:
            self._spoilt, self._ready = True, False
            raise
        finally:
            self._cycle_lock.release()

    def _run(self) -> None:
        with suppress(Abandoned):
            with self._cycle_lock:
                self.begin()
            while not self._stopping.is_set():
                self._wait()
                if self._open is None and (rest_s := self._pace.rest_s()):  # what arrives meanwhile shares the cycle
                    self._stopping.wait(rest_s)
                with self._cycle_lock:
                    if self._spoilt:
                        return
                    self._ready = False
                    self._pace.begin()
                    self.process()
                    self._pace.end()
                    self._ready = True
            with self._cycle_lock:
                self._ready = False
                if self._spoilt:
                    return
                self._finish_cycle()
                last = Cycle(self._now, empty_batch(), self._configuration, self._policy)
                self._commit(last, self.cursor, snapshot=True)
        self._not_evaluated.flush(everything=True)

    def _wait(self) -> None:
        """Wait until there is something to evaluate, or something is due."""
        with self._cycle_lock:
            idle_s = 0.0 if self.lag() or not self._inbox.empty() else self.idle_s()
            self._wakes_at = time.monotonic() + idle_s
        self._woken.wait(idle_s)
        self._woken.clear()

    def idle_s(self) -> float:
        """Longest wait while nothing arrives: until time alone changes something, at most a tick."""
        now, every = self._clock.now(), self._policy.report_every
        due = self._due()
        if every is not None:
            due = min(due, now + every - (now - self.engine_state.stepped) % every)
        return max(_MIN_WAIT_S, min((due - now) / 1e9, self._state_commit.save_due_s(), self._config.tick_s))

    def _due(self) -> int:
        """When time alone next changes something of alarms or warnings, ns."""
        return min(self.engine_state.due(), self.engine_state.excursions.due + _IN_FLIGHT)

    def begin(self) -> None:
        """Restore the engine state, then adopt the configuration in force: plant files may have changed meanwhile."""
        recovery = Recovery(
            self._journal, self._store, self._alarms, self._state_commit, self._configuration, self._policy
        )
        found = recovery.run(self._new_clock, self._note_progress)
        self.engine_state, self._clock = found.engine_state, found.clock
        self._now, self._last_run = found.now, found.last_run
        self._run_cycle([], configuration=self._configuration)
        self._ready = True

    def _note_progress(self) -> None:
        self.progressed = time.monotonic()

    def process(self, most: int = MAX_READINGS) -> None:
        """Execute queued commands and evaluate waiting entries: at least one, up to about `most` readings."""
        self._finish_cycle()
        began = self._clock.now()
        entries = self._journal.read(self.cursor, most)
        for portion in split_at_clock_jumps(entries) if entries else [entries]:
            self._run_cycle(portion, seen=began - _IN_FLIGHT)

    def _run_cycle(
        self, portion: Sequence[Entry], *, configuration: PlantConfiguration | None = None, seen: int = 0
    ) -> None:
        """Evaluate entries without a clock jump between them, and commit; with none, apply what time alone changes."""
        self._open = self._begin_cycle(portion, configuration=configuration, seen=seen, commands=True)
        self._finish_cycle()

    def _begin_cycle(
        self,
        portion: Sequence[Entry],
        *,
        configuration: PlantConfiguration | None = None,
        seen: int = 0,
        commands: bool = False,
    ) -> Evaluation:
        """Begin a cycle, with its readings and its time."""
        began = time.monotonic()
        cycle = Cycle(0, empty_batch(), self._configuration, self._policy, seen)
        self._excuse_outage(cycle)
        if configuration is not None:
            self._adopt(configuration, cycle)
        answers = self._execute_commands(cycle) if commands else []
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
        return Evaluation(cycle, cursor, began, len(batch), answers)

    def _finish_cycle(self) -> None:
        """Finish the cycle that was begun, if any: the stages that are left, the commit, the answers."""
        if (run := self._open) is None:
            return
        advance(run.cycle, self.engine_state)
        self._commit(run.cycle, run.cursor, snapshot=self._snapshot_due(run))
        self._end_cycle(run)

    def _end_cycle(self, run: Evaluation) -> None:
        """What follows once a cycle is committed, or left to a later commit."""
        self._open, self._unreplayable = None, False
        for event in run.cycle.not_evaluated:
            self._not_evaluated.add((event.reason, event.gateway), event)
        self._not_evaluated.flush()
        for answer, result in run.answers:
            answer.set_result(result)
        self.progressed = time.monotonic()
        _cycle_seconds.add(self.progressed - run.began)
        if run.readings:
            emit(TurnTaken(run.readings, run.cursor, self.progressed - run.began))

    def _snapshot_due(self, run: Evaluation) -> bool:
        return self._unreplayable or self._state_commit.snapshot_due(run.cursor, run.began)

    def _commit_due(self, run: Evaluation) -> bool:
        return self._state_commit.due(run.cycle, run.cursor, self._clock.now(), snapshot=self._snapshot_due(run))

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
        end_removed(cycle, self.engine_state, self._clock.now())
