"""A message may end without being accepted (rejected for good, withdrawn); its newest failure has a code and values.

Adds columns without values, and makes the index of waiting messages leave those out that ended.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0021"

_SYSTEMS = ("sqlite", "postgresql")
_WAITING: dict[str, Any] = {f"{system}_where": sa.text("delivered IS NULL AND ended IS NULL") for system in _SYSTEMS}
_ENDED: dict[str, Any] = {f"{system}_where": sa.text("ended IS NOT NULL") for system in _SYSTEMS}


def upgrade() -> None:
    """Nothing has ended so far; what was delivered stays as it is."""
    op.add_column("outbox", sa.Column("failure", sa.JSON))
    op.add_column("outbox", sa.Column("ended", sa.BigInteger))
    op.add_column("outbox", sa.Column("ending", sa.Text))
    op.add_column("outbox", sa.Column("reason", sa.Text))
    op.drop_index("outbox_waiting", "outbox")
    op.create_index("outbox_waiting", "outbox", ["connector", "kind", "seq"], **_WAITING)
    op.create_index("outbox_ended", "outbox", ["ending", "connector", "ended"], **_ENDED)
