"""The database bears the id of the installation it belongs to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the table, without a row: the next start fills it."""
    op.create_table("installation", sa.Column("id", sa.Text, primary_key=True))
