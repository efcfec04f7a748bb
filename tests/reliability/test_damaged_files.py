"""Damage is reported by name and bypassed, or ends the start in one sentence; each case has a way back."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import apsw
import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from ingest.cli.main import app
from ingest.domain.alarms.suppressions import Suppressions
from ingest.domain.model.batch import empty_batch
from ingest.domain.quality.clock import keep_time
from ingest.storage.journal.commit import Commit, Progress
from ingest.storage.journal.errors import JournalUnavailable
from ingest.storage.journal.journal import Journal
from ingest.storage.journal.sequence_state import Gap, SequenceState
from ingest.storage.state.alarm_store import AlarmStore
from ingest.storage.state.database import Database
from ingest.storage.state.engine_store import EngineStore
from ingest.storage.state.errors import StateBroken, StateUnavailable
from ingest.storage.state.salvage import salvage
from tests.ingest.engine.bench import PATIENCE_S, Bench

ALARMS = 40


@pytest.fixture
def filled(tmp_path: Path) -> Bench:
    """Alarms raised and returned by a real engine, a snapshot, and everything closed."""
    bench = Bench(tmp_path)
    bench.engine.start()
    for number in range(ALARMS):
        bench.send("CO-01", [30, 5], start_s=number * 700)
    bench.settle()
    assert bench.engine.stop(PATIENCE_S)
    bench.database.close()
    return bench


def sql(path: Path, statement: str, *values: object) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement, values)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def events(logs: Sequence[Mapping[str, object]], name: str) -> list[Mapping[str, object]]:
    return [line for line in logs if line["event"] == name]


def verified(folder: Path) -> tuple[int, str]:
    (folder / "yujing.toml").write_text('[journal]\npath = "journal.db"\n[state]\npath = "state.db"\n')
    result = CliRunner().invoke(app, ["verify", "--config", str(folder / "yujing.toml")])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


@pytest.mark.parametrize("rubbish", [b"rubbish", b"", b"\x28\xb5\x2f\xfd" + b"x" * 50, "cut", "bit"])
def test_a_snapshot_that_cannot_be_read_is_made_anew_from_the_journal(
    filled: Bench, tmp_path: Path, rubbish: bytes | str
) -> None:
    before = EngineStore(Database(tmp_path / "state.db"))
    state = before.load()
    before._db.close()
    assert state.snapshot is not None
    if rubbish == "cut":
        rubbish = state.snapshot[: len(state.snapshot) // 2]
    elif rubbish == "bit":
        flipped = bytearray(state.snapshot)
        flipped[len(flipped) // 2] ^= 4
        rubbish = bytes(flipped)
    sql(tmp_path / "state.db", "UPDATE engine_state SET snapshot = ?", rubbish)
    code, output = verified(tmp_path)
    assert (code, "snapshot" in output) == (1, True), output
    with capture_logs() as logs:
        again = Bench(tmp_path)
        again.engine.begin()
    assert len(events(logs, "snapshot_lost")) == 1
    sound = again.build(again.engine.configuration)  # knows what an engine knows that never lost it
    again.store.commit(state.cursor, [], [], state.snapshot)
    sound.begin()
    for name in ("newest", "time", "value", "flags"):
        left, right = getattr(again.engine.engine_state, name), getattr(sound.engine_state, name)
        assert left.tobytes() == right.tobytes()
    assert isinstance(again.engine.engine_state.suppressions, Suppressions)


@pytest.mark.parametrize(("column", "value"), [("state", "nobody knows"), ("id", "no-uuid"), ("raised", "yesterday")])
def test_an_unreadable_row_is_reported_by_table_and_key_and_the_rest_is_served(
    filled: Bench, tmp_path: Path, column: str, value: object
) -> None:
    path = tmp_path / "state.db"
    statement = f"UPDATE alarm SET {column} = ? WHERE rowid = (SELECT max(rowid) FROM alarm)"  # noqa: S608
    sql(path, statement, value)
    with capture_logs() as logs:
        bench = Bench(tmp_path)
        bench.engine.begin()
        known = len(bench.found())
    assert known >= len(filled_alarms(path)) - 1
    if column in {"state", "id"}:
        assert events(logs, "row_unreadable")[0]["table"] == "alarm"
        assert "alarm" in str(bench.database.trouble)
        bench.database.close()
        assert verified(tmp_path)[0] == 1


def test_a_byte_that_is_no_text_costs_a_letter_and_no_alarm(filled: Bench, tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    known = len(filled_alarms(path))
    sql(path, "UPDATE alarm SET title_zh = CAST(? AS TEXT), comment = CAST(? AS TEXT)", b"CO \xff high", b"\xfe")
    bench = Bench(tmp_path)
    bench.engine.begin()
    assert len(bench.found()) == known
    assert {alarm.title.zh for alarm in bench.found()} == {"CO \ufffd high"}
    bench.database.close()


def filled_alarms(path: Path) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute("SELECT id FROM alarm").fetchall()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("column", "rubbish"),
    [("missing", "{"), ("missing", '[["a", 2]]'), ("lost", "[[1]]"), ("clock", "[1]"), ("clock", "nothing")],
)
def test_a_position_that_cannot_be_read_ends_nothing(tmp_path: Path, column: str, rubbish: str) -> None:
    path = tmp_path / "journal.db"
    journal = Journal(path)
    clock = keep_time(None, 10**18, 10**18, 10**18, 60 * 10**9)
    for gateway in ("a", "b"):
        progress = Progress(SequenceState(9, (Gap(3, 4),), (Gap(1, 1),)), 7, 6, 0, clock)
        journal.append(Commit(empty_batch(), 0, {("p", gateway, "boot"): progress}))
    journal.close()
    connection = apsw.Connection(str(path))
    connection.execute(f"UPDATE position SET {column} = ? WHERE gateway = 'a'", (rubbish,))  # noqa: S608
    connection.close()
    with capture_logs() as logs:
        journal = Journal(path)
        positions, boots = journal.sequence_states(), journal.boots()
        assert [sequence.gateway for sequence in journal.gateways()] == ["a", "b"]
        journal.sequence_states()
    assert positions["p", "b", "boot"] == SequenceState(9, (Gap(3, 4),), (Gap(1, 1),)), "its neighbour is as it was"
    assert positions["p", "a", "boot"].committed == 9
    assert boots["p", "b"] == ("boot", clock)
    (damaged,) = events(logs, "position_damaged")
    assert (damaged["gateway"], damaged["column"]) == ("a", column)
    assert journal.damaged() == 1


def test_files_of_a_newer_version_are_refused_in_one_sentence(tmp_path: Path) -> None:
    Database(tmp_path / "state.db").close()
    sql(tmp_path / "state.db", "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StateUnavailable, match=r"version 9999; this yujing reads up to 0\d\d\d"):
        Database(tmp_path / "state.db")
    Journal(tmp_path / "journal.db").close()
    connection = apsw.Connection(str(tmp_path / "journal.db"))
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(JournalUnavailable, match="version 99"):
        Journal(tmp_path / "journal.db")


def test_any_damaged_page_is_found_by_verify_and_never_ends_in_another_error(filled: Bench, tmp_path: Path) -> None:
    """Three random pages of the state database, again and again: one sentence, and what can be read comes back."""
    whole = tmp_path / "whole.db"
    sql(tmp_path / "state.db", "PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(tmp_path / "state.db", whole)
    pages, generator = whole.stat().st_size // 4096, random.Random(11)  # noqa: S311
    repaired = lost = 0
    for round_ in range(24):
        folder = tmp_path / f"round-{round_}"
        folder.mkdir()
        damaged, new = folder / "state.db", folder / "new.db"
        content = bytearray(whole.read_bytes())
        for _ in range(3):
            page = generator.randrange(1, pages)
            content[page * 4096 : page * 4096 + 4096] = generator.randbytes(4096)
        damaged.write_bytes(content)
        error = failure(damaged)
        assert error is None or str(damaged) in error
        try:
            found = salvage(damaged, new)
        except StateUnavailable:
            lost += 1  # not even the names of its tables are left
            continue
        database = Database(new)
        AlarmStore(database).last_event()
        database.close()
        assert sum(done.rows for done in found.values()) > 0
        repaired += not any(done.lost for done in found.values())
    assert lost <= 8
    assert repaired, "damage to indexes and free pages alone costs no row"


def failure(path: Path) -> str | None:
    """Open it and read all that a start reads: None if that works, else the error in our words."""
    try:
        database = Database(path)
    except (StateBroken, StateUnavailable) as error:
        return str(error)
    store = EngineStore(database)
    reads: tuple[Callable[[], object], ...] = (
        store.load, store.open_alarms, lambda: store.returned_alarms(100), store.open_suppressions, store.live_warnings,
    )  # fmt: skip
    try:
        for read in reads:
            read()
    except (StateBroken, StateUnavailable) as error:
        return str(error)
    finally:
        database.close()
    return None


def test_repair_keeps_the_damaged_file_under_another_name_and_the_service_goes_on(
    filled: Bench, tmp_path: Path
) -> None:
    path = tmp_path / "state.db"
    before = filled_alarms(path)
    connection = sqlite3.connect(path)
    ((root,),) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'alarm_by_plant'").fetchall()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    with path.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xff" * 4096)
    code, output = verified(tmp_path)
    assert code == 1
    assert "yujing state repair" in output
    result = CliRunner().invoke(app, ["state", "repair", "--config", str(tmp_path / "yujing.toml")])
    assert result.exit_code == 0, result.output
    assert verified(tmp_path)[0] == 0
    assert filled_alarms(path) == before
    assert len([*tmp_path.glob("state.db.damaged-*")]) >= 1
    again = Bench(tmp_path)
    again.engine.begin()
    assert len(again.found()) == len(before)


def repaired(folder: Path) -> tuple[int, str]:
    (folder / "yujing.toml").write_text('[journal]\npath = "journal.db"\n[state]\npath = "state.db"\n')
    result = CliRunner().invoke(app, ["state", "repair", "--config", str(folder / "yujing.toml")])
    return result.exit_code, result.output


def test_losses_of_a_repair_are_reported_with_an_exit_code_of_their_own(filled: Bench, tmp_path: Path) -> None:
    """Who may read the file may do so afterwards, and what was made on the way is gone."""
    path = tmp_path / "state.db"
    path.chmod(0o640)
    before = len(filled_alarms(path))
    sql(path, "UPDATE alarm SET state = 'nobody knows' WHERE rowid = 1")
    sql(path, "UPDATE alarm SET title_zh = CAST(? AS TEXT) WHERE rowid = 2", b"CO \xff high")
    code, output = repaired(tmp_path)
    assert (code, "✗ alarm: 行 rows 1 无法读出" in output, "raised anew" in output) == (3, True, True), output
    assert len(filled_alarms(path)) == before - 1, "a byte that is no text costs its letter, not its row"
    assert verified(tmp_path)[0] == 0
    assert path.stat().st_mode & 0o777 == 0o640
    assert not [*tmp_path.glob("*.repaired*")]
    code, output = repaired(tmp_path)
    assert (code, "✗" in output) == (0, False), output


def test_a_sound_state_database_is_reported_as_sound_and_left_unchanged(filled: Bench, tmp_path: Path) -> None:
    """Also the second time, and again once a damaged one was repaired."""
    path = tmp_path / "state.db"
    for _ in range(2):
        before = path.stat().st_ino, path.read_bytes()
        code, output = repaired(tmp_path)
        assert (code, "nothing was changed" in output, "repaired" in output) == (0, True, False), output
        assert (path.stat().st_ino, path.read_bytes()) == before
    assert not [*tmp_path.glob("*.damaged-*")]
    sql(path, "UPDATE alarm SET state = 'nobody knows' WHERE rowid = 1")
    assert repaired(tmp_path)[0] == 3
    assert "nothing was changed" in repaired(tmp_path)[1]
    assert len([*tmp_path.glob("*.damaged-*")]) == 1


def test_a_state_database_with_nothing_in_it_is_not_repaired(filled: Bench, tmp_path: Path) -> None:
    for left in ("", "-wal", "-shm"):
        (tmp_path / f"state.db{left}").unlink(missing_ok=True)
    (tmp_path / "state.db").touch()
    code, output = repaired(tmp_path)
    assert (code, "there is nothing in it; restore a backup" in output) == (1, True), output
    assert (tmp_path / "state.db").stat().st_size == 0
