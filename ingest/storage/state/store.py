"""What the service asks of the state database: the engine's one commit, and everybody's queries."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, get_args
from uuid import UUID

import sqlalchemy as sa

from ingest.domain.alarms.lifecycle import STANDING
from ingest.domain.alarms.urgency import Order
from ingest.domain.model.alarm import OVER, Alarm, AlarmEvent, AlarmFilter, AlarmState
from ingest.domain.model.annunciations import Annunciations
from ingest.domain.model.audit import Act
from ingest.domain.model.outbox import Attempt, Message, MessageKind, Urgency, Waiting
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
    event_of,
    event_row,
    message_of,
    message_row,
    suppression_of,
    suppression_row,
)
from ingest.storage.state.upsert import added, once, put
from ingest.storage.state.warning_store import live_warnings, write_warnings

_HANDED: Final = 8
"""So few messages are handed on as they are committed: of more, a page at a time is read from the outbox."""

_REACHED: Final = sa.update(t.engine_state)
_LAST_EVENT: Final = sa.select(sa.func.max(t.alarm_event.c.seq))
_EVENTS_AFTER: Final = (
    sa.select(t.alarm_event)
    .where(t.alarm_event.c.seq > sa.bindparam("after"))
    .order_by(t.alarm_event.c.seq)
    .limit(sa.bindparam("most"))
)
_CURSOR: Final = sa.select(t.reader_cursor.c.position).where(t.reader_cursor.c.reader == sa.bindparam("of_reader"))
_MOVE_CURSOR: Final = sa.update(t.reader_cursor).where(t.reader_cursor.c.reader == sa.bindparam("of_reader"))
_OF_CONNECTOR: Final = t.outbox.c.connector == sa.bindparam("of_connector")
_OF_KIND: Final = t.outbox.c.kind == sa.bindparam("of_kind")
_WAITS: Final = t.outbox.c.delivered.is_(None)
_OLDEST: Final = sa.select(t.outbox.c.created).where(_OF_CONNECTOR, _OF_KIND, _WAITS).order_by(t.outbox.c.seq).limit(1)
_NEWS: Final = (
    sa.select(t.outbox.c.seq, t.outbox.c.plant, t.outbox.c.subject, t.outbox.c.urgency)
    .where(_OF_CONNECTOR, _OF_KIND, _WAITS, t.outbox.c.seq > sa.bindparam("after"))
    .order_by(t.outbox.c.seq)
    .limit(sa.bindparam("most"))
)
_MESSAGES: Final = (
    sa.select(t.outbox)
    .where(t.outbox.c.seq.in_(sa.bindparam("seqs", expanding=True)), _OF_CONNECTOR)
    .order_by(t.outbox.c.seq)
)
_TRIED: Final = (
    sa.update(t.outbox)
    .where(_OF_CONNECTOR, t.outbox.c.seq == sa.bindparam("of_seq"))
    .values(
        attempts=t.outbox.c.attempts + 1,
        first_attempt=sa.func.coalesce(t.outbox.c.first_attempt, sa.bindparam("started")),
    )
)
"""Statements that are asked again and again are made once."""


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


class AlarmStore:
    """Alarms and their events, as committed."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._annunciations = AnnunciationStore(database)

    def alarms(
        self,
        which: AlarmFilter,
        *,
        limit: int,
        before: tuple[int, UUID] | None = None,
        order: Order = Order.RAISED,
    ) -> list[Alarm]:
        """In that order; `before` = `place` of the last one seen, for the next page."""
        column = t.alarm.c
        if order is Order.URGENCY:
            by = column.urgency
            if which.states is not None and which.states >= STANDING:
                which = replace(which, states=None)  # that they stand says all
            query = sa.select(t.alarm).where(by.is_not(None)).order_by(by.desc(), column.id.desc())
        else:
            by = column.raised
            # All but those that are over are few: found by their state, then sorted. With a sum no index gives the
            # order, or SQLite would walk through all alarms of a plant instead, in the hope of meeting them.
            few = which.states is not None and not which.states & OVER
            query = sa.select(t.alarm).order_by((by + 0 if few else by).desc(), column.id.desc())
        for condition in _conditions(which):
            query = query.where(condition)
        if before is not None:
            value, alarm = before
            seen = sa.tuple_(sa.literal(value, sa.BigInteger), sa.literal(alarm, sa.Uuid))
            query = query.where(sa.tuple_(by, column.id) < seen)
        return self._db.page(query, limit, alarm_of)

    def counts(self, which: AlarmFilter) -> dict[tuple[str, int, AlarmState], int]:
        """How many there are by plant, level and state; those without any are left out."""
        column = t.alarm.c
        keys = (column.plant, column.level, column.state)
        query = sa.select(*keys, sa.func.count().label("alarms")).where(*_conditions(which)).group_by(*keys)
        return {(r["plant"], r["level"], AlarmState(r["state"])): r["alarms"] for r in self._db.rows(query)}

    def alarm(self, alarm: UUID) -> Alarm | None:
        """One alarm, or None."""
        return self._db.record(sa.select(t.alarm).where(t.alarm.c.id == alarm), alarm_of)

    def alarm_history(self, alarm: UUID) -> list[AlarmEvent]:
        """Every event of one alarm, oldest first."""
        query = sa.select(t.alarm_event).where(t.alarm_event.c.alarm == alarm).order_by(t.alarm_event.c.seq)
        return self._db.records(query, event_of)

    def annunciations(self, start: int, end: int, plants: Collection[str] | None = None) -> Annunciations:
        """Every time an alarm of these plants (None = all) called somebody, start <= called < end (ns)."""
        return self._annunciations.read(plants, start, end)

    def events_after(self, seq: int, *, limit: int) -> list[AlarmEvent]:
        """Events with a greater sequence number, oldest first."""
        return self._db.page(_EVENTS_AFTER, limit, event_of, after=seq)

    def last_event(self) -> int:
        """The newest sequence number, 0 if there is none."""
        return int(self._db.scalar(_LAST_EVENT) or 0)

    def reader_cursor(self, name: str) -> int:
        """How far that reader of the events has come; 0 if it never read."""
        return int(self._db.scalar(_CURSOR, of_reader=name) or 0)

    def save_reader_cursor(self, name: str, position: int) -> None:
        """Remember how far that reader has come; after a loss of power it may have come less far."""
        with self._db.write(lasting=False) as connection:  # what was carried can be carried again
            if not connection.execute(_MOVE_CURSOR, {"of_reader": name, "position": position}).rowcount:
                connection.execute(sa.insert(t.reader_cursor), {"reader": name, "position": position})


def _conditions(which: AlarmFilter) -> Iterator[sa.ColumnElement[bool]]:
    """What the filter asks of an alarm's row."""
    column = t.alarm.c
    if which.plants is not None:
        yield column.plant.in_(which.plants)
    if which.states is not None:
        yield column.state.in_([str(state) for state in which.states])
    for name in ("level", "point", "historical", "assigned"):
        if (wanted := getattr(which, name)) is not None:
            yield column[name] == wanted
    if which.cleared is not None:
        yield column.cleared.is_not(None) if which.cleared else column.cleared.is_(None)
    if which.since is not None:
        yield column.raised >= which.since
    if which.until is not None:
        yield column.raised < which.until


class OutboxStore:
    """Messages that must leave, and what became of them. Times are ns since the epoch, UTC."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def waiting(self, connector: str, kind: MessageKind, after: int, limit: int) -> list[Waiting]:
        """The first `limit` undelivered messages of that kind with a greater `seq`, in its order."""

        def waiting(row: Mapping[str, Any]) -> Waiting:
            return Waiting(row["seq"], kind, row["plant"], row["subject"], Urgency(row["urgency"]))

        return self._db.page(_NEWS, limit, waiting, of_connector=connector, of_kind=kind, after=after)

    def messages(self, connector: str, seqs: Sequence[int]) -> list[Message]:
        """These messages with their bodies, in the order of `seq`; those that are gone are left out."""
        return self._db.records(_MESSAGES, message_of, of_connector=connector, seqs=seqs)

    def oldest(self, connector: str, kinds: Sequence[MessageKind] = get_args(MessageKind)) -> int | None:
        """When the oldest undelivered message (of these kinds) was created, or None if there are none."""
        found = [self._db.scalar(_OLDEST, of_connector=connector, of_kind=kind) for kind in kinds]
        return min((created for created in found if created is not None), default=None)

    def record(self, connector: str, attempts: Sequence[Attempt]) -> None:
        """Keep what became of tries, in one transaction: counts each in `attempts`, sets `first_attempt` once."""
        rows = [
            {
                "of_connector": connector,
                "of_seq": attempt.seq,
                "started": attempt.started,
                "delivered": attempt.delivered,
                "last_error": attempt.error,
            }
            for attempt in attempts
        ]
        if rows:
            with self._db.write(lasting=False) as connection:  # what was delivered can be delivered again, by its id
                connection.execute(_TRIED, rows)

    def undelivered(self) -> dict[str, int]:
        """How many messages wait, by connector; those for which none waits are left out."""
        column = t.outbox.c
        query = sa.select(column.connector, sa.func.count().label("messages")).where(column.delivered.is_(None))
        return {row["connector"]: row["messages"] for row in self._db.rows(query.group_by(column.connector))}

    def empty(self, before: int, limit: int) -> int:
        """Let go of the bodies of up to `limit` messages delivered before then; how many there were."""
        chosen = self._delivered(before, limit, emptied=False)
        return self._change(sa.update(t.outbox).where(t.outbox.c.seq.in_(chosen)).values(body={}, emptied=True))

    def forget(self, before: int, limit: int) -> int:
        """Delete up to `limit` messages without bodies delivered before then; how many there were."""
        chosen = self._delivered(before, limit, emptied=True)
        return self._change(sa.delete(t.outbox).where(t.outbox.c.seq.in_(chosen)))

    def forget_reports(self, before: int, limit: int) -> int:
        """Delete up to `limit` readings reports delivered before then; the readings themselves are in the history."""
        column = t.outbox.c
        # Looked for outside the transaction: no commit of the engine waits for it.
        found = self._db.rows(
            sa.select(column.seq)
            .where(column.kind == "readings", column.emptied.in_([False, True]), column.delivered < before)
            .limit(limit)
        )
        seqs = [row["seq"] for row in found]
        return self._change(sa.delete(t.outbox).where(column.seq.in_(seqs))) if seqs else 0

    @staticmethod
    def _delivered(before: int, limit: int, *, emptied: bool) -> sa.Select[Any]:
        column = t.outbox.c
        query = sa.select(column.seq).where(column.emptied.is_(emptied), column.delivered < before)
        return query.order_by(column.delivered).limit(limit)

    def _change(self, statement: sa.Update | sa.Delete) -> int:
        with self._db.write() as connection:
            return int(connection.execute(statement).rowcount)

    def totals(self) -> dict[str, OutboxTotals]:
        """By connector, what became of the messages there still are. It walks through all of them."""
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
