"""Whether the state database is sound: its file, every value of every row, every record made of them. Only reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

import sqlalchemy as sa

from ingest.state import case_tables, warning_tables  # noqa: F401  their tables are on METADATA, too
from ingest.state import tables as t
from ingest.state.annunciation_packs import pack_of, raise_of
from ingest.state.case_rows import TABLES, record_of
from ingest.state.rows import alarm_of, event_of, message_of, suppression_of
from ingest.state.tables import METADATA
from ingest.state.unreadable import UNREADABLE
from ingest.state.warning_rows import warning_event_of, warning_of
from ingest.state.warning_tables import warning, warning_event

_MAKERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Any]]] = {
    t.alarm.name: alarm_of,
    t.alarm_event.name: event_of,
    t.annunciation.name: raise_of,
    t.annunciation_pack.name: pack_of,
    t.suppression.name: suppression_of,
    t.outbox.name: message_of,
    warning.name: warning_of,
    warning_event.name: warning_event_of,
    **{table.name: partial(record_of, kind) for kind, table in TABLES.items()},
}
"""What makes the record of a row, by table; rows of the others are only read."""


def check_state(connection: sa.Connection, seen: Callable[[int], None]) -> Iterator[str]:
    """Everything that is not as it was written, each named by table and key.

    Args:
        connection: only reads.
        seen: called with how many rows were looked at just now.
    """
    if connection.dialect.name == "sqlite":
        yield from _check_file(connection)
    for table in METADATA.sorted_tables:
        yield from _check_table(connection, table, seen)


def unsound_rows(connection: sa.Connection, table: sa.Table) -> list[int]:
    """The row numbers, in a SQLite file, of which no record can be made."""
    if not any(_check_table(connection, table, lambda _rows: None)):
        return []
    make = _MAKERS.get(table.name, dict)
    number = sa.literal_column("rowid", sa.Integer)
    unsound = []
    for at in connection.execute(sa.select(number).select_from(table).order_by(number)).scalars().all():
        try:
            make(dict(connection.execute(sa.select(table).where(number == at)).mappings().one()))
        except UNREADABLE:
            unsound.append(at)
    return unsound


def rows_of(connection: sa.Connection) -> int:
    """About how many rows there are to look at."""
    total = 0
    for table in METADATA.sorted_tables:
        try:
            total += int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())
        except sa.exc.DBAPIError:  # looked at all the same, and told then
            continue
    return total


def _check_file(connection: sa.Connection) -> Iterator[str]:
    try:
        for (line,) in connection.exec_driver_sql("PRAGMA integrity_check"):
            if line != "ok":
                yield f"SQLite: {line}"
    except sa.exc.DBAPIError as error:  # the check itself stumbled; the tables are looked at all the same
        yield f"SQLite: {error.orig}"


def _check_table(connection: sa.Connection, table: sa.Table, seen: Callable[[int], None]) -> Iterator[str]:
    make = _MAKERS.get(table.name, dict)
    keys = list(table.primary_key.columns.keys())
    try:
        found = connection.execution_options(stream_results=True).execute(sa.select(table)).mappings()
    except sa.exc.DBAPIError as error:
        yield f"table {table.name} cannot be read: {error.orig}"
        return
    number = 0
    while True:
        number += 1
        try:
            row = found.fetchone()
        except UNREADABLE as error:
            yield f"{table.name}, its row {number}: {type(error).__name__}: {error}"
            continue
        except sa.exc.DBAPIError as error:
            yield f"table {table.name} cannot be read beyond its row {number - 1}: {error.orig}"
            return
        if row is None:
            return
        seen(1)
        try:
            make(dict(row))
        except UNREADABLE as error:
            key = ", ".join(str(row[name]) for name in keys)
            yield f"{table.name} {key}: {type(error).__name__}: {error}"
