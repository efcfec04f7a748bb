"""Until when the service was up: times in which people must answer do not run while it is down."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """It is not known of the past."""
    op.add_column("engine_state", sa.Column("reached", sa.BigInteger))
