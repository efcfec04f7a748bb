"""The closed loop: dispositions, hazards, inspections, enterprise records."""

from __future__ import annotations

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add them."""
