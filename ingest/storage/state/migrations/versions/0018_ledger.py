"""Ledgers of instruments and their entries: two new tables, made at once however large the database is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "ledger",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("plant", sa.Text, nullable=False),
        sa.Column("instrument", sa.Text, nullable=False),
        sa.Column("serial", sa.Text, nullable=False),
        sa.Column("since", sa.Date, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("last", sa.JSON, nullable=False),
        sa.Column("scrapped", sa.BigInteger),
        sa.Column("scrapped_by", sa.Text),
        sa.UniqueConstraint("plant", "instrument", "serial"),
        if_not_exists=True,
    )
    op.create_table(
        "ledger_entry",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("ledger", sa.Uuid, sa.ForeignKey("ledger.id"), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.UniqueConstraint("ledger", "version"),
        if_not_exists=True,
    )
