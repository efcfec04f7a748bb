"""Alarms found in readings that came late are marked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Every alarm so far stood."""
    op.add_column("alarm", sa.Column("historical", sa.Boolean, nullable=False, server_default=sa.false()))
