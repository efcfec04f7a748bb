"""A copy of the DuckDB file is of one moment, also while a service has it open."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from ingest.storage.history import duck_file
from ingest.storage.history.config import DuckDBConfig
from ingest.storage.history.duck import DuckDBStore
from ingest.storage.history.duck_snapshot import copy_held
from ingest.storage.history.errors import HistoryUnavailable
from tests.ingest.storage.history.made_up import NOON, SECOND, configuration, steady

WRITES = """
import sys
from pathlib import Path
from ingest.storage.history import duck_maintenance
from ingest.storage.history.config import DuckDBConfig
from ingest.storage.history.duck import DuckDBStore
from tests.ingest.storage.history.made_up import NOON, SECOND, configuration, steady
duck_maintenance.IDLE_S = duck_maintenance.REST = 0
store = DuckDBStore(DuckDBConfig(path=Path(sys.argv[1])))
store._file._db.execute("SET GLOBAL wal_autocheckpoint = '100 KB'")  # a checkpoint each dozen of writes
for number in range(1_000_000):
    store.write_readings(steady(300, start=NOON + number * 300 * SECOND), configuration(), 1 + number)
    if number == 20:
        print("writing", flush=True)
"""
HOLDS = """
import sys, duckdb
file = duckdb.connect(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def store(path: Path) -> Iterator[DuckDBStore]:
    store = DuckDBStore(DuckDBConfig(path=path))
    yield store
    store.close()


def counted(copy: Path) -> int:
    """The readings in a copy, and that all of them can be read."""
    with duckdb.connect(str(copy), read_only=True) as file:
        rows = file.execute("SELECT count(*), count(DISTINCT time), min(time), max(time), max(write) FROM readings")
        [(count, times, first, last, writes)] = rows.fetchall()
    assert (count, count, count) == (times, (last - first) // SECOND + 1, writes * 300), "whole writes, all of them"
    return int(count)


def test_copies_taken_while_a_service_writes_are_each_of_one_moment(path: Path, tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", WRITES, str(path)], stdout=subprocess.PIPE, text=True) as service:
        try:
            assert service.stdout is not None
            assert service.stdout.readline() == "writing\n"
            done: list[int] = []
            for number in range(3):
                copy_held(path, tmp_path / f"copy-{number}", done.append)
            assert service.poll() is None
        finally:
            service.kill()
    counts = [counted(tmp_path / f"copy-{number}") for number in range(3)]
    assert 20 * 300 < counts[0] < counts[1] < counts[2]
    assert sum(done) == sum((tmp_path / f"copy-{number}").stat().st_size for number in range(3))


def test_without_a_service_what_lies_in_its_log_is_in_the_copy(path: Path, tmp_path: Path) -> None:
    """The log of a service that was killed, too."""
    with subprocess.Popen([sys.executable, "-c", WRITES, str(path)], stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        service.stdout.readline()
        service.kill()
    copy_held(path, tmp_path / "copy", lambda _: None)
    assert counted(tmp_path / "copy") > 20 * 300
    store = DuckDBStore(DuckDBConfig(path=path))
    assert store.count_readings() == counted(tmp_path / "copy")
    store.close()


def test_a_service_that_does_not_answer_is_reported(path: Path, tmp_path: Path) -> None:
    """One of an earlier version, or another program."""
    command = [sys.executable, "-c", HOLDS, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(HistoryUnavailable, match="does not answer; stop it"):
            copy_held(path, tmp_path / "copy", lambda _: None, wait_s=0.5)
        other.communicate()
    assert not (tmp_path / "copy").exists()


def test_what_changed_while_it_was_copied_is_no_copy(store: DuckDBStore, path: Path, tmp_path: Path) -> None:
    """As when the service ends, or begins, meanwhile."""
    store.close()

    def meanwhile(_: int) -> None:
        other = DuckDBStore(DuckDBConfig(path=path))
        other.write_readings(steady(3), configuration(), 1)
        other.close()

    with pytest.raises(HistoryUnavailable, match="try again"):
        copy_held(path, tmp_path / "copy", meanwhile)


def test_checkpoints_are_made_again_once_nobody_copies_or_the_log_grew_too_long(
    store: DuckDBStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def held() -> bool:
        store._file.check_for_copy()
        [(most,)] = store._file.rows("SELECT current_setting('wal_autocheckpoint')")
        return str(most) != "16.0 MiB"

    hold = path.with_name("h.duckdb.hold")
    assert not held()
    for _ in range(2):
        with hold.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            hold.write_bytes(b"")  # as the next one does, who may come before the service saw the first one go
            assert held()
            assert hold.read_bytes() == b"held"
            store.write_readings(steady(300), configuration(), 1)
            store._file.checkpoint()
            assert path.with_name("h.duckdb.wal").stat().st_size > 1_000
            assert held()
    assert not held()
    with hold.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        hold.write_bytes(b"")
        assert held()
        store.write_readings(steady(300, start=NOON + 300 * SECOND), configuration(), 2)
        monkeypatch.setattr(duck_file, "MOST_LOG", 1_000)
        assert not held()
        assert not held()
