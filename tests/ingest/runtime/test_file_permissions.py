"""What the service writes can be read by its own user alone, whatever the shell that starts it allows."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import structlog

from ingest.domain.cases.config import CasesConfig
from ingest.runtime.file_permissions import close_data
from ingest.runtime.settings import Settings
from ingest.storage.history.config import DuckDBConfig
from ingest.storage.journal.config import JournalConfig
from ingest.storage.state.config import StateConfig


def open_to_others(folder: Path) -> list[str]:
    return sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if stat.S_IMODE(path.stat().st_mode) & 0o077
    )


def test_every_file_the_command_makes_is_private_under_the_usual_umask(tmp_path: Path) -> None:
    (tmp_path / "yujing.toml").write_text(
        '[journal]\npath = "kept/journal.db"\n[state]\npath = "state/deep/state.db"\n', encoding="utf-8"
    )
    (tmp_path / "plants").mkdir()
    before = open_to_others(tmp_path)
    command = ["sh", "-c", 'umask 022; exec "$0" -m ingest init', sys.executable]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "state/deep/state.db").exists()
    assert open_to_others(tmp_path) == before


def test_files_left_readable_by_an_earlier_version_are_made_private_at_the_start_and_reported(tmp_path: Path) -> None:
    settings = Settings(
        journal=JournalConfig(path=tmp_path / "data/journal.db"),
        state=StateConfig(path=tmp_path / "data/state.db"),
        history=DuckDBConfig(path=tmp_path / "data/history.duckdb"),
        cases=CasesConfig(evidence=tmp_path / "data/evidence"),
    )
    close_data(settings)  # nothing is there yet
    names = ("journal.db", "journal.db-wal", "state.db", "state.db-shm", "history.duckdb", "history.duckdb.wal")
    (tmp_path / "data/evidence").mkdir(parents=True, mode=0o755)
    for name in (*names, "others.txt"):
        (tmp_path / "data" / name).touch(mode=0o644)
    (tmp_path / "data").chmod(0o750)
    with structlog.testing.capture_logs() as logs:
        close_data(settings)
        close_data(settings)
    assert open_to_others(tmp_path) == ["data", "data/others.txt"], "the folder may be shared, the other is not ours"
    assert (tmp_path / "data/evidence").stat().st_mode & 0o777 == 0o700
    assert [event["event"] for event in logs] == ["data_was_open"] * (len(names) + 1)
