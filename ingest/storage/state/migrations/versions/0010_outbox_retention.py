"""Delivered messages lose their bodies after a while, and are deleted much later."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Until now every body was kept for good; the first trims take care of them, some at a time."""
    op.add_column("outbox", sa.Column("emptied", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_index("outbox_delivered", "outbox", ["emptied", "delivered"])
