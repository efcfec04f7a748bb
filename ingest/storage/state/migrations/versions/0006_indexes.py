"""Indexes that lists and filters of many alarms need; on a server, whose the database is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_PAGED = ("plant", "state", "point", "assigned")


def upgrade() -> None:
    """Add them, in place of those that end before the order of the list."""
    for name in ("raised", "plant", "state"):
        op.drop_index(f"alarm_by_{name}", "alarm")
    op.create_index("alarm_by_raised", "alarm", ["raised", "id"])
    for name in _PAGED:
        op.create_index(f"alarm_by_{name}", "alarm", [name, "raised", "id"])
    op.create_index("alarm_by_plant_state", "alarm", ["plant", "state", "raised", "id"])
    op.create_index("alarm_event_by_kind", "alarm_event", ["kind", "received"])
    op.create_table(
        "holder",
        sa.Column("one", sa.Integer, primary_key=True),
        sa.Column("token", sa.Uuid, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
    )
