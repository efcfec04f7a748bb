"""Copies a whole state database into an empty one, between SQLite and PostgreSQL in either direction."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from typing import Any, Final

import sqlalchemy as sa

from ingest.storage.state import case_rows, warning_tables  # noqa: F401  their tables are on METADATA, too
from ingest.storage.state.audit import AuditStore
from ingest.storage.state.database import Database
from ingest.storage.state.tables import METADATA, holder

_ROWS: Final = 500  # read and written at a time


class NotCopied(Exception):
    """The copy was refused or failed; the target is unchanged, and the message says why."""


def copy(source: Database, target: Database, seen: Callable[[int], None] = lambda _rows: None) -> Mapping[str, int]:
    """Copy every row of every table in one transaction of the target; returns the number of rows by table.

    Args:
        source: opened here, so nobody else writes to it.
        target: empty.
        seen: called with the number of rows just copied.

    Raises:
        NotCopied: the target is not empty, or does not hold what was copied.
        StateUnavailable, StateBroken: as of a database.
    """
    # The writing connection of the source sees one state.
    with source.write(patient=True) as reading, target.write(patient=True) as writing:
        counts = _counts(reading)
        filled = [name for name, rows in _counts(writing).items() if rows]
        if filled:
            raise NotCopied(f"{target.backend.name} is not empty: {', '.join(filled)}")
        for table in _tables():
            with closing(_pages(reading, table)) as pages:
                for rows in pages:
                    writing.execute(sa.insert(table), rows)
                    seen(len(rows))
            for column in _autoincremented(table):
                target.backend.continue_after(writing, column, source.backend.last_number(reading, column))
        arrived = _counts(writing)
        if arrived != counts:
            raise NotCopied(f"{target.backend.name} took {arrived}, not {counts}")
        target.backend.settle(writing, [table.name for table in _tables()])
    if AuditStore(source.rows).verify() != AuditStore(target.rows).verify():
        raise NotCopied(f"{target.backend.name}: the audit trail is another one there; empty it and copy again")
    return counts


def total(source: Database) -> int:
    """The number of rows to copy."""
    with source.read() as connection:
        return sum(_counts(connection).values())


def _tables() -> list[sa.Table]:
    """Every table, referenced ones first; the holder is no part of the content."""
    return [table for table in METADATA.sorted_tables if table is not holder]


def _counts(connection: sa.Connection) -> dict[str, int]:
    return {
        table.name: int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())
        for table in _tables()
    }


def _pages(connection: sa.Connection, table: sa.Table) -> Generator[list[dict[str, Any]]]:
    query = sa.select(table).order_by(*table.primary_key.columns)
    with connection.execution_options(yield_per=_ROWS).execute(query) as found:
        for page in found.mappings().partitions():
            yield [dict(row) for row in page]


def _autoincremented(table: sa.Table) -> list[sa.Column[Any]]:
    """The columns the database itself numbers."""
    return [column for column in table.primary_key.columns if column.autoincrement is True]
