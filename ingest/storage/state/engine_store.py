"""The engine's side of the state database: its one commit, and what it goes on from after a start."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import sqlalchemy as sa

from ingest.domain.model.alarm import OVER, Alarm, AlarmEvent, AlarmState
from ingest.domain.model.audit import Act
from ingest.domain.model.outbox import Message
from ingest.domain.model.suppression import Suppression, SuppressionState
from ingest.domain.model.warning import EarlyWarning, WarningEvent
from ingest.plants.numbering import Rename
from ingest.storage.state import audit
from ingest.storage.state import tables as t
from ingest.storage.state.annunciations import AnnunciationStore, follow
from ingest.storage.state.database import Database
from ingest.storage.state.errors import StateInDoubt
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
from ingest.storage.state.upsert import added, once, put
from ingest.storage.state.warning_store import live_warnings, write_warnings

_HANDED: Final = 8
"""So few messages are handed on as they are committed: of more, a page at a time is read from the outbox."""
_REACHED: Final = sa.update(t.engine_state)


@dataclass(frozen=True, slots=True)
class EngineCheckpoint:
    """Where the engine was when it last committed.

    Attributes:
        cursor: newest journal entry whose consequences are committed.
        snapshot_cursor: newest journal entry in the snapshot; never newer than `cursor`.
        snapshot: the engine's memory, or None before the first.
        reached: until when the service is known to have been up, ns without the steps of its clock; None: not known.
    """

    cursor: int
    snapshot_cursor: int
    snapshot: bytes | None
    reached: int | None = None


class EngineStore:
    """The engine's side: the only writer of alarms."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._annunciations = AnnunciationStore(database)
        self._doubt: int | None = None  # a commit that may have been kept

    def load(self) -> EngineCheckpoint:
        """Where to go on from."""
        for row in self._db.rows(sa.select(t.engine_state)):
            return EngineCheckpoint(row["cursor"], row["snapshot_cursor"], row["snapshot"], row["reached"])
        return EngineCheckpoint(0, 0, None)

    def open_alarms(self) -> list[Alarm]:
        """Every alarm that is not over, oldest first."""
        query = sa.select(t.alarm).where(t.alarm.c.state.not_in(OVER)).order_by(t.alarm.c.raised)
        return self._db.records(query, alarm_of)

    def returned_alarms(self, most: int) -> list[Alarm]:
        """The alarms that returned to normal last, in the order in which they did; historical ones apart."""
        column = t.alarm.c
        query = sa.select(t.alarm).where(column.state == AlarmState.NORMAL, ~column.historical)
        return self._db.page(query.order_by(column.returned.desc()), most, alarm_of)[::-1]

    def open_suppressions(self) -> list[Suppression]:
        """Suppressions that wait for approval or are in force."""
        open_ = t.suppression.c.state.in_([str(SuppressionState.APPLIED), str(SuppressionState.IN_FORCE)])
        return self._db.records(sa.select(t.suppression).where(open_), suppression_of)

    def live_warnings(self) -> list[EarlyWarning]:
        """Warnings that are not closed, oldest first."""
        return live_warnings(self._db)

    def verify(self) -> None:
        """Raise StateBroken if anybody found the file broken, who may not be the one to end the process by it."""
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
        warnings: Sequence[WarningEvent] = (),
        acts: Sequence[Act] = (),
        renamed: Sequence[Rename] = (),
        reached: int | None = None,
    ) -> Sequence[Message] | None:
        """Write what one turn led to, in one transaction: alarms, warnings, the audit trail, outbox and cursor.

        What the turn wrote of a point that was `renamed` in it goes by its new id, like all that was there before.
        What was told before, by its id, is not told again.

        Returns:
            The messages that are new in the outbox, with their numbers; None: they are many, or it is not known which
            they are.

        Raises:
            StateUnavailable: call again with the same, before anything else is committed. If it was kept after all
                (the server went away before it could say so), that call does nothing.
            StateBroken: the process must end.
        """
        if self._kept_already():
            return None
        # A turn that led to nothing is judged again, to nothing; but the journal may be trimmed up to a snapshot.
        lasting = bool(events or messages or suppressions or warnings or acts or renamed) or snapshot is not None
        with self._surely(lasting=lasting) as connection:
            fresh = []
            standing = {event.alarm.id: event.alarm for event in events}
            put(connection, t.alarm, [alarm_row(alarm) for alarm in standing.values()])
            for event in events:
                if (seq := added(connection, t.alarm_event, event_row(event))) is not None:
                    follow(connection, event, seq)
                    fresh.append(act_of(event))
            put(connection, t.suppression, [suppression_row(suppression) for suppression in suppressions])
            moved = rename_points(connection, renamed, time.time_ns())
            audit.append(connection, [*fresh, *acts, *write_warnings(connection, warnings), *moved])
            posted = _post(connection, messages)
            state: dict[str, Any] = {"cursor": cursor}
            if reached is not None:
                state["reached"] = reached
            if snapshot is not None:
                state |= {"snapshot": snapshot, "snapshot_cursor": cursor}
            if not connection.execute(_REACHED, state).rowcount:
                connection.execute(sa.insert(t.engine_state), {"one": 1, "snapshot_cursor": 0} | state)
        return posted

    def pack(self, count: int) -> int:
        """Let `count` annunciations that cannot change any more lie together; 0 where there are not so many."""
        return self._annunciations.pack(count)

    def rename(self, renamed: Sequence[Rename], now: int) -> None:
        """Let what is known of points under a former id go by the one they have at `now` (ns). Raises as `commit`."""
        if renamed:
            with self._db.write() as connection:
                audit.append(connection, rename_points(connection, renamed, now))

    def _kept_already(self) -> bool:
        doubt = self._doubt
        kept = doubt is not None and self._db.kept(doubt)
        self._doubt = None
        return kept

    @contextmanager
    def _surely(self, *, lasting: bool) -> Iterator[sa.Connection]:
        try:
            with self._db.write(lasting=lasting) as connection:
                yield connection
        except StateInDoubt as error:
            self._doubt = error.transaction
            raise


def _post(connection: sa.Connection, messages: Sequence[Message]) -> Sequence[Message] | None:
    """Write what is new of these messages into the outbox; returns it with its numbers, unless it is much."""
    if len(messages) > _HANDED:
        rows = [message_row(message) for message in messages]
        connection.execute(once(connection, t.outbox, "connector", "id"), rows)
        return None
    numbered = ((message, added(connection, t.outbox, message_row(message), "connector", "id")) for message in messages)
    return [replace(message, seq=seq) for message, seq in numbered if seq is not None]
