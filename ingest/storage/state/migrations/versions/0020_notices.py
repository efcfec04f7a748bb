"""Notices that were given: a new table, made at once however large the database is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Add it; a start that was killed in between goes on."""
    op.create_table(
        "notice",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("plant", sa.Text, nullable=False),
        sa.Column("matter", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("due", sa.BigInteger),
        sa.Column("zh", sa.Text, nullable=False),
        sa.Column("en", sa.Text, nullable=False),
        sa.Column("given", sa.BigInteger, nullable=False),
        sa.Column("receivers", sa.JSON, nullable=False),
        sa.Column("ended", sa.BigInteger),
        if_not_exists=True,
    )
    op.create_index("notice_by_plant", "notice", ["plant", "given"], if_not_exists=True)
    op.create_index("notice_by_given", "notice", ["given"], if_not_exists=True)
    op.create_index("notice_by_ended", "notice", ["ended"], if_not_exists=True)
