"""Early warnings and their escalation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ingest.storage.state.migrations.append_only import append_only

revision = "0004"
down_revision = "0003"

_SEQ = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "warning",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("plant", sa.Text, nullable=False),
        sa.Column("colour", sa.Text),
        sa.Column("peak", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("raised", sa.BigInteger, nullable=False),
        sa.Column("ended", sa.BigInteger),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("asking", sa.Text),
        sa.Column("asked", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger),
        sa.Column("who", sa.JSON, nullable=False),
        sa.Column("reminded", sa.Integer, nullable=False),
        sa.Column("acknowledged", sa.BigInteger),
        sa.Column("acknowledged_by", sa.Text),
        sa.Column("feedback", sa.JSON),
        sa.Column("risk", sa.Double, nullable=False),
        sa.Column("rules", sa.Text, nullable=False),
        sa.Column("inputs", sa.JSON, nullable=False),
        sa.Column("fading", sa.JSON, nullable=False),
        sa.Column("changed", sa.BigInteger, nullable=False),
        sa.Column("stepped", sa.BigInteger, nullable=False),
        sa.Column("events", sa.Integer, nullable=False),
    )
    op.create_index("warning_by_plant", "warning", ["plant", "raised"])
    op.create_index("warning_by_raised", "warning", ["raised"])
    op.create_index("warning_by_state", "warning", ["state"])
    op.create_table(
        "warning_event",
        sa.Column("seq", _SEQ, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Uuid, nullable=False, unique=True),
        sa.Column("warning", sa.Uuid, sa.ForeignKey("warning.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("by", sa.Text),
        sa.Column("role", sa.Text),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.Column("snapshot", sa.JSON, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_warning_event_warning", "warning_event", ["warning"])
    append_only("warning_event")
