"""Alarms, their events, the outbox, the engine's state and readers' cursors."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_SEQ = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create the first schema."""
    op.create_table(
        "alarm",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("plant", sa.Text, nullable=False),
        sa.Column("point", sa.Text, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("level", sa.SmallInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("title_zh", sa.Text, nullable=False),
        sa.Column("title_en", sa.Text, nullable=False),
        sa.Column("value", sa.Double),
        sa.Column("limit", sa.Double, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("onset", sa.BigInteger, nullable=False),
        sa.Column("raised", sa.BigInteger, nullable=False),
        sa.Column("returned", sa.BigInteger),
        sa.Column("acked", sa.BigInteger),
        sa.Column("acked_by", sa.Text),
        sa.Column("comment", sa.Text),
    )
    op.create_index("alarm_by_plant", "alarm", ["plant", "raised"])
    op.create_index("alarm_by_raised", "alarm", ["raised"])
    op.create_index("alarm_by_state", "alarm", ["state"])
    op.create_table(
        "alarm_event",
        sa.Column("seq", _SEQ, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Uuid, nullable=False, unique=True),
        sa.Column("alarm", sa.Uuid, sa.ForeignKey("alarm.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("received", sa.BigInteger, nullable=False),
        sa.Column("snapshot", sa.JSON, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alarm_event_alarm", "alarm_event", ["alarm"])
    op.create_table(
        "outbox",
        sa.Column("seq", _SEQ, primary_key=True, autoincrement=True),
        sa.Column("connector", sa.Text, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("plant", sa.Text, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("received", sa.BigInteger, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("first_attempt", sa.BigInteger),
        sa.Column("next_attempt", sa.BigInteger, nullable=False),
        sa.Column("delivered", sa.BigInteger),
        sa.Column("last_error", sa.Text),
        sa.UniqueConstraint("connector", "id"),
        sqlite_autoincrement=True,
    )
    op.create_index("outbox_due", "outbox", ["connector", "delivered", "next_attempt"])
    op.create_table(
        "engine_state",
        sa.Column("one", sa.Integer, primary_key=True),
        sa.Column("cursor", sa.BigInteger, nullable=False),
        sa.Column("snapshot_cursor", sa.BigInteger, nullable=False),
        sa.Column("snapshot", sa.LargeBinary),
    )
    op.create_table(
        "reader_cursor",
        sa.Column("reader", sa.Text, primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
    )
