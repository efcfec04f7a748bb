"""The DuckDB file keeps its data over crashes, replaced journals and restarts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest

from ingest.domain.model.plant import PhaseName
from ingest.domain.model.text import Text
from ingest.storage.history.config import DuckDBConfig
from ingest.storage.history.duck import DuckDBStore
from ingest.storage.history.errors import HistoryUnavailable
from tests.ingest.storage.history.made_up import (
    NOON,
    PLANT,
    SECOND,
    alarm_event,
    batch,
    configuration,
    point,
    steady,
    trend_of,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.duckdb"


@pytest.fixture
def store(path: Path) -> Iterator[DuckDBStore]:
    store = DuckDBStore(DuckDBConfig(path=path))
    yield store
    store.close()


def test_readings_outlive_the_process(path: Path) -> None:
    """Reopened, it goes on: same series, and a repeated write is still known as one."""
    first = DuckDBStore(DuckDBConfig(path=path))
    first.write_readings(steady(300), configuration(), 1)
    first.close()
    again = DuckDBStore(DuckDBConfig(path=path))
    again.write_readings(steady(300), configuration(), 1)
    again.write_readings(steady(30, start=NOON + 300 * SECOND), configuration(), 2)
    assert again.count_readings() == 330
    assert trend_of(again, PLANT, "CW-01", NOON, NOON + 330 * SECOND, 1).count.tolist() == [110]
    again.close()


def test_a_cursor_that_fell_back_several_writes_doubles_nothing(store: DuckDBStore) -> None:
    """A power cut may take back the last saves of the cursor; the writes since then come again."""
    batches = [steady(10, start=NOON + n * 10 * SECOND) for n in range(5)]
    for n, written in enumerate(batches):
        store.write_readings(written, configuration(), 1 + n)
    for n in (2, 3, 4):
        store.write_readings(batches[n], configuration(), 1 + n)
    assert store.count_readings() == 50


def test_a_new_journal_never_wipes_out_the_history(store: DuckDBStore) -> None:
    """After a replaced disk the journal counts from 1 again; the old readings stay, and repeats are still known."""
    for n in range(5):
        store.write_readings(steady(10, start=NOON + n * 10 * SECOND), configuration(), 1 + n)
    anew = steady(10, start=NOON + 1_000 * SECOND)
    store.write_readings(anew, configuration(), 1)
    store.write_readings(anew, configuration(), 1)
    store.write_readings(steady(10, start=NOON + 1_010 * SECOND), configuration(), 2)
    assert store.count_readings() == 70


def test_only_the_last_writes_are_marked(store: DuckDBStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The marks stay few, and dropping old ones never takes readings along."""
    monkeypatch.setattr("ingest.storage.history.duck_marks.KEPT", 3)
    monkeypatch.setattr("ingest.storage.history.duck_marks._FORGET_EVERY", 1)
    for n in range(10):
        store.write_readings(batch([0], [NOON + n], [1.0]), configuration(), 1 + n)
    store.write_readings(batch([0], [NOON + 7], [1.0]), configuration(), 8)
    assert store._file.query("SELECT write FROM marks ORDER BY write", {})["write"].tolist() == [8]
    assert store.count_readings() == 8


def test_two_readings_of_one_instant_are_both_kept(store: DuckDBStore) -> None:
    store.write_readings(batch([0, 0], [NOON, NOON], [1.0, 2.0]), configuration(), 1)
    assert store.count_readings() == 2


def test_a_new_roster_counts_at_once(store: DuckDBStore) -> None:
    """A point that is removed and comes back goes on in its own series; in between, its readings are kept apart."""
    without = configuration(None, point(1, "CW-02"), version=2)
    for n, known in enumerate((configuration(), without, configuration(version=3))):
        store.write_readings(batch([0], [NOON + n], [float(n)]), known, 1 + n)
    assert trend_of(store, PLANT, "CW-01", NOON, NOON + 3, 3).high.tolist() == [0.0, 2.0]
    assert trend_of(store, "removed", "0", NOON, NOON + 3, 3).high.tolist() == [1.0]


def test_a_failed_write_leaves_no_half(store: DuckDBStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deleting and inserting again is one transaction: when the insert fails, the old rows are still there."""
    store.write_readings(steady(100), configuration(), 1)
    store._file._db.execute("ALTER TABLE readings ALTER quality SET DATA TYPE UTINYINT")
    worse = batch([0], [NOON], [1.0], [65_535], received=NOON + 5_000_000)
    with pytest.raises(HistoryUnavailable):
        store.write_readings(worse, configuration(), 1)
    assert store.count_readings() == 100


def test_a_failed_write_of_new_points_is_repeated_like_any_other(store: DuckDBStore) -> None:
    """Points are numbered in the same transaction: one that failed leaves no number that nobody bears."""
    store._file._db.execute("ALTER TABLE readings ALTER quality SET DATA TYPE UTINYINT")
    with pytest.raises(HistoryUnavailable):
        store.write_readings(batch([0, 1], [NOON, NOON], [1.0, 2.0], [0, 65_535]), configuration(), 1)
    store._file._db.execute("ALTER TABLE readings ALTER quality SET DATA TYPE USMALLINT")
    for n, points in enumerate(([1, 9], [0, 1, 9])):
        store.write_readings(
            batch(points, [NOON + n] * len(points), [float(at) for at in points]), configuration(), 1 + n
        )
    names = [(PLANT, "CW-01"), (PLANT, "CW-02"), ("removed", "9")]
    trends = [trend_of(store, *name, NOON, NOON + 2, 2).high.tolist() for name in names]
    assert trends == [[0.0], [1.0, 1.0], [9.0, 9.0]]


def test_memory_and_threads_are_bounded_by_the_settings(path: Path) -> None:
    """Whatever memory the machine has; what does not fit lies beside the file for a while."""
    store = DuckDBStore(DuckDBConfig(path=path, memory_mb=64, threads=2))
    settings = dict(store._file.rows("SELECT name, value FROM duckdb_settings()"))
    store.close()
    assert (settings["memory_limit"], settings["threads"]) == ("64.0 MiB", "2")
    assert settings["temp_directory"] == f"{path}.tmp"


def test_a_file_in_use_elsewhere_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "broken").write_bytes(b"not a database" * 1000)
    with pytest.raises(HistoryUnavailable, match="broken"):
        DuckDBStore(DuckDBConfig(path=tmp_path / "broken"))


def test_a_query_after_close_is_unavailable(path: Path) -> None:
    store = DuckDBStore(DuckDBConfig(path=path))
    store.close()
    with pytest.raises(HistoryUnavailable):
        store.count_readings()


def test_queries_run_while_readings_are_written(store: DuckDBStore) -> None:
    """A query sees whole writes only, from any thread."""
    seen: list[int] = []
    errors: list[BaseException] = []
    done = threading.Event()

    def ask() -> None:
        try:
            while not done.is_set():
                seen.append(store.count_readings())
                trend_of(store, PLANT, "CW-01", NOON, NOON + 10**6 * SECOND, 50)
        except BaseException as error:  # noqa: BLE001  told to the test
            errors.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for n in range(30):
        store.write_readings(steady(1_000, start=NOON + n * 1_000 * SECOND), configuration(), 1 + n)
    done.set()
    for thread in threads:
        thread.join()
    assert errors == []
    assert {count % 1_000 for count in seen} <= {0}
    assert store.count_readings() == 30_000


def test_any_duckdb_tool_reads_the_file(path: Path) -> None:
    """Names and times in clear, without this program."""
    store = DuckDBStore(DuckDBConfig(path=path))
    store.write_readings(batch([0, 1], [NOON, NOON], [0.351, np.nan], [0, 4]), configuration(), 1)
    store.close()
    with duckdb.connect(str(path), read_only=True) as other:
        rows = other.execute("SELECT CAST(time AS VARCHAR), point, value, quality FROM readings_by_name ORDER BY point")
        assert rows.fetchall() == [
            ("2025-11-23 08:00:00", "CW-01", 0.351, 0),
            ("2025-11-23 08:00:00", "CW-02", None, 4),
        ]


def test_what_was_refused_before_stays_when_a_later_write_is_repeated(tmp_path: Path) -> None:
    """Written again out of order it replaces the same readings, and no repetition of a write takes it away."""
    store = DuckDBStore(DuckDBConfig(path=tmp_path / "h.duckdb"))
    again = batch([0, 1], [NOON, NOON], [0.5, 0.6])
    for _ in range(2):
        store.write_readings(steady(10, start=NOON + SECOND), configuration(), 1)
        store.write_readings(again, configuration(), None)
    store.write_readings(again, configuration(), None)
    assert store.count_readings() == 12
    store.write_readings(steady(10, start=NOON + SECOND), configuration(), 1)
    assert store.count_readings() == 12
    store.close()


def test_alarm_events_are_kept_as_they_are_and_once(path: Path) -> None:
    """Whole numbers beside fractions, values that are missing, and new events beside repeated ones."""
    limits, values = [24, 0.28, 2**53 + 2.0, -1], [None, 0.27, 30, None]
    events = [
        replace(event, alarm=replace(event.alarm, limit=limit, value=value, phase=phase))
        for event, limit, value, phase in zip(
            [alarm_event(1 + number, onset=NOON + number) for number in range(4)],
            limits,
            values,
            [None, PhaseName("cast", Text("铸造", "cast")), None, None],
            strict=True,
        )
    ]
    other = replace(events[0], alarm=replace(events[0].alarm, point="CW-02"))
    store = DuckDBStore(DuckDBConfig(path=path))
    for written in (events[:1], [other, *events[:3]], events[3:], [], events):
        store.write_alarm_events(written)
    store.close()
    with duckdb.connect(str(path), read_only=True) as found:
        rows = found.execute('SELECT event_id, point, "limit", value, phase FROM alarms ORDER BY "limit"').fetchall()
    assert rows == [
        (
            event.id,
            event.alarm.point,
            event.alarm.limit,
            event.alarm.value,
            event.alarm.phase and event.alarm.phase.code,
        )
        for event in sorted(events, key=lambda event: event.alarm.limit)
    ]
