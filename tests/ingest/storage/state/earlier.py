"""Turns a database of the newest schema into one of an earlier version, so that a test can upgrade it."""

from __future__ import annotations

import sqlalchemy as sa

from ingest.storage.state import tables as t
from ingest.storage.state import warning_tables as w


def make_changeable(connection: sa.Connection, table: str) -> None:
    """Let rows of an append-only table be changed, as damage does."""
    if connection.dialect.name == "sqlite":
        for verb in ("update", "delete"):
            connection.execute(sa.text(f"DROP TRIGGER {table}_no_{verb}"))
    else:
        connection.execute(sa.text(f"DROP FUNCTION {table}_append_only() CASCADE"))


def make_earlier(connection: sa.Connection, version: str) -> None:
    """Take away the tables, columns and indexes that came after that version, which must be at least 0011."""
    for name in ("notice", "bypass", "ledger_entry", "ledger", "pledge", "cleaning", "work"):
        connection.execute(sa.text(f"DROP TABLE {name}"))
    make_changeable(connection, "warning_input")
    w.warning_input.drop(connection)
    for column in ("phase", "phase_zh", "phase_en", "contributions", "bypass"):
        connection.execute(sa.text(f"ALTER TABLE alarm DROP COLUMN {column}"))
    for index in ("outbox_waiting", "outbox_ended"):
        connection.execute(sa.text(f"DROP INDEX {index}"))
    for column in ("failure", "ended", "ending", "reason"):
        connection.execute(sa.text(f"ALTER TABLE outbox DROP COLUMN {column}"))
    connection.execute(sa.text("CREATE INDEX outbox_waiting ON outbox (connector, kind, seq) WHERE delivered IS NULL"))
    if version == "0011":
        for table in (t.annunciation, t.annunciation_pack, t.annunciation_rule):
            table.drop(connection)
        next(index for index in t.alarm.indexes if index.name == "alarm_by_returned").drop(connection)
    connection.execute(sa.text("UPDATE alembic_version SET version_num = :version"), {"version": version})
