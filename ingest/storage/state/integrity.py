"""Checks the state database read-only: its file, every value of every row, and every record made of a row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

import sqlalchemy as sa

from ingest.storage.state import case_tables, warning_tables  # noqa: F401  their tables are on METADATA, too
from ingest.storage.state import tables as t
from ingest.storage.state.annunciation_packs import mask, pack_of, raise_of, rule_of
from ingest.storage.state.case_rows import TABLES, record_of
from ingest.storage.state.rows import alarm_of, event_of, message_of, suppression_of
from ingest.storage.state.tables import METADATA
from ingest.storage.state.unreadable import UNREADABLE
from ingest.storage.state.warning_inputs import resolve_inputs
from ingest.storage.state.warning_rows import warning_event_of, warning_of
from ingest.storage.state.warning_tables import warning, warning_event

_MAKERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Any]]] = {
    t.alarm.name: alarm_of,
    t.alarm_event.name: event_of,
    t.annunciation.name: raise_of,
    t.annunciation_rule.name: rule_of,
    t.suppression.name: suppression_of,
    t.outbox.name: message_of,
    **{table.name: partial(record_of, kind) for kind, table in TABLES.items()},
}
"""The function that makes a record of a row, by table; rows of other tables are only read."""

_REFERRING: Final[Mapping[str, Callable[[Mapping[str, Any]], Any]]] = {
    warning.name: warning_of,
    warning_event.name: warning_event_of,
}
"""The same for rows that refer to another table."""


def check_state(connection: sa.Connection, seen: Callable[[int], None]) -> Iterator[str]:
    """Yield everything that is not as it was written, each by table and key.

    Args:
        connection: only read from.
        seen: called with the number of rows just checked.
    """
    if connection.dialect.name == "sqlite":
        yield from _check_file(connection)
    for table in METADATA.sorted_tables:
        with _isolated(connection):
            yield from _check_table(connection, table, seen)


def unsound_rows(connection: sa.Connection, table: sa.Table) -> list[int]:
    """The row ids in a SQLite file of which no record can be made."""
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
    """The approximate number of rows to check."""
    total = 0
    for table in METADATA.sorted_tables:
        try:
            with _isolated(connection):
                total += int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())
        except sa.exc.DBAPIError:  # checked all the same, and reported then
            continue
    return total


@contextmanager
def _isolated(connection: sa.Connection) -> Iterator[None]:
    """Isolate reads on PostgreSQL, where a failed one aborts its transaction, by a savepoint."""
    if connection.dialect.name != "postgresql":
        yield
        return
    savepoint = connection.begin_nested()
    try:
        yield
    finally:
        savepoint.rollback()


def _check_file(connection: sa.Connection) -> Iterator[str]:
    try:
        for (line,) in connection.exec_driver_sql("PRAGMA integrity_check"):
            if line != "ok":
                yield f"SQLite: {line}"
    except sa.exc.DBAPIError as error:  # the check itself failed; the tables are checked all the same
        yield f"SQLite: {error.orig}"


def _check_table(connection: sa.Connection, table: sa.Table, seen: Callable[[int], None]) -> Iterator[str]:
    keys = list(table.primary_key.columns.keys())
    try:
        make = _maker(connection, table)
        found = connection.execute(sa.select(table), execution_options={"stream_results": True}).mappings()
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
        except (*UNREADABLE, sa.exc.DBAPIError) as error:
            key = ", ".join(str(row[name]) for name in keys)
            yield f"{table.name} {key}: {type(error).__name__}: {error}"


def _maker(connection: sa.Connection, table: sa.Table) -> Callable[[dict[str, Any]], Any]:
    """The function that makes a record of a row of that table."""
    if table is t.annunciation_pack:
        rules = connection.execute(sa.select(t.annunciation_rule.c.number)).scalars().all()
        return partial(pack_of, known=mask(rules))
    make = _REFERRING.get(table.name)
    if make is None:
        return _MAKERS.get(table.name, dict)

    def rows(query: sa.Select[Any]) -> list[dict[str, Any]]:
        return [dict(row) for row in connection.execute(query).mappings()]

    return lambda row: make(resolve_inputs([row], rows)[0])
