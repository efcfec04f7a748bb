"""The outbox tells what is urgent and what belongs together; when something is tried again is kept nowhere."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_WAITING: dict[str, Any] = {f"{system}_where": sa.text("delivered IS NULL") for system in ("sqlite", "postgresql")}
_COLUMNS = ("seq", "kind", "delivered", "subject", "urgency")
_OUTBOX = sa.table("outbox", *(sa.column(name) for name in _COLUMNS), sa.column("body", sa.JSON))


def upgrade() -> None:
    """What waits already is told apart by its body; nobody can say any more which of it was urgent."""
    op.drop_index("outbox_due", "outbox")
    op.drop_column("outbox", "next_attempt")
    op.add_column("outbox", sa.Column("subject", sa.Text))
    op.add_column("outbox", sa.Column("urgency", sa.SmallInteger, nullable=False, server_default="2"))
    op.create_index("outbox_waiting", "outbox", ["connector", "kind", "seq"], **_WAITING)
    column, connection = _OUTBOX.c, op.get_bind()
    waiting = sa.select(column.seq, column.kind, column.body).where(column.delivered.is_(None))
    for seq, kind, body in connection.execute(waiting).all():
        subject = body[kind]["id"] if kind in {"alarm", "warning"} else None
        values = {"subject": subject, "urgency": 3 if kind == "readings" else 2}
        connection.execute(sa.update(_OUTBOX).where(column.seq == seq).values(values))
