"""What tests of sources begin with."""

from __future__ import annotations

import pytest

from ingest.intake.sources import mqtt


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that fails or ends is tried again at once."""
    monkeypatch.setattr(mqtt, "_FIRST_BACKOFF_S", 0)
    monkeypatch.setattr(mqtt, "_SPREAD_S", 0.1)
