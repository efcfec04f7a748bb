"""A backup taken while the service writes is whole and of one moment, and a service goes on from it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ingest.cli.main import app
from ingest.domain.model.audit import Act
from ingest.runtime.backup import take
from ingest.runtime.file_permissions import write_privately
from ingest.runtime.settings import load_settings
from ingest.storage.history.config import DuckDBConfig
from ingest.storage.history.duck import DuckDBStore
from ingest.storage.journal.commit import Commit
from ingest.storage.journal.inspection import JournalInspection
from ingest.storage.journal.journal import Journal
from ingest.storage.state.alarm_store import AlarmStore
from ingest.storage.state.audit import AuditStore
from ingest.storage.state.audit_heads import AuditHeads
from ingest.storage.state.config import StateConfig
from ingest.storage.state.database import Database
from ingest.storage.state.engine_store import EngineStore
from ingest.storage.state.evidence_files import EvidenceFiles
from ingest.storage.state.read_only import engine_at
from tests import migrated
from tests.ingest.storage.history.made_up import NOON, SECOND, configuration, steady
from tests.ingest.storage.journal.entries import batch
from tests.ingest.storage.state.test_store import event

Run = Callable[..., Result]

WRITES = """
import sys
from pathlib import Path
from ingest.storage.state.audit_heads import AuditHeads
from ingest.storage.state.database import Database
from ingest.storage.journal.journal import Journal
from tests.ingest.runtime.test_backup import run_cycle
data = Path(sys.argv[1])
journal, database = Journal(data / "journal.db"), Database(data / "state.db")
number = 0
while True:
    number += 1
    run_cycle(journal, database, AuditHeads(data / "audit"), number)
    if number == 20:
        print("writing", flush=True)
"""


def run_cycle(journal: Journal, database: Database, heads: AuditHeads, number: int) -> None:
    """What the service does again and again: take in, judge, tell, keep the newest head of the trail."""
    entry = journal.append(Commit(batch(10, number * 1000), 10))
    act = Act(number, "yujing", "service", "raised", "alarm", str(number), "p", {})
    EngineStore(database).commit(entry, [event(at=number)], [], b"memory", acts=[act])
    head = AuditStore(database.rows).head()
    assert head is not None
    heads.keep(head)


@pytest.fixture
def data(tmp_path: Path, run: Run) -> Path:
    """The data folder of settings that lie beside it, with three cycles and a file of evidence."""
    del run  # what is written is written as the program does
    (tmp_path / "yujing.toml").write_text("[log]\nlevel = 'info'\n", encoding="utf-8")
    (tmp_path / "plants").mkdir()
    (tmp_path / "plants" / "p.toml").write_text("as people wrote it", encoding="utf-8")
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    run_cycles(folder, 1, 2, 3)
    EvidenceFiles(folder / "evidence", 1000).put(b"%PDF-1.4 a page")
    (folder / "plants-in-force").mkdir()
    (folder / "plants-in-force" / "p.toml").write_text("in force", encoding="utf-8")
    return folder


def run_cycles(folder: Path, *numbers: int) -> None:
    """A service that runs these cycles and ends."""
    with closing(Journal(folder / "journal.db")) as journal, closing(migrated.opened(folder / "state.db")) as database:
        for number in numbers:
            run_cycle(journal, database, AuditHeads(folder / "audit"), number)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """A command on those settings, typed in their folder."""
    monkeypatch.chdir(tmp_path)
    before = os.umask(0)
    write_privately()  # as the program does first

    def call(*words: str) -> Result:
        return CliRunner().invoke(app, [*words, "--config", "yujing.toml"])

    yield call
    os.umask(before)


def events(folder: Path) -> list[int]:
    with closing(migrated.opened(folder / "state.db")) as database:
        return [event.seq for event in AlarmStore(database).events_after(0, limit=1000)]


def test_copies_taken_while_another_process_writes_are_each_of_one_moment(data: Path, run: Run, tmp_path: Path) -> None:
    other = tmp_path / "other"
    with subprocess.Popen([sys.executable, "-c", WRITES, str(other)], stdout=subprocess.PIPE, text=True) as writer:
        try:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "writing\n"
            data.rename(tmp_path / "gone")
            (tmp_path / "data").symlink_to(other)
            for number in range(2):
                taken = run("backup", f"copy-{number}")
                assert taken.exit_code == 0, taken.output
        finally:
            writer.kill()
    (tmp_path / "data").unlink()
    for number in range(2):
        restored = run("restore", f"copy-{number}")
        assert restored.exit_code == 0, restored.output
        assert "✗" not in restored.output
        with JournalInspection(tmp_path / "data" / "journal.db") as journal:
            assert 20 <= engine_at(StateConfig(path=tmp_path / "data" / "state.db")).cursor <= journal.newest_ever()
            assert not list(journal.check({}, lambda _entry: None))
        assert run("audit", "verify").exit_code == 0, "its head outside is none that the copy lacks"
        (tmp_path / "data").rename(tmp_path / f"restored-{number}")


def test_what_is_restored_is_what_was_backed_up_and_is_for_its_user_alone(data: Path, run: Run, tmp_path: Path) -> None:
    taken = run("backup", "copy")
    assert taken.exit_code == 0, taken.output
    data.rename(tmp_path / "lost")
    restored = run("restore", "copy")
    assert restored.exit_code == 0, restored.output
    for line in ("entries of the journal: 备份 backup 3", "readings: 备份 backup 30", "alarms: 备份 backup 3"):
        assert line in restored.output
    with closing(migrated.opened(data / "state.db")) as database:
        rows = len(AuditStore(database.rows))
    assert f"audit trail: 备份 backup {rows}, 现有 restored {rows}" in restored.output
    assert "evidence: 备份 backup 1, 现有 restored 1" in restored.output
    for name in ("audit/key", "audit/newest.json", "plants-in-force/p.toml"):
        assert (data / name).read_bytes() == (tmp_path / "lost" / name).read_bytes()
    assert (tmp_path / "copy" / "settings" / "plants" / "p.toml").read_text(encoding="utf-8") == "as people wrote it"
    for place in (tmp_path / "copy", data):
        for path in (place, *place.rglob("*")):
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_the_history_comes_along_if_it_is_asked_for_and_goes_on_from_where_the_journal_is(
    data: Path, run: Run, tmp_path: Path
) -> None:
    """It is copied a moment later: what it has beyond the journal's cursor is written again and replaces that."""

    def write(*entries: int) -> int:
        with closing(DuckDBStore(DuckDBConfig(path=data / "history.duckdb"))) as store:
            for entry in entries:
                store.write_readings(steady(10, start=NOON + entry * 10 * SECOND), configuration(), entry)
            return store.count_readings()

    write(1, 2, 3)
    without = run("backup", "without")
    assert "--history 可一并备份 takes it along" in without.output
    taken = run("backup", "copy", "--history")
    assert taken.exit_code == 0, taken.output
    assert "readings of the history: 30" in taken.output
    assert "without the history" not in taken.output
    data.rename(tmp_path / "gone")
    restored = run("restore", "copy")
    assert restored.exit_code == 0, restored.output
    assert "readings of the history: 备份 backup 30, 现有 restored 30" in restored.output
    assert stat.S_IMODE((data / "history.duckdb").stat().st_mode) == 0o600
    assert write(3, 4) == 40
    data.rename(tmp_path / "again")
    (data).mkdir()
    (data / "history.duckdb").write_bytes(b"another")
    assert run("restore", "copy").exit_code == 2


def test_a_history_that_cannot_be_copied_now_is_no_backup(data: Path, run: Run, tmp_path: Path) -> None:
    (data / "history.duckdb").write_bytes(b"no database" * 1000)
    refused = run("backup", "copy", "--history")
    assert refused.exit_code == 1
    assert "history.duckdb" in refused.output
    assert not (tmp_path / "copy").exists()
    assert not (tmp_path / ".copy.part").exists()


def test_a_restored_service_gives_no_number_of_an_event_twice(data: Path, run: Run, tmp_path: Path) -> None:
    assert run("backup", "copy").exit_code == 0
    run_cycles(data, 4, 5)  # seen by whoever follows the events, and not in the backup
    seen = events(data)
    data.rename(tmp_path / "lost")
    assert run("restore", "copy").exit_code == 0
    run_cycles(data, 6, 7)
    assert seen[:3] == events(data)[:3]
    assert min(events(data)[3:]) > max(seen)
    with JournalInspection(data / "journal.db") as journal:
        assert journal.span() == (5, 1, 5)
    again = run("backup", "second")
    assert again.exit_code == 0, again.output
    data.rename(tmp_path / "lost again")
    assert run("restore", "second").exit_code == 0
    assert len(events(data)) == 5


def test_a_folder_that_is_not_empty_is_left_as_it_is(data: Path, run: Run, tmp_path: Path) -> None:
    assert run("backup", "copy").exit_code == 0
    run_cycles(data, 4)
    before = events(data)
    refused = run("restore", "copy")
    assert refused.exit_code == 2
    assert "is not empty" in refused.output
    assert "mv " in refused.output
    assert events(data) == before
    data.rename(tmp_path / "lost")
    (data / "lost+found").mkdir(parents=True)  # of a new disk
    assert run("restore", "copy").exit_code == 0


def test_what_is_no_whole_backup_is_refused_with_a_word(data: Path, run: Run, tmp_path: Path) -> None:
    assert run("backup", "copy").exit_code == 0
    twice = run("backup", "copy")
    assert (twice.exit_code, "is there already" in twice.output) == (2, True)
    (tmp_path / ".next.part").mkdir()
    cut = run("backup", "next")
    assert (cut.exit_code, "rm -r" in cut.output) == (2, True)
    nowhere = run("backup", "not/mounted")
    assert (nowhere.exit_code, "is the disk mounted" in nowhere.output) == (2, True)
    data.rename(tmp_path / "lost")
    for source in (tmp_path / ".next.part", tmp_path / "typo"):
        refused = run("restore", str(source))
        assert (refused.exit_code, "no whole backup" in refused.output) == (2, True)
    assert not data.exists()


def test_counts_that_differ_are_named_and_end_with_3(data: Path, run: Run, tmp_path: Path) -> None:
    assert run("backup", "copy").exit_code == 0
    manifest = tmp_path / "copy" / "manifest.json"
    recorded = json.loads(manifest.read_bytes())
    next((tmp_path / "copy" / "evidence").glob("*/*")).unlink()
    manifest.write_text(json.dumps(recorded), encoding="utf-8")
    data.rename(tmp_path / "lost")
    restored = run("restore", "copy")
    assert restored.exit_code == 3
    assert "evidence: 备份 backup 1, 现有 restored 0 ✗" in restored.output


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")
def test_root_restores_for_the_owner_of_the_backup(data: Path, run: Run, tmp_path: Path) -> None:
    assert run("backup", "copy").exit_code == 0
    data.rename(tmp_path / "lost")
    for path in (tmp_path / "copy", *(tmp_path / "copy").rglob("*")):
        os.chown(path, 12345, 12345)
    restored = run("restore", "copy")
    assert restored.exit_code == 0, restored.output
    assert {path.stat().st_uid for path in (data, *data.rglob("*"))} == {12345}


def test_what_is_written_while_a_copy_is_made_is_in_none_of_its_parts(data: Path, tmp_path: Path) -> None:
    with closing(Journal(data / "journal.db")) as journal, closing(migrated.opened(data / "state.db")) as database:
        numbers = iter(range(4, 100))

        @contextmanager
        def meddling(_what: str, _total: int) -> Iterator[Callable[[int], None]]:
            run_cycle(journal, database, AuditHeads(data / "audit"), next(numbers))
            yield lambda _done: None

        file = tmp_path / "yujing.toml"
        made = take(load_settings(file), file, tmp_path / "copy", "now", meddling)
    assert (made.counts["entries"], made.counts["alarms"]) == (3, 3)
    assert engine_at(StateConfig(path=tmp_path / "copy" / "state.db")).cursor == 3


def test_without_room_for_the_copy_and_for_alarms_nothing_is_begun(data: Path, run: Run, tmp_path: Path) -> None:
    (tmp_path / "yujing.toml").write_text("[journal]\nreserve_mb = 1e12\n", encoding="utf-8")
    before = sorted(path.name for path in tmp_path.iterdir())
    refused = run("backup", "copy")
    assert (refused.exit_code, "not enough room" in refused.output) == (2, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert data.is_dir()
