"""`yujing state copy`: from the settings in force to those that are to be, each path counted from its own file."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ingest.cli.main import app
from ingest.storage.journal.journal import Journal
from ingest.storage.state.config import StateConfig
from ingest.storage.state.database import Database
from ingest.storage.state.engine_store import EngineCheckpoint, EngineStore
from ingest.storage.state.errors import StateUnavailable
from tests import migrated
from tests.conftest import at_server
from tests.ingest.cli.conftest import written_elsewhere
from tests.servers import PostgreSQL


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Settings with a state database in a file beside them, of an engine that is at 7."""
    (tmp_path / "old").mkdir()
    database = migrated.opened(tmp_path / "old" / "data" / "state.db")
    EngineStore(database).commit(7, [], [], b"memory")
    database.close()
    return settings(tmp_path / "old", "")


@pytest.fixture
def wanted(tmp_path: Path, postgresql_server: PostgreSQL) -> StateConfig:
    """An empty database on the server."""
    (tmp_path / "new").mkdir()
    return at_server(postgresql_server, tmp_path / "new")


@pytest.fixture
def new(tmp_path: Path, wanted: StateConfig) -> Path:
    """Settings with that database; the password lies beside them."""
    text = f'[state]\nurl = "{wanted.url}"\npassword = {{ file = "state_password" }}\n'
    return settings(tmp_path / "new", text)


def settings(folder: Path, text: str) -> Path:
    """A settings file."""
    file = folder / "yujing.toml"
    file.write_text(text, encoding="utf-8")
    return file


def copied(old: Path, new: Path) -> Result:
    """Run the command as a person does, in some other folder."""
    before = Path.cwd()
    try:
        return CliRunner().invoke(app, ["state", "copy", "--config", str(old), "--to", str(new)])
    finally:
        os.chdir(before)


@pytest.mark.parametrize("command", [["verify"], ["state", "repair"], ["audit", "verify"]])
def test_a_database_of_a_newer_version_is_neither_reported_as_sound_nor_changed(old: Path, command: list[str]) -> None:
    """The message is that of a start, in one sentence."""
    path = old.parent / "data" / "state.db"
    Journal(path.with_name("journal.db")).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StateUnavailable) as refused:
        Database(path)
    sentence = str(refused.value).partition(": a state database")[2]
    before, content = Path.cwd(), path.read_bytes()
    result = CliRunner().invoke(app, [*command, "--config", str(old)])
    os.chdir(before)
    assert result.exit_code == 1, result.output
    assert "version 9999; this yujing reads up to" in sentence
    assert sentence in result.stderr
    assert result.stdout == ""
    assert path.read_bytes() == content
    assert [*path.parent.glob("state.db.damaged*")] == []


def test_a_file_goes_to_a_server(old: Path, new: Path, wanted: StateConfig) -> None:
    result = copied(old, new)
    assert result.exit_code == 0, result.output
    assert "1 行 rows" in result.stdout
    assert "engine_state: 1" in result.stdout
    database = Database(wanted)
    assert EngineStore(database).load() == EngineCheckpoint(7, 7, b"memory")
    database.close()


def test_what_is_not_empty_is_refused(old: Path, new: Path) -> None:
    assert copied(old, new).exit_code == 0
    again = copied(old, new)
    assert again.exit_code == 2
    assert "is not empty: engine_state" in again.stderr


def test_the_same_database_is_refused(old: Path) -> None:
    result = copied(old, old)
    assert result.exit_code == 2
    assert "the same state database" in result.stderr


def test_settings_that_cannot_be_used_are_named(old: Path, tmp_path: Path) -> None:
    faulty = settings(tmp_path, '[state]\nurl = "postgresql://db"\n')
    result = copied(old, faulty)
    assert result.exit_code == 2
    assert "state.url" in result.stderr


def test_there_must_be_something_to_copy(old: Path, new: Path) -> None:
    (old.parent / "data" / "state.db").unlink()
    result = copied(old, new)
    assert result.exit_code == 1
    assert "there is no state database" in result.stderr


def test_nothing_is_copied_from_under_a_running_service(old: Path, new: Path) -> None:
    path = old.parent / "data" / "state.db"
    with written_elsewhere(path):
        result = copied(old, new)
    assert result.exit_code == 1
    assert "another process writes here" in result.stderr
