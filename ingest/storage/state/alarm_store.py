"""Reads alarms and their events for everybody but the engine."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from ingest.domain.alarms.lifecycle import OUTSTANDING
from ingest.domain.alarms.urgency import Order
from ingest.domain.model.alarm import OVER, Alarm, AlarmEvent, AlarmFilter, AlarmState
from ingest.domain.model.annunciations import Annunciations
from ingest.storage.state import tables as t
from ingest.storage.state.annunciations import AnnunciationStore
from ingest.storage.state.database import Database
from ingest.storage.state.prepared import change
from ingest.storage.state.rows import alarm_of, event_of

_LAST_EVENT: Final = sa.select(sa.func.max(t.alarm_event.c.seq))
_EVENTS_AFTER: Final = (
    sa.select(t.alarm_event)
    .where(t.alarm_event.c.seq > sa.bindparam("after"))
    .order_by(t.alarm_event.c.seq)
    .limit(sa.bindparam("most"))
)
_CURSOR: Final = sa.select(t.reader_cursor.c.position).where(t.reader_cursor.c.reader == sa.bindparam("of_reader"))
_MOVE_CURSOR: Final = sa.update(t.reader_cursor).where(t.reader_cursor.c.reader == sa.bindparam("of_reader"))


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
        """Alarms in that order; `before` = `place` of the last one of the page before."""
        column = t.alarm.c
        if order is Order.URGENCY:
            by = column.urgency
            if which.states is not None and which.states >= OUTSTANDING:
                which = replace(which, states=None)  # `urgency` is set for active alarms only
            query = sa.select(t.alarm).where(by.is_not(None)).order_by(by.desc(), column.id.desc())
        else:
            by = column.raised
            # Alarms that are not over are few: found by their state, then sorted. The sum keeps SQLite from using the
            # index of the order, by which it would scan all alarms of a plant for them.
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
        """The number of alarms by plant, level and state; combinations without any are left out."""
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
        """Every annunciation of these plants (None = all) with start <= called < end (ns)."""
        return self._annunciations.read(plants, start, end)

    def events_after(self, seq: int, *, limit: int) -> list[AlarmEvent]:
        """Events with a greater sequence number, oldest first."""
        return self._db.page(_EVENTS_AFTER, limit, event_of, after=seq)

    def last_event(self) -> int:
        """The newest sequence number, 0 if there is none."""
        return int(self._db.scalar(_LAST_EVENT) or 0)

    def reader_cursor(self, name: str) -> int:
        """The cursor of that reader of the events; 0 if it never read."""
        return int(self._db.scalar(_CURSOR, of_reader=name) or 0)

    def save_reader_cursor(self, name: str, position: int) -> None:
        """Store the cursor of that reader; a loss of power may take it back."""
        with self._db.write(durable=False) as connection:  # what was written can be written again
            if not change(connection, _MOVE_CURSOR, {"of_reader": name, "position": position}):
                connection.execute(sa.insert(t.reader_cursor), {"reader": name, "position": position})


def read_alarm(connection: sa.Connection, alarm: UUID) -> Alarm | None:
    """One alarm, or None, over a connection of the caller's."""
    row = connection.execute(sa.select(t.alarm).where(t.alarm.c.id == alarm)).mappings().first()
    return None if row is None else alarm_of(dict(row))


def _conditions(which: AlarmFilter) -> Iterator[sa.ColumnElement[bool]]:
    """The conditions of the filter on an alarm's row."""
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
