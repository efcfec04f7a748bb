"""A settings file with a journal beside it, and the command line on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ingest.cli.main import app
from ingest.storage.journal.journal import Journal
from tests.ingest.storage.journal.entries import filled

Run = Callable[..., Result]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the journal of the settings lies."""
    (tmp_path / "yujing.toml").write_text("", encoding="utf-8")
    return tmp_path / "data" / "journal.db"


@pytest.fixture
def journal(file: Path) -> Iterator[Journal]:
    """Six entries of ten readings, held open as by the running service."""
    made = filled(file, 6)
    made.number_points([("p", "A"), ("p", "B"), ("q", "A")])
    yield made
    made.close()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command, with its exit code and output."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "110")

    def call(*arguments: str, typed: str = "") -> Result:
        (first, second, *rest) = arguments
        return CliRunner().invoke(app, [first, second, *rest, "--config", str(tmp_path / "yujing.toml")], input=typed)

    return call
