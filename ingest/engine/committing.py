"""Commits the engine's cycles to the state database: results at once, a mere advance of the cursor within seconds.

Whatever the engine wants of the database it waits for while that is away: it must not end, nor judge without it.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from ingest.base.telemetry import Event, emit
from ingest.domain.model.outbox import Message
from ingest.engine.engine_state import EngineState
from ingest.engine.order import Cycle
from ingest.engine.raise_warnings import step_of
from ingest.storage.state.engine_store import EngineStore
from ingest.storage.state.errors import StateUnavailable

T = TypeVar("T")

OnCommit = Callable[[Sequence[Message] | None], None]
"""Called after each commit with results, with the messages it put into the outbox (None: read them from there)."""

_RETRY_S: Final = 1.0

_SAVE_S: Final = 2.0
"""Longest delay for the commit of a cycle without results; after a crash it is evaluated again, to no results."""

_REACHED: Final = int(_SAVE_S * 1e9)
"""Ns. Longest interval between records that the service is up; after a crash, time since the last counts as outage."""


@dataclass(frozen=True, slots=True)
class AlarmStep(Event, labels=("step", "alarm_level")):
    """A step in an alarm's life."""

    step: str
    alarm_level: int
    plant: str
    point: str
    rule: str
    value: float | None
    limit: float


@dataclass(frozen=True, slots=True)
class CommitRefused(Event, level="error"):
    """The state database could not be used; tried again until it can. Readings stay in the journal."""

    error: str


class Abandoned(Exception):
    """The service stops while the state database cannot be used.

    The cycle's state must not be kept ahead of its cursor, nor its commands answered: the next start evaluates the same
    """


class StateCommit:
    """Commits the engine's cycles, each with its cursor, and with a snapshot when one is due.

    Args:
        store: the state database.
        snapshot_every_s: interval of snapshots of the engine state.
        stopping: set when the service stops; from then on a database that cannot be used is not waited for.
        on_commit: called after a cycle with results, with what `EngineStore.commit` returned.

    Attributes:
        cursor: newest journal entry that was evaluated; its results are committed.
        refused: when the database last could not be used, by `time.monotonic`.
        trouble: why it cannot be used at present; None: it can.
    """

    def __init__(
        self, store: EngineStore, snapshot_every_s: float, stopping: threading.Event, on_commit: OnCommit
    ) -> None:
        self.cursor = 0
        self.refused = 0.0
        self.trouble: str | None = None
        self._store = store
        self._snapshot_every_s = snapshot_every_s
        self._stopping = stopping
        self._on_commit = on_commit
        self._saved = 0  # the cursor on disk
        self._save_due = 0.0
        self._snapshot = 0  # the cursor of the newest snapshot
        self._snapshot_due = 0.0
        self._reached = 0  # the newest time on disk at which the service was up

    def resume(self, cursor: int, snapshot: int) -> None:
        """Take over the cursor on disk, and that of the newest snapshot."""
        self.cursor = self._saved = cursor
        self._snapshot_taken(snapshot)

    def save_due_s(self) -> float:
        """Seconds until evaluated entries have to be committed; infinite if all are."""
        return self._save_due - time.monotonic() if self.cursor > self._saved else math.inf

    def snapshot_due(self, cursor: int, at: float) -> bool:
        """Whether a snapshot is due at that time (`time.monotonic`) and would hold anything new."""
        return cursor > self._snapshot and at >= self._snapshot_due

    def due(self, cycle: Cycle, cursor: int, now: int, *, snapshot: bool) -> bool:
        """Whether the cycle up to that cursor is to be written now, for which the state database may be waited for."""
        save = cursor > self._saved and time.monotonic() >= self._save_due
        return cycle.has_results or snapshot or save or now - self._reached > _REACHED

    def defer(self, cursor: int) -> None:
        """Leave a cycle up to that cursor, of which nothing is due, to a later commit; waits for nothing."""
        self._store.verify()
        self.cursor = cursor

    def commit(self, cycle: Cycle, cursor: int, engine_state: EngineState, now: int, *, snapshot: bool) -> None:
        """Commit the cycle up to that cursor, now or later if nothing of it is urgent.

        Raises:
            Abandoned: the service stops before the commit succeeded.
        """
        if not self.due(cycle, cursor, now, snapshot=snapshot):
            self.defer(cursor)
            return
        posted = self._write(
            cycle, cursor, engine_state.dump(silence=True) if snapshot else None, now - engine_state.stepped
        )
        self.cursor = self._saved = cursor
        self._reached = now
        self._save_due = time.monotonic() + _SAVE_S
        if snapshot:
            self._snapshot_taken(cursor)
        for event in cycle.events:
            a = event.alarm
            emit(AlarmStep(str(event.kind), a.level, a.plant, a.point, a.rule, a.value, a.limit))
        for warning_event in cycle.warnings:
            emit(step_of(warning_event))
        if cycle.has_results:
            self._on_commit(posted)

    def _write(self, cycle: Cycle, cursor: int, dump: bytes | None, reached: int) -> Sequence[Message] | None:
        return self.until_done(
            lambda: self._store.commit(
                cursor,
                cycle.events,
                cycle.messages,
                dump,
                suppressions=cycle.suppressions,
                bypasses=cycle.bypasses,
                warnings=cycle.warnings,
                acts=cycle.acts,
                renamed=cycle.renamed,
                reached=reached,
            )
        )

    def until_done(self, call: Callable[[], T]) -> T:
        """Use the state database, again and again until it can be used.

        Raises:
            Abandoned: the service stops before that.
        """
        while True:
            try:
                done = call()
            except StateUnavailable as error:
                self.trouble = str(error)
                emit(CommitRefused(self.trouble))
                self.refused = time.monotonic()
                if self._stopping.wait(_RETRY_S):
                    raise Abandoned from error
            else:
                self.trouble = None
                return done

    def _snapshot_taken(self, cursor: int) -> None:
        self._snapshot = cursor
        self._snapshot_due = time.monotonic() + self._snapshot_every_s
