"""A data folder that an earlier version left goes on under this one, and what was backed up before comes back."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.forked import PYTHON, run, start

KEPT = sorted((Path(__file__).parent / "kept").glob("data-*.tar.gz"))
"""Of each version that was: 25 s of the demonstration's three plants, with alarms that stand. Never written anew."""

ALARMS = "SELECT id, raised, state FROM alarm ORDER BY id"
COUNTS = {"journal.db": ("entry", "point", "position"), "state.db": ("alarm", "alarm_event", "warning", "audit")}


def yujing(*arguments: str, at: Path) -> str:
    done = run([*PYTHON, "ingest", *arguments, "--config", str(at / "yujing.toml")], 240)
    assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def rows(file: Path, question: str) -> list[Any]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(question).fetchall()


def counted(data: Path) -> dict[str, int]:
    return {
        table: rows(data / name, f"SELECT count(*) FROM {table}")[0][0]  # noqa: S608  constants
        for name, tables in COUNTS.items()
        for table in tables
    }


def lived(at: Path) -> None:
    """The service starts on it, and ends when it is asked to."""
    log = at / "service.log"
    with log.open("wb") as output:
        service = start([*PYTHON, "ingest", "run", "--config", str(at / "yujing.toml")], output, 1)
    try:
        while '"service_started"' not in log.read_text(encoding="utf-8", errors="replace"):
            assert service.poll() is None, log.read_text(encoding="utf-8", errors="replace")
            time.sleep(0.02)
        service.send_signal(signal.SIGTERM)
        assert service.wait(180) == 0, log.read_text(encoding="utf-8", errors="replace")
    finally:
        service.kill()


@pytest.mark.parametrize("kept", KEPT, ids=lambda file: file.name)
def test_a_kept_data_folder_is_upgraded_with_all_its_alarms_and_its_backup_comes_back(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = tmp_path / "data"
    data.mkdir()
    subprocess.run(["tar", "-xzf", str(kept), "-C", str(data)], check=True)
    (data / "plants").rename(tmp_path / "plants")
    (tmp_path / "yujing.toml").write_text(
        'plants = "plants"\n[mqtt]\nport = 1\n[api]\nport = 0\n[journal]\npath = "data/journal.db"\n'
        '[state]\npath = "data/state.db"\n[history]\nkind = "duckdb"\npath = "data/history.duckdb"\n'
        '[cases]\nevidence = "data/evidence"\n'
    )
    before, alarms = counted(data), rows(data / "state.db", ALARMS)
    yujing("backup", str(tmp_path / "backup"), at=tmp_path)

    lived(tmp_path)
    assert {alarm for alarm, *_ in alarms} <= {alarm for alarm, *_ in rows(data / "state.db", ALARMS)}
    yujing("verify", at=tmp_path)

    shutil.rmtree(data)
    yujing("restore", str(tmp_path / "backup"), at=tmp_path)
    assert counted(data) == before
    assert rows(data / "state.db", ALARMS) == alarms
    lived(tmp_path)
