"""Each SQLite error is translated by its meaning: retry, or end the process."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import apsw
import pytest

from ingest.storage.journal.commit import Commit
from ingest.storage.journal.connection import translated_errors
from ingest.storage.journal.errors import JournalBroken, JournalFull, JournalUnavailable
from ingest.storage.journal.journal import Journal
from tests.ingest.storage.journal.entries import batch, filled

MEANING = {
    apsw.FullError: JournalFull,
    apsw.BusyError: JournalUnavailable,
    apsw.CantOpenError: JournalUnavailable,
    apsw.ReadOnlyError: JournalUnavailable,
    apsw.IOError: JournalBroken,
    apsw.CorruptError: JournalBroken,
    apsw.NotADBError: JournalBroken,
}


@pytest.mark.parametrize(("theirs", "ours"), MEANING.items())
def test_each_of_sqlites_errors_has_its_meaning(theirs: type[apsw.Error], ours: type[Exception]) -> None:
    with pytest.raises(ours, match=r"j\.db: it said so") as raised, translated_errors(Path("j.db")):
        raise theirs("it said so")
    assert type(raised.value) is ours


class FailingSync:
    """A connection whose disk fails at the commit."""

    def __init__(self, connection: apsw.Connection) -> None:
        self.connection = connection
        self.fails = True
        self.commits = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)

    def execute(self, statement: str) -> apsw.Cursor:
        if statement == "COMMIT":
            self.commits += 1
            if self.fails:
                raise apsw.IOError("disk I/O error")
        return self.connection.execute(statement)


def test_after_a_failed_sync_nothing_is_written_on_that_connection(tmp_path: Path) -> None:
    """Not even once the disk says it works again: the system may take unwritten pages for written."""
    journal = filled(tmp_path / "j.db", 1)
    journal._file._writer = failing = FailingSync(journal._file._writer)  # type: ignore[assignment]
    with pytest.raises(JournalBroken, match=r"j\.db"):
        journal.append(Commit(batch(1), 1))
    failing.fails = False
    for write in (lambda: journal.append(Commit(batch(1), 1)), lambda: journal.save_cursor("history", 1)):
        with pytest.raises(JournalBroken):
            write()
    assert failing.commits == 1
    assert isinstance(journal.broken, JournalBroken)
    assert [entry.id for entry in journal.read(0, 100)] == [1]
    journal.close()
    assert Journal(tmp_path / "j.db").append(Commit(batch(1), 1)) == 2


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_a_disk_that_really_fails_to_sync_breaks_the_journal_and_a_restart_recovers(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from ingest.storage.journal.journal import Commit, Journal\n"
        "from tests.ingest.storage.journal.entries import batch\n"
        "journal = Journal(Path(sys.argv[1]))\n"
        "try:\n"
        "    while True: print('kept', journal.append(Commit(batch(1), 1)), flush=True)\n"
        "except Exception as error: print(type(error).__name__, flush=True)\n"
    )
    inject = [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "trace=fdatasync",
        "-e",
        "inject=fdatasync:error=EIO:when=40+",
    ]
    run = subprocess.run(
        [*inject, sys.executable, "-c", program, str(tmp_path / "j.db")],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[4],
        timeout=100,
    )
    if "ptrace" in run.stderr:
        pytest.skip(f"strace may not trace here: {run.stderr.strip()}")
    *kept, last = run.stdout.splitlines()
    assert kept, run.stderr
    assert last == "JournalBroken"
    assert {f"kept {entry.id}" for entry in Journal(tmp_path / "j.db").read(0, 1000)} >= {*kept}


def test_a_file_that_is_no_journal_is_refused_for_good(tmp_path: Path) -> None:
    (tmp_path / "j.db").write_bytes(b"something else" * 1000)
    with pytest.raises(JournalBroken, match=r"j\.db"):
        Journal(tmp_path / "j.db")
