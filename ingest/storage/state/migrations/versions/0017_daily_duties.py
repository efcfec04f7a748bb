"""Registers of daily duty: declared work, dust cleaning, safety pledges. At once, whatever the database holds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add the tables; a start that was killed in between goes on."""
    op.create_table(
        "work",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("plant", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("area", sa.Text, nullable=False),
        sa.Column("equipment", sa.Text),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("begins", sa.BigInteger, nullable=False),
        sa.Column("ends", sa.BigInteger, nullable=False),
        sa.Column("contractor", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("guardian", sa.Text, nullable=False),
        sa.Column("measures", sa.Text, nullable=False),
        sa.Column("made", sa.BigInteger, nullable=False),
        sa.Column("declared_by", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("approved", sa.BigInteger),
        sa.Column("approved_by", sa.Text),
        sa.Column("begun", sa.BigInteger),
        sa.Column("begun_by", sa.Text),
        sa.Column("finished", sa.BigInteger),
        sa.Column("finished_by", sa.Text),
        sa.Column("remark", sa.Text),
        sa.Column("evidence", sa.JSON, nullable=False),
        if_not_exists=True,
    )
    op.create_index("work_by_plant", "work", ["plant", "begins"], if_not_exists=True)
    op.create_index("work_by_begins", "work", ["begins"], if_not_exists=True)
    op.create_index("work_by_state", "work", ["state", "ends"], if_not_exists=True)
    op.create_table(
        "cleaning",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("plant", sa.Text, nullable=False),
        sa.Column("area", sa.Text, nullable=False),
        sa.Column("done", sa.BigInteger, nullable=False),
        sa.Column("cleaner", sa.Text, nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("thickness_um", sa.BigInteger),
        sa.Column("given", sa.BigInteger, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("voided", sa.BigInteger),
        sa.Column("voided_by", sa.Text),
        sa.Column("remark", sa.Text),
        sa.Column("evidence", sa.JSON, nullable=False),
        if_not_exists=True,
    )
    op.create_index("cleaning_by_area", "cleaning", ["plant", "area", "done"], if_not_exists=True)
    op.create_index("cleaning_by_done", "cleaning", ["done"], if_not_exists=True)
    op.create_table(
        "pledge",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("plant", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("assessment", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("running", sa.Integer, nullable=False),
        sa.Column("stopped", sa.Integer, nullable=False),
        sa.Column("works", sa.JSON, nullable=False),
        sa.Column("given", sa.BigInteger, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("withdrawn", sa.BigInteger),
        sa.Column("withdrawn_by", sa.Text),
        sa.Column("remark", sa.Text),
        sa.UniqueConstraint("plant", "day", "number"),
        if_not_exists=True,
    )
    op.create_index("pledge_by_day", "pledge", ["day"], if_not_exists=True)
