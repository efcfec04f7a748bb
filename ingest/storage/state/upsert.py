"""Prepared INSERT … ON CONFLICT statements, which differ between SQLite and PostgreSQL.

Statements are built once: building one takes several times as long as executing it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ingest.storage.state.prepared import change, first


def insert_missing(connection: sa.Connection, table: sa.Table, *ids: str) -> sa.Insert:
    """The statement that inserts rows except those whose `ids` exist."""
    return _once(connection.dialect.name, table, ids)


def insert_new(connection: sa.Connection, table: sa.Table, row: Mapping[str, Any], *ids: str) -> int | None:
    """Insert a row unless its `ids` (by default its `id`) exist; returns its number (`seq`), or None."""
    new = first(connection, _numbered(connection.dialect.name, table, ids or ("id",)), row)
    return None if new is None else new[0]


def upsert(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert or overwrite records by their `id`."""
    if rows:
        change(connection, _put(connection.dialect.name, table, tuple(rows[0])), *rows)


def _insert(dialect: str, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


@cache
def _once(dialect: str, table: sa.Table, ids: tuple[str, ...]) -> sa.Insert:
    return _insert(dialect, table).on_conflict_do_nothing(index_elements=ids)


@cache
def _numbered(dialect: str, table: sa.Table, ids: tuple[str, ...]) -> sa.Executable:
    return _once(dialect, table, ids).returning(table.c.seq)


@cache
def _put(dialect: str, table: sa.Table, names: tuple[str, ...]) -> sa.Insert:
    insert = _insert(dialect, table)
    fresh = {name: insert.excluded[name] for name in names if name != "id"}
    return insert.on_conflict_do_update(index_elements=["id"], set_=fresh)
