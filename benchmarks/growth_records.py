"""Years of alarms written into a state database in bulk: a part of a year is made up, the others repeat it by SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import sqlalchemy as sa

from benchmarks.alarm_records import SPAN_NS, Records, events
from ingest.storage.history.writer import READER
from ingest.storage.state import audit
from ingest.storage.state.alarm_store import AlarmStore
from ingest.storage.state.database import Database
from ingest.storage.state.engine_store import EngineStore
from ingest.storage.state.rows import act_of
from ingest.storage.state.tables import alarm, alarm_event, annunciation, outbox
from ingest.storage.state.tables import audit as trail

PARTS: Final = 8
"""Parts of a year; all but the newest are the same but for their times and ids."""

_PART: Final = SPAN_NS // PARTS
_OPEN_SHARE: Final = 0.016  # of the newest part: about as many as `benchmarks.alarm_records` has of a year
_PACK: Final = 2_000  # as `ingest.runtime.maintenance` does it
_TABLES: Final = (alarm, alarm_event, annunciation, trail)
_TIMES: Final = frozenset(
    {"onset", "raised", "annunciated", "returned", "acked", "disposed", "cleared", "time", "received", "called"}
)
_IDS: Final = frozenset({"id", "alarm"})
_KEPT: Final = "alarm_by_raised"  # finds what is repeated


def fill(database: Database, years: int, alarms: int, now: int, step: Callable[[], object] = lambda: None) -> None:
    """Write so many years of `alarms` each, up to `now`, as a service has them that read and packed all of it.

    Their events bear the snapshots of those they repeat, and the audit trail is not a chain, which nobody asks here.
    `step` is called `steps(years)` times.
    """
    parts, count = years * PARTS, max(alarms // PARTS, 1)
    oldest = now - (parts - 1) * _PART
    first = Records(count, oldest, span=_PART, open_share=0.0)
    last = Records(count, now, span=_PART, open_share=_OPEN_SHARE)
    _write(database, first)
    indexes = [indexe for table in _TABLES for indexe in sorted(table.indexes, key=str) if indexe.name != _KEPT]
    with database.write() as connection:
        for index in indexes:
            index.drop(connection)
        rows = {
            table: int(connection.execute(sa.select(sa.func.max(table.c.seq))).scalar_one()) for table in _TABLES[1:]
        }
    for number in range(1, parts - 1):
        with database.write() as connection:
            for table in _TABLES:
                connection.execute(_repeated(table, number, rows, oldest))
        step()
    for index in indexes:
        with database.write() as connection:
            index.create(connection)
        step()
    with database.write() as connection:
        database.backend.continue_after(connection, alarm_event.c.seq, (parts - 1) * rows[alarm_event])
    _write(database, last)
    settle(database, now)
    step()


def steps(years: int) -> int:
    """How often `fill` reports its progress."""
    return years * PARTS - 2 + sum(len(table.indexes) for table in _TABLES)


def _write(database: Database, records: Records) -> None:
    records.write(database)
    with database.write() as connection:
        audit.append(connection, [act_of(event) for record in records.alarms for event in events(record)])


def _repeated(table: sa.Table, number: int, rows: Mapping[sa.Table, int], before: int) -> sa.Insert:
    """What repeats the rows of the first part in a later one."""
    chosen = table.c.raised < before if table is alarm else table.c.seq <= rows[table]
    again = sa.select(*(_again(column, number, rows).label(column.name) for column in table.c)).where(chosen)
    return sa.insert(table).from_select([column.name for column in table.c], again)


def _again(column: sa.Column[Any], number: int, rows: Mapping[sa.Table, int]) -> sa.ColumnElement[Any]:
    if column.name in _TIMES:
        return column + number * _PART
    if column.name == "seq":
        return column + number * rows[alarm_event if column.table is annunciation else column.table]
    if column.name in _IDS:
        return sa.cast(_renamed(sa.func.replace(sa.cast(column, sa.Text), "-", ""), number, 12), sa.Uuid)
    if column.name == "subject":
        return _renamed(column, number, 14)
    return column


def _renamed(key: sa.ColumnElement[Any], number: int, version: int) -> sa.ColumnElement[Any]:
    """Another id: it begins with the part's number, and its version is none that the service gives."""
    begins, middle = sa.literal(f"{number:04x}", sa.Text), sa.func.substr(key, 5, version - 4)
    return begins + middle + sa.literal("a", sa.Text) + sa.func.substr(key, version + 2)


def settle(database: Database, now: int) -> None:
    """What the service did meanwhile: webhooks of a year, packs, history; and what the system knows of its tables."""
    messages = sa.select(
        sa.literal("town").label("connector"),
        alarm.c.id,
        sa.literal("alarm").label("kind"),
        alarm.c.plant,
        sa.literal({}, sa.JSON).label("body"),
        *(alarm.c.raised.label(name) for name in ("received", "created", "first_attempt", "delivered")),
        alarm.c.id.label("subject"),
        sa.literal(1).label("attempts"),
        sa.true().label("emptied"),
    ).where(alarm.c.raised >= now - SPAN_NS)
    with database.write() as connection:
        connection.execute(
            sa.insert(outbox).from_select([column.name for column in messages.selected_columns], messages)
        )
    store, book = EngineStore(database), AlarmStore(database)
    while store.pack(_PACK):
        pass
    book.save_reader_cursor(READER, book.last_event())
    with database.write() as connection:
        database.backend.settle(connection, [table.name for table in (*_TABLES, outbox)])
        server = connection.dialect.name == "postgresql"
    if server:  # as it does by itself in the course of years
        with database.read() as connection:
            connection.execute(sa.text("SET statement_timeout = 0"))
            connection.execute(sa.text("VACUUM ANALYZE"))
