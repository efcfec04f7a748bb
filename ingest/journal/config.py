"""Settings of the journal."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from ingest.model.config import Config


class JournalConfig(Config):
    """Where the journal is kept, how long after every reader has passed, and what is kept free for alarms."""

    path: Path = Path("data/journal.db")
    retention_h: float = Field(default=72.0, ge=0)
    quarantine_retention_d: float = Field(default=180.0, gt=0)
    reserve_mb: float = Field(default=64.0, ge=0)  # size of the ballast; intake waits while less than this is free
