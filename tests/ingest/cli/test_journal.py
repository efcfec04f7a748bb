"""`yujing journal`, beside a service that holds the file open."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest

from ingest.domain.model.batch import empty_batch
from ingest.storage.history.writer import READER
from ingest.storage.journal.commit import Commit, Progress
from ingest.storage.journal.journal import Journal
from ingest.storage.journal.records import Quarantined
from ingest.storage.journal.sequence_state import Gap, SequenceState
from ingest.storage.state.engine_store import EngineStore
from tests import migrated
from tests.ingest.cli.conftest import Run
from tests.ingest.storage.journal.entries import batch, damage, flip


def judged(file: Path, cursor: int) -> None:
    """Let the engine's state say that it has seen, and saved what it learnt, up to there."""
    database = migrated.opened(file.parent / "state.db")
    EngineStore(database).commit(cursor, [], [], b"snapshot")
    database.close()


def test_a_sound_journal_is_reported_as_sound(run: Run, journal: Journal) -> None:
    result = run("journal", "verify")
    assert result.exit_code == 0, result.output
    assert "sound: 6" in result.stdout


def test_damage_is_named_with_entries_and_times(run: Run, journal: Journal, file: Path) -> None:
    for entry in (2, 3, 5):
        flip(file, entry)
    result = run("journal", "verify")
    assert result.exit_code == 1
    lines = [line for line in result.stderr.splitlines() if line.startswith("损坏")]
    assert [line.split(",")[0] for line in lines] == [
        "损坏 damage: entries are damaged 2-3",
        "损坏 damage: entries are damaged 5",
    ]
    assert all("received 1970-01-01" in line for line in lines)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("DELETE FROM entry WHERE id IN (3, 4)", "entries are missing 3-4"),
        ("INSERT INTO cursor VALUES ('history', 9)", "cursor of history at entry 9, ahead of the newest, 6"),
        (
            """INSERT INTO position (plant, gateway, boot, committed, missing, received, frames, duplicates)
            VALUES ('p', 'g', 'b', 4, '[[4, 9, 0]]', 1, 1, 0)""",
            "position of p/g boot b: gaps [(4, 9)] do not lie below 4",
        ),
    ],
)
def test_what_does_not_fit_together_is_damage(
    run: Run, journal: Journal, file: Path, change: str, message: str
) -> None:
    damage(file, change)
    result = run("journal", "verify")
    assert result.exit_code == 1
    assert message in result.stderr


def test_a_state_ahead_of_the_journal_is_damage(run: Run, journal: Journal, file: Path) -> None:
    judged(file, 7)
    result = run("journal", "verify")
    assert result.exit_code == 1
    assert "cursor of engine at entry 7, ahead of the newest, 6" in result.stderr


def test_a_journal_that_was_trimmed_is_sound(run: Run, journal: Journal) -> None:
    assert journal.trim(3, 1 << 62) == 3
    assert run("journal", "verify").exit_code == 0


def test_the_figures_are_those_of_the_journal(run: Run, journal: Journal, file: Path) -> None:
    at = SequenceState(9, (Gap(3, 4),), (Gap(6, 6),))
    journal.append(Commit(empty_batch(), 0, {("p", "g", "b"): Progress(at, 5, 6, 2)}))
    journal.save_cursor(READER, 4)
    journal.quarantine([Quarantined(0, 1, "t", "schema", "", 0, b"x")])
    judged(file, 5)
    figures = json.loads(run("journal", "stats", "--json").stdout)
    assert (figures["entries"], figures["readings"], figures["last"]) == (6, 60, 6)
    assert figures["readers"]["history"] == {"cursor": 4, "behind": 2}
    assert figures["readers"]["engine"] == {"cursor": 5, "behind": 1}
    assert figures["gateways"] == [
        {"plant": "p", "gateway": "g", "boots": 1, "frames": 6, "duplicates": 2, "missing": 2, "lost": 1}
    ]
    assert figures["quarantined"] == {"schema": 1}
    shown = run("journal", "stats")
    assert shown.exit_code == 0, shown.output
    assert "p/g" in shown.stdout


def test_trimming_never_takes_what_a_reader_or_a_restart_needs(run: Run, journal: Journal, file: Path) -> None:
    assert "deleted: 0 / 6" in run("journal", "trim", "--older-than", "1h").stdout, "nobody has read anything"
    journal.save_cursor(READER, 5)
    judged(file, 3)
    result = run("journal", "trim", "--older-than", "1h")
    assert result.exit_code == 0, result.output
    assert "deleted: 3 / 6" in result.stdout
    assert "3 条 entries after 3" in result.stdout
    assert [entry.id for entry in journal.read(0, 1000)] == [4, 5, 6]
    assert journal.append(Commit(batch(1), 1)) == 7, "the service goes on writing"


def test_trimming_gives_the_disk_back_what_it_says(run: Run, journal: Journal, file: Path) -> None:
    for number in range(40):
        journal.append(Commit(batch(20_000, 10_000 + number * 31), 20_000))
    journal.save_cursor(READER, 46)
    judged(file, 46)
    before = sum(path.stat().st_size for path in file.parent.glob("journal.db*"))
    result = run("journal", "trim", "--before", "2026-01-01")
    assert "deleted: 46 / 46" in result.stdout, result.output
    after = sum(path.stat().st_size for path in file.parent.glob("journal.db*"))
    assert after < before / 2


def test_trim_wants_to_know_how_far(run: Run, journal: Journal) -> None:
    for arguments in (
        (),
        ("--before", "2026-01-01", "--older-than", "1d"),
        ("--before", "soon"),
        ("--older-than", "x"),
    ):
        assert run("journal", "trim", *arguments).exit_code == 2


def named(journal: Journal) -> None:
    """Two points of p and one of q, from the epoch on."""
    for point in range(3):
        journal.append(Commit(batch(4, 10**18, point), 4))


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_readings_are_exported_under_their_names(run: Run, journal: Journal, tmp_path: Path, kind: str) -> None:
    named(journal)
    target = tmp_path / f"out.{kind}"
    arguments = ("--plant", "p", "--point", "B", "--from", "2001-09-09T01:46:40Z")
    result = run("journal", "export", str(target), *arguments)
    assert result.exit_code == 0, result.output
    text = target.read_text(encoding="utf-8")
    rows = [*csv.DictReader(text.splitlines())] if kind == "csv" else [json.loads(line) for line in text.splitlines()]
    assert [(row["plant"], row["point"], row["time"]) for row in rows] == [
        ("p", "B", f"2001-09-09T01:46:40.00000000{at}Z") for at in range(4)
    ]
    assert float(rows[0]["value"]) == 1e18


def test_an_export_that_breaks_off_leaves_nothing_and_keeps_what_was_there(
    run: Run, journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out.csv"
    target.write_text("of yesterday")

    def breaks(_file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", breaks)
    result = run("journal", "export", str(target))
    assert result.exit_code == 1
    assert "No space left" in result.stderr
    assert target.read_text() == "of yesterday"
    assert not [*tmp_path.glob(".out*")]


def test_an_export_says_what_it_could_not_read(run: Run, journal: Journal, file: Path, tmp_path: Path) -> None:
    flip(file, 4)
    result = run("journal", "export", str(tmp_path / "out.ndjson"))
    assert result.exit_code == 1
    assert "entries 4" in result.stderr
    assert len((tmp_path / "out.ndjson").read_text().splitlines()) == 50


def test_names_that_are_not_there_are_refused(run: Run, journal: Journal, tmp_path: Path) -> None:
    result = run("journal", "export", str(tmp_path / "out.csv"), "--point", "Z")
    assert result.exit_code == 2
    assert "Z" in result.stderr
    assert run("journal", "export", str(tmp_path / "out.xlsx")).exit_code == 2


def test_without_a_journal_nothing_is_created(run: Run, file: Path) -> None:
    for command in ("verify", "stats"):
        result = run("journal", command)
        assert result.exit_code == 1
        assert "no such file" in result.stderr
    assert run("journal", "trim", "--older-than", "1h").exit_code == 1
    assert not file.exists()
