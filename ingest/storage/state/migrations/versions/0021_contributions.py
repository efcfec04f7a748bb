"""An alarm of a group of points names those that contributed to it; nothing of it is known of earlier ones.

Adds a column without values: no row is written, however many there are.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """The points, their names as they were then, and their shares."""
    op.add_column("alarm", sa.Column("contributions", sa.JSON))
