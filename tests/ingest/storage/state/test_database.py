"""A failed sync, a failed read or damage ends the use of the file; a full disk or a busy file is waited out."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from ingest.storage.state.config import StateConfig
from ingest.storage.state.database import Database
from ingest.storage.state.engine_store import EngineCheckpoint, EngineStore
from ingest.storage.state.errors import StateBroken, StateUnavailable
from ingest.storage.state.tables import engine_state

_UNWRITABLE = """
import resource, signal, sys
from pathlib import Path
from ingest.storage.state.config import StateConfig
from ingest.storage.state.database import Database
from ingest.storage.state.errors import StateBroken
from ingest.storage.state.engine_store import EngineStore
path = Path(sys.argv[1])
store = EngineStore(Database(path))
store.commit(1, [], [], b"kept")
size = path.with_name(path.name + "-wal").stat().st_size
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
for attempt in range(2):
    try:
        store.commit(2, [], [], bytes(1 << 20))
    except StateBroken as error:
        print("broken", error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
"""
"""A file that may not grow gives a real I/O error; that it may grow again afterwards must not matter."""


def test_after_an_io_error_nothing_is_written_until_a_restart_and_what_was_committed_is_there(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    lines = subprocess.run(
        [sys.executable, "-c", _UNWRITABLE, str(path)], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert len(lines) == 2
    assert all("broken" in line and "SQLITE_IOERR" in line and str(path) in line for line in lines)
    with closing(Database(path)) as again:
        assert EngineStore(again).load() == EngineCheckpoint(1, 1, b"kept")


def test_a_damaged_file_is_fatal(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    database = Database(path)
    EngineStore(database).commit(1, [], [], bytes(200_000))
    database.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    with pytest.raises(StateBroken, match="SQLITE_CORRUPT"):
        Database(path)


def _failing(name: str) -> Callable[..., None]:
    def fail(*_: object) -> None:
        error = sqlite3.OperationalError("made up")
        error.sqlite_errorname = name
        raise error

    return fail


@pytest.mark.parametrize(
    ("name", "fatal"),
    [
        ("SQLITE_IOERR_FSYNC", True),
        ("SQLITE_IOERR_READ", True),
        ("SQLITE_CORRUPT_INDEX", True),
        ("SQLITE_NOTADB", True),
        ("SQLITE_FULL", False),
        ("SQLITE_BUSY", False),
        ("SQLITE_LOCKED_SHAREDCACHE", False),
        ("SQLITE_IOERR_SHMSIZE", False),
    ],
)
def test_which_errors_are_waited_out(tmp_path: Path, name: str, *, fatal: bool) -> None:
    with closing(Database(tmp_path / "state.db")) as database:
        store, fail = EngineStore(database), _failing(name)
        sa.event.listen(database._writer, "do_execute", fail)
        with pytest.raises(StateBroken if fatal else StateUnavailable, match="made up"):
            store.commit(1, [], [])
        sa.event.remove(database._writer, "do_execute", fail)
        if fatal:
            with pytest.raises(StateBroken):
                store.commit(1, [], [])
        else:
            store.commit(1, [], [])


def test_a_close_waits_for_the_transaction_under_way_and_what_comes_later_is_refused(state: StateConfig) -> None:
    """A thread may still write when the service stops; another service begins only after it."""
    database, inside, goes_on = Database(state), threading.Event(), threading.Event()
    store = EngineStore(database)

    def write() -> None:
        with database.write() as connection:
            inside.set()
            assert goes_on.wait(60)
            connection.execute(sa.update(engine_state).values(cursor=7))

    with ThreadPoolExecutor(2) as threads:
        store.commit(1, [], [])
        writing = threads.submit(write)
        assert inside.wait(60)
        closing_it = threads.submit(database.close)
        with pytest.raises(TimeoutError):
            closing_it.result(0.2)
        goes_on.set()
        writing.result(60)
        closing_it.result(60)
    for _ in range(2):
        with pytest.raises(StateUnavailable, match="closed"):
            store.commit(8, [], [])
        database.close()
    with closing(Database(state)) as again:
        assert EngineStore(again).load().cursor == 7
