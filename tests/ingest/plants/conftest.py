"""A small sound plant, and a directory of plant files to change."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ingest.plants.samples import DATA


@pytest.fixture
def demo() -> str:
    """A sound plant file, as text."""
    return (DATA / "demo-aluminium.toml").read_text(encoding="utf-8")


@pytest.fixture
def directory(tmp_path: Path, demo: str) -> Path:
    """A directory with the sound plant file in it."""
    plants = tmp_path / "plants"
    plants.mkdir()
    (plants / "demo-aluminium.toml").write_text(demo, encoding="utf-8")
    return plants
