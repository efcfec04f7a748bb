"""Settings of the journal."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from ingest.base.config import Config
from ingest.storage.journal.quota import GATEWAY_MB, TOTAL_MB, Quota


class JournalConfig(Config):
    """Where the journal is kept, how long after every reader has passed, and what is kept free for alarms."""

    path: Path = Path("data/journal.db")
    retention_h: float = Field(default=72.0, ge=0)
    quarantine_retention_d: float = Field(default=180.0, gt=0)
    quarantine_gateway_mb: float = Field(default=GATEWAY_MB, ge=2)  # of each gateway; its oldest make room
    quarantine_mb: float = Field(default=TOTAL_MB, ge=2)  # of all of them; the oldest of whoever has most make room
    reserve_mb: float = Field(default=64.0, ge=0)  # size of the ballast; intake waits while less than this is free

    def quota(self) -> Quota:
        """The limits of the quarantine."""
        return Quota(self.quarantine_gateway_mb, self.quarantine_mb)
