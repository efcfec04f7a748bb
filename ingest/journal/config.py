"""Settings of the journal."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from ingest.model.config import Config


class JournalConfig(Config):
    """Where the journal is kept, and for how long after every reader has passed."""

    path: Path = Path("data/journal.db")
    retention_h: float = Field(default=72.0, ge=0)
