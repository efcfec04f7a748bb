"""Indexes by which the audit trail is asked for what somebody did, and what was done at some time."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add them; on a trail of years this takes some seconds."""
    op.create_index("audit_by_actor", "audit", ["actor", "seq"], if_not_exists=True)
    op.create_index("audit_by_time", "audit", ["time"], if_not_exists=True)
