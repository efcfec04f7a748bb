"""What is known already is not written again: INSERT … ON CONFLICT DO NOTHING, which each system has under its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite


def once(connection: sa.Connection, table: sa.Table, *ids: str) -> sa.Insert:
    """Insert into a table, but for rows whose `ids` are there."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing(index_elements=ids)
    return sqlite.insert(table).on_conflict_do_nothing(index_elements=ids)


def added(connection: sa.Connection, table: sa.Table, row: Mapping[str, Any], *ids: str) -> bool:
    """Insert a row, unless its `ids` are there; whether it is new. PostgreSQL's count of rows does not tell."""
    return connection.execute(once(connection, table, *ids).returning(table.c[ids[0]]), row).first() is not None
