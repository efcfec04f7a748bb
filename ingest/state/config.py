"""Settings of the state database."""

from __future__ import annotations

from pathlib import Path

from ingest.model.config import Config


class StateConfig(Config):
    """Where alarms, their events and the outbox are kept."""

    path: Path = Path("data/state.db")
