"""A state database whose file fails ends the engine, and the next start goes on from what is on disk."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from ingest.storage.state.errors import StateBroken
from tests.ingest.engine.bench import PATIENCE_S, Bench


def _fail(*_: object) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorname = "SQLITE_IOERR_FSYNC"
    raise error


def test_a_failed_sync_ends_the_engine_and_the_next_start_judges_the_same_readings(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.engine.start()
    bench.send("CO-01", [5])
    bench.settle()
    sa.event.listen(bench.database._writer, "do_execute", _fail)
    bench.send("CO-01", [30], start_s=1)
    deadline = time.monotonic() + PATIENCE_S
    while not bench.failures:
        assert time.monotonic() < deadline, "the engine goes on"
        time.sleep(0.005)
    (error,) = bench.failures
    assert isinstance(error, StateBroken)
    assert "SQLITE_IOERR_FSYNC" in str(error)
    bench.failures.clear()
    bench.database.close()
    again = Bench(tmp_path)
    assert again.found() == []
    again.engine.start()
    again.settle()
    assert [alarm.rule for alarm in again.found()] == ["H"]
    assert again.engine.stop(PATIENCE_S)


def test_an_engine_with_nothing_to_write_ends_too_once_somebody_else_found_the_file_broken(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.engine.start()
    bench.database.broken = StateBroken("found by the outbox")
    deadline = time.monotonic() + PATIENCE_S
    while not bench.failures:
        assert time.monotonic() < deadline, "the engine goes on"
        time.sleep(0.005)
    assert bench.failures == [bench.database.broken]


def test_an_alarm_whose_record_was_lost_is_raised_anew_while_its_value_stands(tmp_path: Path) -> None:
    """As after a repair that left a row out: also the second time, and nobody else's alarm is touched."""
    bench = Bench(tmp_path)
    bench.engine.start()
    bench.send("CO-01", [170])
    for again in range(2):
        bench.settle()
        (kept,) = [alarm.id for alarm in bench.found() if alarm.rule == "H"]
        assert bench.engine.stop(PATIENCE_S)
        bench.database.close()
        with closing(sqlite3.connect(tmp_path / "state.db")) as state, state:
            assert state.execute("DELETE FROM alarm WHERE rule = 'HH'").rowcount == 1
        bench = Bench(tmp_path)
        bench.engine.start()
        bench.settle()
        bench.send("CO-01", [171], start_s=60 * (again + 1))
        bench.settle()
        assert sorted(alarm.rule for alarm in bench.found()) == ["H", "HH"]
        assert [alarm.id for alarm in bench.found() if alarm.rule == "H"] == [kept]
    assert bench.engine.stop(PATIENCE_S)
