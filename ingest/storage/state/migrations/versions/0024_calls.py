"""Calls and the roster: new tables, made at once however large the database is."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

_OPEN: dict[str, Any] = {f"{system}_where": sa.text("open") for system in ("sqlite", "postgresql")}


def upgrade() -> None:
    """Add them; a start that was killed in between goes on."""
    op.create_table(
        "call",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("plant", sa.Text, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("began", sa.BigInteger, nullable=False),
        sa.Column("changed", sa.BigInteger, nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
        sa.Column("record", sa.JSON, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "call_event",
        sa.Column("call", sa.Uuid, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("person", sa.Text),
        sa.Column("detail", sa.JSON, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "call_attempt",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("call", sa.Uuid, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "duty_presence",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("plant", sa.Text, nullable=False),
        sa.Column("position", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("ended", sa.BigInteger),
        sa.Column("handed_to", sa.Text),
        if_not_exists=True,
    )
    op.create_table(
        "duty_swap",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("plant", sa.Text, nullable=False),
        sa.Column("position", sa.Text, nullable=False),
        sa.Column("begin", sa.BigInteger, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("substitute", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        if_not_exists=True,
    )
    op.create_index("call_by_plant", "call", ["plant", "began"], if_not_exists=True)
    op.create_index("call_by_change", "call", ["plant", "changed"], if_not_exists=True)
    op.create_index("call_by_began", "call", ["began"], if_not_exists=True)
    op.create_index("call_open", "call", ["began"], if_not_exists=True, **_OPEN)
    op.create_index("duty_presence_by_until", "duty_presence", ["until"], if_not_exists=True)
    op.create_index("duty_swap_by_begin", "duty_swap", ["begin"], if_not_exists=True)
