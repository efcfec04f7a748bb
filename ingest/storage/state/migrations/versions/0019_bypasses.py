"""Registrations of bypassed interlocks, and what an alarm says of its interlock's."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Add both; at once, however many alarms there are."""
    op.create_table(
        "bypass",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("plant", sa.Text, nullable=False),
        sa.Column("point", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("measure", sa.Text, nullable=False),
        sa.Column("hours", sa.Integer, nullable=False),
        sa.Column("requested", sa.BigInteger, nullable=False),
        sa.Column("requested_by", sa.Text, nullable=False),
        sa.Column("begins", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger),
        sa.Column("decided", sa.BigInteger),
        sa.Column("decided_by", sa.Text),
        sa.Column("extension_hours", sa.Integer),
        sa.Column("extension_reason", sa.Text),
        sa.Column("extended", sa.BigInteger),
        sa.Column("extended_by", sa.Text),
        sa.Column("restored", sa.BigInteger),
        sa.Column("restored_by", sa.Text),
        sa.Column("remark", sa.Text),
        if_not_exists=True,
    )
    op.create_index("bypass_by_plant", "bypass", ["plant", "requested"], if_not_exists=True)
    op.create_index("bypass_by_requested", "bypass", ["requested"], if_not_exists=True)
    op.create_index("bypass_by_state", "bypass", ["state"], if_not_exists=True)
    op.add_column("alarm", sa.Column("bypass", sa.JSON))
