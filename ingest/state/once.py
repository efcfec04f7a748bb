"""What is known already is not written again: INSERT … ON CONFLICT DO NOTHING, which each system has under its own."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite


def once(connection: sa.Connection, table: sa.Table, *ids: str) -> sa.Insert:
    """Insert into a table, but for rows whose `ids` are there."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing(index_elements=ids)
    return sqlite.insert(table).on_conflict_do_nothing(index_elements=ids)
