"""What happens beside alarms and cases gets into the audit trail, and nobody cuts the trail unseen."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ingest.domain.model.audit import Act
from ingest.plants.in_force import PlantFiles
from ingest.plants.numbering import MemoryNumbering
from ingest.plants.saved_files import SavedFiles
from ingest.runtime import audit_trail as trails
from ingest.runtime.audit_trail import Recorder, keep_head, leave, of_plant_file, settle_trail
from ingest.storage.state.audit import AuditStore
from ingest.storage.state.audit_heads import AuditHead, AuditHeads, Forged
from ingest.storage.state.config import StateConfig
from ingest.storage.state.database import Database
from ingest.storage.state.errors import StateInDoubt, StateUnavailable
from ingest.storage.state.unreadable import Rows
from tests import migrated
from tests.ingest.storage.state.dying import dying_at_commit, until_available
from tests.small_plant import TEXT


def act(number: int) -> Act:
    return Act(number, "张三", "operator", "signed-in", "access", "/signin", "", {"client": "192.0.2.7"})


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = migrated.opened(tmp_path / "state.db")
    yield opened
    opened.close()


@pytest.fixture
def heads(tmp_path: Path) -> AuditHeads:
    return AuditHeads(tmp_path / "audit")


@pytest.fixture
def trail(database: Database, heads: AuditHeads) -> AuditStore:
    return AuditStore(database.rows, heads.all)


@pytest.fixture
def recorder(database: Database, tmp_path: Path) -> Recorder:
    return Recorder(database, tmp_path / "spool")


def go_around(database: Database, statement: str) -> None:
    """As somebody with the file in hand, whom the triggers do not stop."""
    with database.write() as connection:
        for verb in ("update", "delete"):
            connection.execute(sa.text(f"DROP TRIGGER IF EXISTS audit_no_{verb}"))
        connection.execute(sa.text(statement))


@pytest.mark.parametrize(
    ("statement", "missing", "rows"), [("DELETE FROM audit WHERE seq > 3", (5,), 3), ("DELETE FROM audit", (5,), 0)]
)
def test_a_tail_that_was_cut_and_a_table_that_was_emptied_are_missed_for_good(
    database: Database,
    heads: AuditHeads,
    trail: AuditStore,
    recorder: Recorder,
    statement: str,
    missing: tuple[int, ...],
    rows: int,
) -> None:
    for number in range(5):
        recorder.note(act(number))
    settle_trail(recorder, trail, heads)
    assert trail.verify().whole
    go_around(database, statement)
    for _ in range(2):
        verdict = trail.verify()
        assert (verdict.rows, verdict.broken, verdict.missing) == (rows, None, missing)
        for number in range(9):  # the service goes on, beyond the number that is gone
            recorder.note(act(100 + number))
        settle_trail(recorder, trail, heads)
        rows += 9
    assert trail.verify().missing == missing


def test_a_head_that_was_written_by_somebody_else_is_not_believed(
    tmp_path: Path, heads: AuditHeads, trail: AuditStore, recorder: Recorder
) -> None:
    recorder.note(act(1))
    settle_trail(recorder, trail, heads)
    file = tmp_path / "audit/newest.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "seq": 0}))
    with pytest.raises(Forged, match="not signed"):
        trail.verify()
    keep_head(trail, heads)
    with pytest.raises(Forged):
        trail.verify()
    (tmp_path / "audit/key").unlink()
    with pytest.raises(Forged, match="key"):
        trail.verify()


def test_a_head_that_was_taken_away_is_missed_and_no_other_takes_its_place(
    database: Database, heads: AuditHeads, trail: AuditStore, recorder: Recorder, tmp_path: Path
) -> None:
    """Whoever empties the trail may take its head away, too."""
    recorder.note(act(1))
    settle_trail(recorder, trail, heads)
    go_around(database, "DELETE FROM audit")
    (tmp_path / "audit" / "newest.json").unlink()
    for number in (2, 3):  # also after more was written
        with pytest.raises(Forged, match="is gone, though the key beside it is there"):
            trail.verify(lambda _: None)
        recorder.note(act(number))
        settle_trail(recorder, trail, heads)
    assert not (tmp_path / "audit" / "newest.json").exists()


def test_each_check_of_the_trail_is_one_query_whether_anybody_acts_or_not(
    database: Database, heads: AuditHeads, recorder: Recorder
) -> None:
    asked: list[str] = []

    def rows(query: sa.Select[Any]) -> Rows:
        asked.append(str(query))
        return database.rows(query)

    trail = AuditStore(rows, heads.all)
    recorder.note(act(1))
    settle_trail(recorder, trail, heads)
    asked.clear()
    settle_trail(recorder, trail, heads)
    assert len(asked) == 1
    for number in (2, 3):
        asked.clear()
        recorder.note(act(number))
        settle_trail(recorder, trail, heads)
        assert len(asked) == 1
        assert heads.newest() == trail.head()


def test_the_head_follows_the_trail_and_is_for_the_services_eyes_alone(
    tmp_path: Path, heads: AuditHeads, trail: AuditStore, recorder: Recorder
) -> None:
    settle_trail(recorder, trail, heads)
    assert heads.newest() is None, "of nothing there is no head"
    for number in range(3):
        recorder.note(act(number))
        settle_trail(recorder, trail, heads)
        newest = trail.acts(limit=1)[0]
        assert heads.newest() == AuditHead(newest.seq, newest.hash)
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "audit").iterdir()} == {0o600}


def test_acts_wait_while_the_state_database_is_away_and_keep_their_order(
    database: Database, trail: AuditStore, recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StateUnavailable("away")

    recorder.note(act(1))
    leave(tmp_path / "spool", act(0))
    with monkeypatch.context() as patched:
        patched.setattr(trails, "append", away)
        for _ in range(2):
            with pytest.raises(StateUnavailable):
                recorder.write()
    recorder.note(act(2))
    recorder.write()
    recorder.write()
    assert [row.act for row in trail.acts(limit=9)][::-1] == [act(0), act(1), act(2)]
    assert trail.verify().whole


def test_acts_whose_commit_was_in_doubt_are_in_the_trail_once(migrated_at_server: StateConfig, tmp_path: Path) -> None:
    """Written after all, or not; of a command, too, also by a process that ended before it took its file away."""
    database, spool = Database(migrated_at_server), tmp_path / "spool"
    recorder, trail = Recorder(database, spool), AuditStore(database.rows)
    for number, kept in enumerate([True, False]):
        recorder.note(act(10 * number))
        leave(spool, act(10 * number + 1))
        with dying_at_commit(database, kept=kept), pytest.raises(StateInDoubt):
            recorder.write()
        recorder.note(act(10 * number + 2))
        until_available(recorder.write)
    leave(spool, act(11))
    Recorder(database, spool).write()
    assert sorted(row.act.time for row in trail.acts(limit=99)) == [0, 1, 2, 10, 11, 12]
    assert trail.verify().whole
    database.close()


def test_an_act_that_a_command_is_just_leaving_is_taken_once_it_is_whole(
    recorder: Recorder, trail: AuditStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service reads every second, also in the midst of a write."""
    sync = os.fsync

    def looked_at(number: int) -> None:
        recorder.write()
        sync(number)

    monkeypatch.setattr(os, "fsync", looked_at)
    leave(tmp_path / "spool", act(1))
    monkeypatch.undo()
    recorder.write()
    assert [row.act for row in trail.acts(limit=9)] == [act(1)]
    assert [*(tmp_path / "spool").iterdir()] == []


def test_a_changed_limit_is_reported_with_its_old_and_new_value(tmp_path: Path) -> None:
    acts: list[Act] = []
    (tmp_path / "plants").mkdir()
    file = tmp_path / "plants/small.toml"
    file.write_text(TEXT, encoding="utf-8")

    def load() -> None:
        files = PlantFiles(
            tmp_path / "plants",
            SavedFiles(tmp_path / "kept"),
            wait_s=0,
            changed=lambda *change: acts.append(of_plant_file(7, *change)),
        )
        files.load(MemoryNumbering(), 1)

    load()
    load()  # a restart on the same file
    file.write_text(TEXT.replace("on = 24", "on = 26"), encoding="utf-8")
    load()
    assert [(act.action, act.subject, act.plant) for act in acts] == [
        ("added", "small.toml", "small"),
        ("changed", "small.toml", "small"),
    ]
    assert acts[1].detail["changes"] == ["points.CO-01.rules.H.on: 24 → 26"]


def test_what_commands_leave_is_written_in_the_order_in_which_they_acted(
    recorder: Recorder, trail: AuditStore, tmp_path: Path
) -> None:
    """Beside it nothing else that lies in the folder is taken for an act, and a folder that is not there holds none."""
    recorder.write()
    for number in (1_000_000_000_000_000_002, 1_000_000_000_000_000_001):
        leave(tmp_path / "spool", act(number))
    (tmp_path / "spool" / ".half.json.new").write_text("[")
    recorder.write()
    assert [row.act.time for row in trail.acts(limit=9)] == [1_000_000_000_000_000_002, 1_000_000_000_000_000_001]
    assert [file.name for file in (tmp_path / "spool").iterdir()] == [".half.json.new"]


def test_a_head_that_somebody_changed_since_it_was_read_is_not_believed(
    tmp_path: Path, heads: AuditHeads, trail: AuditStore, recorder: Recorder
) -> None:
    """Files that are as they were are not read again; one that is not is."""
    recorder.note(act(1))
    settle_trail(recorder, trail, heads)
    newest = heads.newest()
    assert heads.newest() == newest
    file = tmp_path / "audit/newest.json"
    file.write_text(file.read_text().replace('"seq": 1', '"seq": 2'))
    os.utime(file, ns=(0, 0))
    with pytest.raises(Forged):
        heads.newest()
    (tmp_path / "audit/key").unlink()
    with pytest.raises(Forged):
        heads.newest()
