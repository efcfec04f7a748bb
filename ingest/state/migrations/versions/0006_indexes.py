"""Indexes that lists and filters of many alarms need; on a server, whose the database is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add them."""
    op.create_index("alarm_event_by_kind", "alarm_event", ["kind", "received"])
    op.create_table(
        "holder",
        sa.Column("one", sa.Integer, primary_key=True),
        sa.Column("token", sa.Uuid, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
    )
