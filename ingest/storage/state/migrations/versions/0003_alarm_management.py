"""Alarm management: suppressions, operators' actions, and the audit trail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ingest.storage.state.migrations.append_only import append_only

revision = "0003"
down_revision = "0002"

_ALARM = (
    sa.Column("annunciated", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("raises", sa.Integer, nullable=False, server_default="1"),
    sa.Column("assigned", sa.Text),
    sa.Column("disposed", sa.BigInteger),
    sa.Column("cleared", sa.BigInteger),
)
_EVENT = (sa.Column("by", sa.Text), sa.Column("role", sa.Text), sa.Column("detail", sa.JSON))


def upgrade() -> None:
    """Alarms raised before were raised once."""
    for column in _ALARM:
        op.add_column("alarm", column)
    op.execute(sa.text("UPDATE alarm SET annunciated = raised"))
    for column in _EVENT:
        op.add_column("alarm_event", column)
    op.create_table(
        "suppression",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("plant", sa.Text, nullable=False),
        sa.Column("point", sa.Text, nullable=False),
        sa.Column("rule", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("applicant", sa.Text, nullable=False),
        sa.Column("applied", sa.BigInteger, nullable=False),
        sa.Column("begins", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger),
        sa.Column("approver", sa.Text),
        sa.Column("decided", sa.BigInteger),
        sa.Column("ended", sa.BigInteger),
        sa.Column("ended_by", sa.Text),
    )
    op.create_index("suppression_by_plant", "suppression", ["plant", "applied"])
    op.create_index("suppression_by_state", "suppression", ["state"])
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("plant", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
    )
    op.create_index("audit_by_subject", "audit", ["kind", "subject"])
    op.create_index("audit_by_plant", "audit", ["plant", "seq"])
    for table in ("audit", "alarm_event"):
        append_only(table)
