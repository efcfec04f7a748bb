"""Standing alarms are listed by how much they need somebody."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_UNSEEN = "state IN ('unacknowledged', 'returned-unacknowledged', 'latched-unacknowledged')"
_STANDING = f"{_UNSEEN} OR state IN ('acknowledged', 'latched-acknowledged')"
_GRADE = f"(CASE WHEN {_UNSEEN} THEN 2 ELSE 0 END + CASE WHEN level = 2 THEN 1 ELSE 0 END)"
FILL = f"UPDATE alarm SET urgency = {_GRADE} * 1000000000000000 + annunciated / 1000000 WHERE {_STANDING}"  # noqa: S608
"""As `ingest.domain.alarms.urgency` has it."""


def upgrade() -> None:
    """Add the column, filled, and its index over standing alarms alone."""
    op.add_column("alarm", sa.Column("urgency", sa.BigInteger))
    op.execute(sa.text(FILL))
    stands = sa.text("urgency IS NOT NULL")
    op.create_index("alarm_by_urgency", "alarm", ["urgency", "id"], sqlite_where=stands, postgresql_where=stands)
