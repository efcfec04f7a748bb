"""The engine's part of the state database: its one commit, and what it loads at a start."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import sqlalchemy as sa

from ingest.domain.cases.bypass import OPEN_STATES, Bypass
from ingest.domain.model.alarm import OVER, Alarm, AlarmEvent, AlarmState
from ingest.domain.model.audit import Act
from ingest.domain.model.outbox import Message
from ingest.domain.model.suppression import Suppression, SuppressionState
from ingest.domain.model.warning import EarlyWarning, WarningEvent
from ingest.plants.numbering import Rename
from ingest.storage.state import audit
from ingest.storage.state import tables as t
from ingest.storage.state.annunciations import AnnunciationStore, record_annunciation
from ingest.storage.state.bypass_table import bypass as bypass_table
from ingest.storage.state.case_rows import record_of, row_of
from ingest.storage.state.database import Database
from ingest.storage.state.errors import StateInDoubt
from ingest.storage.state.prepared import change
from ingest.storage.state.renames import rename_points
from ingest.storage.state.rows import (
    act_of,
    alarm_of,
    alarm_row,
    event_row,
    message_row,
    suppression_of,
    suppression_row,
)
from ingest.storage.state.upsert import insert_missing, insert_new, upsert
from ingest.storage.state.warning_store import live_warnings, write_warnings

_MOST_RETURNED: Final = 8
"""Most messages returned by a commit; more are read from the outbox page by page."""
_UPDATE_STATE: Final = sa.update(t.engine_state)


@dataclass(frozen=True, slots=True)
class EngineCheckpoint:
    """The engine's progress as of its last commit.

    Attributes:
        cursor: newest journal entry whose consequences are committed.
        snapshot_cursor: newest journal entry in the snapshot; never newer than `cursor`.
        snapshot: the engine's state, or None before the first.
        reached: until when the service is known to have been up, ns without the steps of its clock; None: unknown.
    """

    cursor: int
    snapshot_cursor: int
    snapshot: bytes | None
    reached: int | None = None


class EngineStore:
    """The engine's part of the state database; the only writer of alarms."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._annunciations = AnnunciationStore(database)
        self._doubt: int | None = None  # a transaction that may have been committed

    def load(self) -> EngineCheckpoint:
        """The checkpoint to continue from."""
        for row in self._db.rows(sa.select(t.engine_state)):
            return EngineCheckpoint(row["cursor"], row["snapshot_cursor"], row["snapshot"], row["reached"])
        return EngineCheckpoint(0, 0, None)

    def open_alarms(self) -> list[Alarm]:
        """Every alarm that is not over, oldest first."""
        query = sa.select(t.alarm).where(t.alarm.c.state.not_in(OVER)).order_by(t.alarm.c.raised)
        return self._db.records(query, alarm_of)

    def returned_alarms(self, most: int) -> list[Alarm]:
        """The alarms that returned to normal last, in that order, without historical ones."""
        column = t.alarm.c
        query = sa.select(t.alarm).where(column.state == AlarmState.NORMAL, ~column.historical)
        return self._db.page(query.order_by(column.returned.desc()), most, alarm_of)[::-1]

    def open_suppressions(self) -> list[Suppression]:
        """Suppressions that wait for approval or are in force."""
        open_ = t.suppression.c.state.in_([str(SuppressionState.APPLIED), str(SuppressionState.IN_FORCE)])
        return self._db.records(sa.select(t.suppression).where(open_), suppression_of)

    def open_bypasses(self) -> list[Bypass]:
        """Registrations of bypassed interlocks that are not closed."""
        query = sa.select(bypass_table).where(bypass_table.c.state.in_([str(state) for state in OPEN_STATES]))
        return self._db.records(query, partial(record_of, Bypass))

    def live_warnings(self) -> list[EarlyWarning]:
        """Warnings that are not closed, oldest first."""
        return live_warnings(self._db)

    def verify(self) -> None:
        """Raise StateBroken if anybody found the file broken, since whoever did may not end the process."""
        if self._db.broken is not None:
            raise self._db.broken

    def commit(
        self,
        cursor: int,
        events: Sequence[AlarmEvent],
        messages: Sequence[Message],
        snapshot: bytes | None = None,
        *,
        suppressions: Sequence[Suppression] = (),
        bypasses: Sequence[Bypass] = (),
        warnings: Sequence[WarningEvent] = (),
        acts: Sequence[Act] = (),
        renamed: Sequence[Rename] = (),
        reached: int | None = None,
    ) -> Sequence[Message] | None:
        """Write the results of one cycle in one transaction: alarms, warnings, audit trail, outbox and cursor.

        Rows of a point that was `renamed`, those of this cycle included, get its new id. Events and messages that are
        already stored, by id, are not written again.

        Returns:
            The new messages of the outbox, with their numbers; None if they are many or unknown.

        Raises:
            StateUnavailable: call again with the same, before anything else is committed. If it was committed after all
                (the server went away before it answered), that call does nothing.
            StateBroken: the process must end.
        """
        if self._already_committed():
            return None
        # A cycle without results is repeated without results; but the journal may be trimmed up to a snapshot.
        durable = (
            bool(events or messages or suppressions or bypasses or warnings or acts or renamed) or snapshot is not None
        )
        with self._transaction(durable=durable, patient=bool(renamed)) as connection:
            fresh = []
            latest = {event.alarm.id: event.alarm for event in events}
            upsert(connection, t.alarm, [alarm_row(alarm) for alarm in latest.values()])
            for event in events:
                if (seq := insert_new(connection, t.alarm_event, event_row(event))) is not None:
                    record_annunciation(connection, event, seq)
                    fresh.append(act_of(event))
            upsert(connection, t.suppression, [suppression_row(suppression) for suppression in suppressions])
            upsert(connection, bypass_table, [row_of(bypass) for bypass in bypasses])
            moved = rename_points(connection, renamed, time.time_ns())
            audit.append(connection, [*fresh, *acts, *write_warnings(connection, warnings), *moved])
            posted = _post(connection, messages)
            state: dict[str, Any] = {"cursor": cursor}
            if reached is not None:
                state["reached"] = reached
            if snapshot is not None:
                state |= {"snapshot": snapshot, "snapshot_cursor": cursor}
            if not change(connection, _UPDATE_STATE, state):
                connection.execute(sa.insert(t.engine_state), {"one": 1, "snapshot_cursor": 0} | state)
        return posted

    def pack(self, count: int) -> int:
        """Pack the `count` oldest annunciations that can no longer change; returns 0 if there are fewer."""
        return self._annunciations.pack(count)

    def rename(self, renamed: Sequence[Rename], now: int) -> None:
        """Rename points at `now` (ns): rows under a former id get the new one. Raises as `commit`."""
        if renamed:
            with self._db.write(patient=True) as connection:
                audit.append(connection, rename_points(connection, renamed, now))

    def _already_committed(self) -> bool:
        doubt = self._doubt
        committed = doubt is not None and self._db.wrote_last(doubt, t.engine_state)
        self._doubt = None
        return committed

    @contextmanager
    def _transaction(self, *, durable: bool, patient: bool) -> Iterator[sa.Connection]:
        try:
            with self._db.write(durable=durable, patient=patient) as connection:
                yield connection
        except StateInDoubt as error:
            self._doubt = error.transaction
            raise


def _post(connection: sa.Connection, messages: Sequence[Message]) -> Sequence[Message] | None:
    """Write the new ones of these messages into the outbox and return them with their numbers, unless they are many."""
    if len(messages) > _MOST_RETURNED:
        rows = [message_row(message) for message in messages]
        change(connection, insert_missing(connection, t.outbox, "connector", "id"), *rows)
        return None
    numbered = (
        (message, insert_new(connection, t.outbox, message_row(message), "connector", "id")) for message in messages
    )
    return [replace(message, seq=seq) for message, seq in numbered if seq is not None]
