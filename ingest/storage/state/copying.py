"""Copies a whole state database into an empty one, whichever of the two systems each lies in."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from typing import Any, Final

import sqlalchemy as sa

from ingest.storage.state import case_tables, warning_tables  # noqa: F401  their tables are on METADATA, too
from ingest.storage.state.audit import AuditStore
from ingest.storage.state.database import Database
from ingest.storage.state.tables import METADATA, holder

_ROWS: Final = 500  # read and written at a time


class NotCopied(Exception):
    """The target is as it was; the message says why."""


def copy(source: Database, target: Database, seen: Callable[[int], None] = lambda _rows: None) -> Mapping[str, int]:
    """Copy every row of every table, in one transaction of the target; returns how many there are, by table.

    Args:
        source: nobody else writes to it: it is open here.
        target: holds nothing yet.
        seen: called with how many rows were copied just now.

    Raises:
        NotCopied: the target holds something, or not what was copied.
        StateUnavailable, StateBroken: as of a database.
    """
    with source.write() as reading, target.write() as writing:  # of the source it is the connection that sees one state
        counts = _counts(reading)
        filled = [name for name, rows in _counts(writing).items() if rows]
        if filled:
            raise NotCopied(f"{target.backend.name} is not empty: {', '.join(filled)}")
        for table in _tables():
            with closing(_pages(reading, table)) as pages:
                for rows in pages:
                    writing.execute(sa.insert(table), rows)
                    seen(len(rows))
            for column in _counted(table):
                target.backend.go_on_after(writing, column, source.backend.last_given(reading, column))
        arrived = _counts(writing)
        if arrived != counts:
            raise NotCopied(f"{target.backend.name} took {arrived}, not {counts}")
        target.backend.settle(writing, [table.name for table in _tables()])
    if AuditStore(source.rows).verify() != AuditStore(target.rows).verify():
        raise NotCopied(f"{target.backend.name}: the audit trail is another one there; empty it and copy again")
    return counts


def total(source: Database) -> int:
    """How many rows there are to copy."""
    with source.read() as connection:
        return sum(_counts(connection).values())


def _tables() -> list[sa.Table]:
    """Every table, those that others point to first; whose the database is, is no part of what it holds."""
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


def _counted(table: sa.Table) -> list[sa.Column[Any]]:
    """The columns the database itself counts up."""
    return [column for column in table.primary_key.columns if column.autoincrement is True]
