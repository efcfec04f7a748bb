"""What the service asks of the state database: the engine's one commit, and everybody's queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import Insert, insert

from ingest.model.alarm import Alarm, AlarmEvent, AlarmFilter, AlarmState
from ingest.model.outbox import Attempt, Message
from ingest.state import tables as t
from ingest.state.database import Database
from ingest.state.rows import alarm_of, alarm_row, event_of, event_row, message_of, message_row


@dataclass(frozen=True, slots=True)
class EngineState:
    """Where the engine was when it last committed.

    Attributes:
        cursor: newest journal entry whose consequences are committed.
        snapshot_cursor: newest journal entry in the snapshot; never newer than `cursor`.
        snapshot: the engine's memory, or None before the first.
    """

    cursor: int
    snapshot_cursor: int
    snapshot: bytes | None


@dataclass(frozen=True, slots=True)
class OutboxTotals:
    """What became of one connector's messages."""

    messages: int
    attempted: int
    delivered: int


class EngineStore:
    """The engine's side: the only writer of alarms."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def load(self) -> EngineState:
        """Where to go on from."""
        for row in self._db.rows(sa.select(t.engine_state)):
            return EngineState(row["cursor"], row["snapshot_cursor"], row["snapshot"])
        return EngineState(0, 0, None)

    def open_alarms(self) -> list[Alarm]:
        """Every alarm that is not back to normal, oldest first."""
        query = sa.select(t.alarm).where(t.alarm.c.state != AlarmState.NORMAL).order_by(t.alarm.c.raised)
        return [alarm_of(row) for row in self._db.rows(query)]

    def verify(self) -> None:
        """Raise StateBroken if anybody found the file broken, who may not be the one to end the process by it."""
        if self._db.broken is not None:
            raise self._db.broken

    def commit(
        self, cursor: int, events: Sequence[AlarmEvent], messages: Sequence[Message], snapshot: bytes | None = None
    ) -> None:
        """Write what one turn led to, in one transaction: alarms, their events, outbox messages and the cursor.

        What was told before, by its id, is not told again.

        Raises:
            StateUnavailable: nothing was written.
            StateBroken: the process must end.
        """
        with self._db.write() as connection:
            for event in events:
                row = alarm_row(event.alarm)
                known = connection.execute(sa.update(t.alarm).where(t.alarm.c.id == event.alarm.id).values(row))
                if not known.rowcount:
                    connection.execute(sa.insert(t.alarm), row)
                connection.execute(_once(t.alarm_event, "id"), event_row(event))
            if messages:
                rows = [message_row(message) for message in messages]
                connection.execute(_once(t.outbox, "connector", "id"), rows)
            state = {"cursor": cursor}
            if snapshot is not None:
                state |= {"snapshot": snapshot, "snapshot_cursor": cursor}  # type: ignore[dict-item]
            if not connection.execute(sa.update(t.engine_state).values(state)).rowcount:
                connection.execute(sa.insert(t.engine_state), {"one": 1, "snapshot_cursor": 0} | state)


class AlarmStore:
    """Alarms and their events, as committed."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def alarms(self, which: AlarmFilter, *, limit: int, before: tuple[int, UUID] | None = None) -> list[Alarm]:
        """Newest raised first; `before` = (raised, id) of the last one seen, for the next page."""
        column = t.alarm.c
        query = sa.select(t.alarm).order_by(column.raised.desc(), column.id.desc()).limit(limit)
        if which.plants is not None:
            query = query.where(column.plant.in_(which.plants))
        if which.states is not None:
            query = query.where(column.state.in_([str(state) for state in which.states]))
        if which.level is not None:
            query = query.where(column.level == which.level)
        if which.point is not None:
            query = query.where(column.point == which.point)
        if which.historical is not None:
            query = query.where(column.historical == which.historical)
        if which.since is not None:
            query = query.where(column.raised >= which.since)
        if which.until is not None:
            query = query.where(column.raised < which.until)
        if before is not None:
            raised, alarm = before
            query = query.where((column.raised < raised) | ((column.raised == raised) & (column.id < alarm)))
        return [alarm_of(row) for row in self._db.rows(query)]

    def alarm(self, alarm: UUID) -> Alarm | None:
        """One alarm, or None."""
        rows = self._db.rows(sa.select(t.alarm).where(t.alarm.c.id == alarm))
        return alarm_of(rows[0]) if rows else None

    def alarm_history(self, alarm: UUID) -> list[AlarmEvent]:
        """Every event of one alarm, oldest first."""
        return self._events(sa.select(t.alarm_event).where(t.alarm_event.c.alarm == alarm))

    def events_after(self, seq: int, *, limit: int) -> list[AlarmEvent]:
        """Events with a greater sequence number, oldest first."""
        return self._events(sa.select(t.alarm_event).where(t.alarm_event.c.seq > seq).limit(limit))

    def last_event(self) -> int:
        """The newest sequence number, 0 if there is none."""
        return int(self._db.scalar(sa.select(sa.func.max(t.alarm_event.c.seq))) or 0)

    def reader_cursor(self, name: str) -> int:
        """How far that reader of the events has come; 0 if it never read."""
        query = sa.select(t.reader_cursor.c.position).where(t.reader_cursor.c.reader == name)
        return int(self._db.scalar(query) or 0)

    def save_reader_cursor(self, name: str, position: int) -> None:
        """Remember how far that reader has come."""
        table = t.reader_cursor
        with self._db.write() as connection:
            known = connection.execute(sa.update(table).where(table.c.reader == name).values(position=position))
            if not known.rowcount:
                connection.execute(sa.insert(table), {"reader": name, "position": position})

    def _events(self, query: sa.Select[Any]) -> list[AlarmEvent]:
        return [event_of(row) for row in self._db.rows(query.order_by(t.alarm_event.c.seq))]


class OutboxStore:
    """Messages that must leave, and what became of them. Times are ns since the epoch, UTC."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def due(self, connector: str, now: int, limit: int) -> list[Message]:
        """The first `limit` undelivered messages with next_attempt <= now, in the order of `seq`."""
        query = _waiting(sa.select(t.outbox), connector).where(t.outbox.c.next_attempt <= now)
        return [message_of(row) for row in self._db.rows(query.order_by(t.outbox.c.seq).limit(limit))]

    def next_due(self, connector: str) -> int | None:
        """The earliest next_attempt of the undelivered messages, or None if there are none."""
        due: int | None = self._db.scalar(_waiting(sa.select(sa.func.min(t.outbox.c.next_attempt)), connector))
        return due

    def oldest(self, connector: str) -> int | None:
        """When the oldest undelivered message was created, or None if there are none."""
        created: int | None = self._db.scalar(_waiting(sa.select(sa.func.min(t.outbox.c.created)), connector))
        return created

    def record(self, connector: str, attempts: Sequence[Attempt]) -> None:
        """Keep what became of tries, in one transaction: counts each in `attempts`, sets `first_attempt` once."""
        column = t.outbox.c
        with self._db.write() as connection:
            for attempt in attempts:
                connection.execute(
                    sa.update(t.outbox)
                    .where(column.connector == connector, column.seq == attempt.seq)
                    .values(
                        attempts=column.attempts + 1,
                        first_attempt=sa.func.coalesce(column.first_attempt, attempt.started),
                        next_attempt=attempt.next_attempt,
                        delivered=attempt.delivered,
                        last_error=attempt.error,
                    )
                )

    def put_off(self, connector: str, until: Mapping[int, int]) -> None:
        """Set next_attempt by seq, without counting a try."""
        with self._db.write() as connection:
            for seq, time in until.items():
                where = (t.outbox.c.connector == connector) & (t.outbox.c.seq == seq)
                connection.execute(sa.update(t.outbox).where(where).values(next_attempt=time))

    def totals(self) -> dict[str, OutboxTotals]:
        """By connector, what became of its messages."""
        column = t.outbox.c
        query = sa.select(
            column.connector,
            sa.func.count().label("messages"),
            sa.func.count(column.first_attempt).label("attempted"),
            sa.func.count(column.delivered).label("delivered"),
        ).group_by(column.connector)
        return {row.pop("connector"): OutboxTotals(**row) for row in self._db.rows(query)}

    def latencies(self, connector: str, kind: str) -> list[int]:
        """Ns from a frame's arrival to the first try of each message it led to."""
        column = t.outbox.c
        query = sa.select((column.first_attempt - column.received).label("ns")).where(
            column.connector == connector, column.kind == kind, column.first_attempt.is_not(None)
        )
        return [row["ns"] for row in self._db.rows(query)]


def _once(table: sa.Table, *ids: str) -> Insert:
    return insert(table).on_conflict_do_nothing(index_elements=ids)


def _waiting(query: sa.Select[Any], connector: str) -> sa.Select[Any]:
    return query.where(t.outbox.c.connector == connector, t.outbox.c.delivered.is_(None))
