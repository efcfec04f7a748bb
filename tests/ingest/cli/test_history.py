"""`yujing history`: a file that is sound is called so, one that is not is not, and nothing is lost on the way."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from ingest.cli.main import app
from ingest.storage.history.bucket_edges import floor_to
from ingest.storage.history.config import DuckDBConfig
from ingest.storage.history.duck import DuckDBStore
from ingest.storage.history.rollups import Resolution
from tests.ingest.storage.history.made_up import NOON, PLANT, alarm_event, batch, configuration, trend_of

Run = Callable[..., Result]

MINUTE = int(Resolution.MINUTE)
DAY = 24 * 60 * MINUTE


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two days of readings, rolled up in part, with what came late, a day that was dropped, and an alarm."""
    file = tmp_path_factory.mktemp("written") / "history.duckdb"
    store = opened(file)
    for number in range(3):
        times = (NOON + number * DAY + np.arange(120) * MINUTE).tolist()
        store.write_readings(batch([0, 1] * 60, times, [float(number), np.nan] * 60), configuration(), 1 + number)
    while store._upkeep._roll(NOON + 2 * DAY + 60 * MINUTE):
        pass
    store._upkeep._drop_readings(NOON // DAY * DAY + DAY, "age")
    store.write_readings(batch([1], [NOON + DAY + 7], [-1.0]), configuration(), 4)
    store.write_alarm_events([alarm_event(1)])
    store.close()
    return file


@pytest.fixture
def path(tmp_path: Path, written: Path) -> Path:
    """A copy of that."""
    shutil.copytree(written.parent, tmp_path / "data")
    return tmp_path / "data" / written.name


@pytest.fixture
def run(tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A command on settings with that file."""
    (tmp_path / "yujing.toml").write_text(f"[history]\nkind = 'duckdb'\npath = '{path}'\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(app, ["history", *words, "--config", "yujing.toml"])


def opened(path: Path) -> DuckDBStore:
    store = DuckDBStore(DuckDBConfig(path=path))
    store._upkeep._due = float("inf")  # nothing but what a test asks for
    return store


def contents(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with duckdb.connect(str(path), read_only=True) as file:
        names = [name for (name,) in file.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        return {name: sorted(file.execute(f"FROM {name}").fetchall(), key=str) for name in names}


def test_a_sound_file_is_called_sound(run: Run, path: Path) -> None:
    before = contents(path)
    done = run("verify")
    assert done.exit_code == 0, done.output
    assert "完好 sound" in done.output
    assert contents(path) == before


def test_what_is_counted_are_readings_rollups_and_events_and_no_bookkeeping(run: Run, path: Path) -> None:
    """The figures are those of the file's tables, also once it is written anew, without what was deleted."""
    kept = {name: len(rows) for name, rows in contents(path).items()}
    expected = (
        f"readings {kept['readings']}, 分钟、小时及日汇总 rollups by minute, hour and day"
        f" {kept['minutes'] + kept['hours'] + kept['days']},"
        " 事件及报警指标 events and alarm metrics 1\n"
    )
    assert run("verify").output.endswith(expected)
    assert run("compact").exit_code == 0
    assert run("verify").output.endswith(expected)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE minutes SET high = high + 1 WHERE time > 1763990000000000000 AND valued > 0",
        "DELETE FROM minutes WHERE time > 1763990000000000000",
        "UPDATE hours SET count = count + 1",
        "UPDATE days SET low = low - 1 WHERE valued > 0",
        "DELETE FROM readings WHERE time < 1763972000000000000",
    ],
)
def test_rollups_that_contradict_their_readings_are_reported(run: Run, path: Path, change: str) -> None:
    with duckdb.connect(str(path)) as file:
        file.execute(change)
    done = run("verify")
    assert done.exit_code == 1
    assert "rollups that differ" in done.output


def test_a_block_that_differs_from_what_was_written_is_reported(run: Run, path: Path) -> None:
    """Whatever was hit: rows, or what leads to them."""
    damaged = bytearray(path.read_bytes())
    for place in range(3 * 4096 + 300, len(damaged), 4096):
        damaged[place] ^= 0xFF
    path.write_bytes(damaged)
    done = run("verify")
    assert done.exit_code == 1
    assert "history.duckdb" in done.output
    assert "完好" not in done.output


def test_a_compacted_file_holds_the_same_and_goes_on(run: Run, path: Path) -> None:
    before = contents(path)
    done = run("compact")
    assert done.exit_code == 0, done.output
    assert contents(path) == before
    assert [file.name for file in path.parent.iterdir()] == ["history.duckdb"]
    assert run("verify").exit_code == 0
    store = opened(path)
    store.write_readings(batch([1], [NOON + DAY + 7], [-1.0]), configuration(), 4)
    trend = trend_of(store, PLANT, "CW-02", floor_to(NOON, DAY), floor_to(NOON, DAY) + 3 * DAY, 3)
    store.close()
    assert trend.count.tolist() == [60, 61, 60]


def test_compacting_that_fails_leaves_the_file_as_it_was(run: Run, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(path)
    with monkeypatch.context() as broken:
        broken.setattr("ingest.storage.history.duck_offline._copy", _full)
        assert run("compact").exit_code == 1
    assert [file.name for file in path.parent.iterdir()] == ["history.duckdb"]
    assert contents(path) == before


def _full(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_readings_are_written_a_file_for_each_day_of_plant_time(run: Run, path: Path, tmp_path: Path) -> None:
    """With names and times in clear; the span has the ends that were given."""
    done = run("export", "out")
    assert done.exit_code == 0, done.output
    assert "241 行 rows" in done.output
    files = sorted(file.name for file in (tmp_path / "out").iterdir())
    assert files == ["readings-2025-11-24.parquet", "readings-2025-11-25.parquet"]
    assert [str(row) for row in parquet(tmp_path / "out" / files[1])[0]] == [
        "2025-11-25 08:00:00",
        PLANT,
        "CW-01",
        "ALC_CW_IN_P",
        "2.0",
        "0",
    ]
    part = run("export", "part", "--from", "2025-11-24T16:10", "--to", "2025-11-24T16:12", "--point", "CW-02")
    assert "1 行 rows" in part.output
    hours = run("export", "hours", "--what", "hours", "--plant", PLANT)
    assert hours.exit_code == 0, hours.output
    written = [row for file in (tmp_path / "hours").iterdir() for row in parquet(file)]
    assert len(written) == len(contents(path)["hours"])


def parquet(file: Path) -> list[tuple[object, ...]]:
    with duckdb.connect() as db:
        return db.execute("FROM read_parquet(?) ORDER BY time", [str(file)]).fetchall()


@pytest.mark.parametrize(
    "words", [("history", "export", "out.csv"), ("journal", "export", "out.csv"), ("audit", "list")]
)
@pytest.mark.usefixtures("run")
def test_a_span_that_ends_before_it_begins_is_a_fault(words: tuple[str, ...], tmp_path: Path) -> None:
    """Both ends are named, in both languages, and nothing is written."""
    since, until = ("--since", "--until") if words[0] == "audit" else ("--from", "--to")
    for end in ("2026-11-20", "2026-11-29"):
        done = CliRunner().invoke(app, [*words, since, "2026-11-29", until, end, "--config", "yujing.toml"])
        assert done.exit_code == 2
        assert f"{since} 2026-11-29, {until} {end}: 起始应早于结束 expected {since} before {until}" in done.output
    assert not (tmp_path / "out.csv").exists()


def test_files_of_an_earlier_export_are_reported_and_stay(run: Run, tmp_path: Path) -> None:
    """A day that is there already is found out before anything is written."""
    assert "beside earlier" not in run("export", "out", "--from", "2025-11-25").output
    before = {file: file.read_bytes() for file in (tmp_path / "out").iterdir()}
    assert before
    done = run("export", "out")
    assert (done.exit_code, "is there already" in done.output) == (1, True)
    assert {file: file.read_bytes() for file in (tmp_path / "out").iterdir()} == before
    other = run("export", "out", "--to", "2025-11-25")
    assert other.exit_code == 0
    assert f"另有先前的文件 beside earlier files, left as they were: {len(before)}" in other.output


def test_an_impossible_command_is_refused_with_what_to_do_instead(run: Run, path: Path, tmp_path: Path) -> None:
    assert "not in the history: nobody" in run("export", "out", "--point", "nobody").output
    assert run("export", "out", "--what", "weeks").exit_code == 2
    run("export", "twice")
    again = run("export", "twice")
    assert again.exit_code == 1
    assert "is there already; give a new folder" in again.output
    (tmp_path / "influx.toml").write_text("[history]\nkind='influxdb1'\nurl='http://127.0.0.1:1'\n", encoding="utf-8")
    other = CliRunner().invoke(app, ["history", "verify", "--config", "influx.toml"])
    assert (other.exit_code, "these commands are for duckdb" in other.output) == (2, True)
    command = [
        sys.executable,
        "-c",
        "import duckdb, sys; f = duckdb.connect(sys.argv[1]); print(1, flush=True); input()",
    ]
    with subprocess.Popen([*command, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        service.stdout.readline()
        for words in (["verify"], ["compact"], ["export", "busy"]):
            done = run(*words)
            assert done.exit_code == 1
            assert "a service has it open; stop that first, or take a copy: yujing backup TO --history" in done.output
        service.communicate("\n")
    copy = tmp_path / "copy.duckdb"
    path.rename(copy)
    assert run("verify").exit_code == 1
    assert run("verify", "--file", "copy.duckdb").exit_code == 0
