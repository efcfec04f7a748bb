"""What tests of the history writer begin with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from ingest.base import telemetry
from ingest.storage.history import writer as module
from tests.ingest.storage.history.upkept import Clock
from tests.ingest.storage.history.writing import MemoryAlarms, MemoryJournal


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


@pytest.fixture
def alarms() -> MemoryAlarms:
    return MemoryAlarms()


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What was logged, debug events too, whatever an earlier test has set."""
    monkeypatch.setattr(telemetry, "_verbose", True)
    with capture_logs() as lines:
        yield lines


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short waits, so that tests of retries are quick."""
    monkeypatch.setattr(module, "IDLE_S", 0.05)
    monkeypatch.setattr(module, "FIRST_DELAY_S", 0.01)
    monkeypatch.setattr(module, "RETRY_EVERY_S", 0.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a DuckDB file is to be."""
    return tmp_path / "h.duckdb"


@pytest.fixture
def clock() -> Clock:
    """What upkeep goes by."""
    return Clock()
