"""A settings file with a journal beside it, and the command line on it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ingest.cli.main import app
from ingest.storage.journal.journal import Journal
from tests.ingest.storage.journal.entries import filled

Run = Callable[..., Result]

_WRITES = """
import sys
from pathlib import Path
from ingest.storage.state.database import Database
database = Database(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
"""


@contextmanager
def written_elsewhere(state: Path) -> Iterator[None]:
    """Another process holds the state database meanwhile, as a running service does."""
    command = [sys.executable, "-c", _WRITES, str(state)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        assert service.stdout.readline() == "open\n"
        yield
        service.communicate()


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
