"""Restores the engine state after a start: the newest snapshot, and the journal from there up to the cursor.

What was evaluated before is evaluated again, to no results: they are committed already. So alarms and suppressions come
from the state database.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from ingest.base.telemetry import emit
from ingest.domain.alarms.suppressions import Suppressions
from ingest.domain.cases.bypass_register import BypassRegister
from ingest.domain.model.batch import concat
from ingest.engine.committing import StateCommit
from ingest.engine.engine_clock import EngineClock, split_at_clock_jumps
from ingest.engine.engine_state import RECENT, EngineState, SnapshotUnreadable
from ingest.engine.events import AlarmLost, EngineStarted, SnapshotLost
from ingest.engine.order import Cycle, Policy, advance
from ingest.plants.configuration import PlantConfiguration
from ingest.storage.journal.records import Entry
from ingest.storage.journal.roles import EngineJournal
from ingest.storage.state.alarm_store import AlarmStore
from ingest.storage.state.engine_store import EngineCheckpoint, EngineStore

MAX_READINGS: Final = 50_000
"""Most readings in one cycle; a cycle takes whatever waits, so batches grow under load."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What the engine goes on from.

    Attributes:
        engine_state: as of the cursor.
        clock: the engine's.
        now: the present, ns.
        last_run: when a cycle last began, ns: the time since then is an outage.
    """

    engine_state: EngineState
    clock: EngineClock
    now: int
    last_run: int


class Recovery:
    """Restores what one engine knew. Waits for the state database while it is away."""

    def __init__(
        self,
        journal: EngineJournal,
        store: EngineStore,
        alarms: AlarmStore,
        state_commit: StateCommit,
        configuration: PlantConfiguration,
        policy: Policy,
    ) -> None:
        self._journal = journal
        self._store = store
        self._until_done = state_commit.until_done
        self._state_commit = state_commit
        self._configuration = configuration
        self._policy = policy
        self._load_alarm = alarms.alarm
        self._engine_state = self._new_state()
        self._now = 0

    def run(self, new_clock: Callable[[int], EngineClock], progressed: Callable[[], None]) -> Recovered:
        """Restore the engine state, and the cursors of `state_commit`.

        Args:
            new_clock: makes the engine's clock from the sum of the jumps that the journal records after the cursor.
            progressed: called again and again meanwhile.

        Raises:
            Abandoned: the service stops before the state database could be read.
        """
        state = self._until_done(self._store.load)
        at, replayed = self._load_snapshot(state), 0
        self._now = self._engine_state.listening_since  # nothing was evaluated before that
        while at < state.cursor:
            entries = [e for e in self._journal.read(at, MAX_READINGS) if e.id <= state.cursor]
            if not entries:
                break  # trimmed: every reader, this one included, had passed them
            for portion in split_at_clock_jumps(entries):
                self._replay(portion)
            at = entries[-1].id
            replayed += len(entries)
            progressed()
        engine_state = self._engine_state
        left = max(self._now, engine_state.stepped + (state.reached or 0))
        clock = new_clock(self._journal.steps(state.cursor))
        now = clock.now()
        self._restore_active()
        for key in engine_state.resume(left or now, now):
            emit(AlarmLost(key))
        last_run = self._resume_warnings(state, now)
        self._state_commit.resume(state.cursor, state.snapshot_cursor)
        emit(EngineStarted(state.cursor, replayed, len(engine_state.alarms)))
        return Recovered(engine_state, clock, now, last_run)

    def _resume_warnings(self, state: EngineCheckpoint, now: int) -> int:
        """Take over the live warnings; returns when the service was last up, ns: now, if nobody answers for them."""
        if self._policy.warnings is None:
            return now
        engine_state = self._engine_state
        live = self._until_done(self._store.live_warnings)
        engine_state.warnings.resume(live, engine_state, now, self._policy.warnings)
        # State written by an earlier version lacks when the service was last up: the last event stands in.
        newest = max((warning.changed - warning.stepped for warning in live), default=now - engine_state.stepped)
        reached = newest if state.reached is None else state.reached
        return min(reached + engine_state.stepped, now)

    def _new_state(self) -> EngineState:
        engine_state = EngineState(self._configuration)
        engine_state.load_alarm = self._load_alarm
        return engine_state

    def _load_snapshot(self, state: EngineCheckpoint) -> int:
        """Load the newest snapshot; returns the journal entry it was made at, 0 if it cannot be read."""
        # An old snapshot lacks since when they are active.
        self._engine_state.add_active(self._until_done(self._store.open_alarms))
        if state.snapshot is None:
            return state.snapshot_cursor
        try:
            self._engine_state.load(state.snapshot)
        except SnapshotUnreadable as error:
            emit(SnapshotLost(state.snapshot_cursor, str(error)))
            active = self._engine_state.alarms.values()
            self._engine_state = self._new_state()
            self._engine_state.add_active(active)
            return 0
        return state.snapshot_cursor

    def _restore_active(self) -> None:
        """Take alarms and suppressions from the state database, since a replay commits nothing."""
        engine_state, store, until_done = self._engine_state, self._store, self._until_done
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
            self._engine_state.shift(jump)
        batch = self._configuration.enrolled(concat([entry.batch for entry in portion]))
        if len(batch):
            self._now = max(self._now, int(batch.received.max()))
            advance(Cycle(self._now, batch, self._configuration, self._policy), self._engine_state)
