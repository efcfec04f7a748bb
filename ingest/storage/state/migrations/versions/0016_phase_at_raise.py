"""An alarm carries the phase its equipment was in when it was raised; nothing of it is known of earlier ones.

Adds columns without values: no row is written, however many there are.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Its code, and its name as it was then."""
    for name in ("phase", "phase_zh", "phase_en"):
        op.add_column("alarm", sa.Column(name, sa.Text))
