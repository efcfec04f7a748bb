"""Alarm management: suppressions, operators' actions, and the audit trail."""

from __future__ import annotations

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add them."""
