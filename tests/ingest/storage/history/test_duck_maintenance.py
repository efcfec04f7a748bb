"""Retention of the DuckDB file: days are deleted by age and for disk space, one at a time, in old files too."""

from __future__ import annotations

import fcntl
from pathlib import Path

import duckdb
import numpy as np
import pytest
from structlog.testing import capture_logs

from ingest.domain.model.batch import Batch
from ingest.storage.history import duck_maintenance
from ingest.storage.history.bucket_edges import floor_to
from ingest.storage.history.config import DuckDBConfig
from ingest.storage.history.duck import DuckDBStore
from ingest.storage.history.duck_maintenance import DuckMaintenance
from ingest.storage.history.duck_offline import ExportFilter, contents, damage, export, reading, wrong_rollups
from ingest.storage.history.errors import HistoryUnavailable
from ingest.storage.history.rollups import Resolution
from ingest.storage.history.store import Trend
from tests.ingest.storage.history.made_up import NOON, PLANT, batch, configuration, trend_of

MINUTE, HOUR = int(Resolution.MINUTE), int(Resolution.HOUR)
DAY = 24 * HOUR
MIDNIGHT = NOON // DAY * DAY


class Clock:
    """A steady clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """What upkeep goes by."""
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "h.duckdb"


def opened(path: Path, clock: Clock, **settings: float) -> DuckDBStore:
    config = DuckDBConfig.model_validate({"path": path, **settings})
    store = DuckDBStore(config)
    store._upkeep = DuckMaintenance(store._file, config, clock)
    return store


def days_of_readings(store: DuckDBStore, days: int) -> None:
    """24 readings within two hours of each day, in a write of its own; 1.0 on the first day, 2.0 on the second."""
    for day in range(days):
        times = MIDNIGHT + day * DAY + np.arange(24) * 5 * MINUTE
        store.write_readings(batch([0] * 24, times.tolist(), [day + 1.0] * 24), configuration(), 1 + day)


def hold(store: DuckDBStore, clock: Clock, received: int, *, for_s: float = 0) -> list[dict[str, object]]:
    """Do all that is due now and within so many seconds; what was told."""
    until = clock.now + for_s
    with capture_logs() as log:
        while True:
            while store._upkeep.step(received):
                pass
            if clock.now >= until:
                break
            clock.now = min(until, clock.now + max(60, for_s / 10))
    return [dict(line) for line in log]


def by_day(store: DuckDBStore, days: int) -> Trend:
    """The trend of so many days of the plant, the first of which holds all readings of the first midnight by UTC."""
    start = floor_to(MIDNIGHT, DAY)
    return trend_of(store, PLANT, "CW-01", start, start + days * DAY, days)


def days_kept(store: DuckDBStore) -> list[int]:
    """The days that hold readings, counted from the first."""
    times = store._file.query("SELECT time FROM readings")["time"]
    return sorted(set(((times - MIDNIGHT) // DAY).tolist()))


def test_a_day_beyond_the_retention_is_dropped_and_reported_and_its_rollups_answer(path: Path, clock: Clock) -> None:
    """An hour apart, so that a clock that is wrong for a moment costs one day and not all."""
    store = opened(path, clock, retention_d=1)
    days_of_readings(store, 4)
    clock.now += 1_000_000
    log = hold(store, clock, MIDNIGHT + 4 * DAY)
    assert [(line["event"], line["day"], line["readings"], line["cause"]) for line in log] == [
        ("history_day_dropped", "2025-11-23", 24, "age")
    ]
    assert days_kept(store) == [1, 2, 3]
    log = hold(store, clock, MIDNIGHT + 4 * DAY, for_s=10 * 3_600)
    assert [line["day"] for line in log] == ["2025-11-24", "2025-11-25"]
    assert days_kept(store) == [3]
    assert store.dropped_days() == 3
    trend = by_day(store, 4)
    assert (trend.high.tolist(), trend.count.tolist()) == ([1, 2, 3, 4], [24] * 4)
    finely = trend_of(store, PLANT, "CW-01", MIDNIGHT + 1, MIDNIGHT + 4 * DAY + 1, 100_000)
    assert finely.count.sum() == 4 * 24
    store.close()


def test_a_reading_older_than_all_that_is_kept_is_counted_and_not_stored(path: Path, clock: Clock) -> None:
    """Its minute's rollup is of all readings there were, and would be of this one alone; after a restart, too."""
    store = opened(path, clock, retention_d=1)
    days_of_readings(store, 3)
    clock.now += 1_000_000
    hold(store, clock, MIDNIGHT + 3 * DAY, for_s=2 * 3_600)
    assert days_kept(store) == [2]
    late = batch([0, 0], [MIDNIGHT + 2 * DAY - 1, MIDNIGHT + 2 * DAY], [99.0, 3.0], received=MIDNIGHT + 3 * DAY)
    for _ in range(2):
        assert store.write_readings(late, configuration(), 100) == 1
        store.close()
        store = opened(path, clock, retention_d=1)
    assert store.write_readings(late, configuration(), None) == 1
    hold(store, clock, MIDNIGHT + 3 * DAY)
    trend = by_day(store, 3)
    assert trend.high.tolist() == [1, 2, 3]
    assert trend.count.tolist() == [24] * 3  # what came again took the place of the one of the same time
    store.close()


def test_nothing_is_dropped_before_it_was_rolled_up(path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duck_maintenance, "_roll_on", lambda *_: None)
    store = opened(path, clock, retention_d=1)
    days_of_readings(store, 3)
    clock.now += 1_000_000
    assert hold(store, clock, MIDNIGHT + 3 * DAY) == []
    assert days_kept(store) == [0, 1, 2]
    store.close()


def test_the_oldest_days_make_room_but_never_the_last_two(path: Path, clock: Clock) -> None:
    """A day at a time while the file is larger than it may be; then it is told that more room is needed."""
    store = opened(path, clock, size_gb=0.000_001)
    days_of_readings(store, 4)
    store._file.checkpoint()
    clock.now += 1_000_000
    log = hold(store, clock, MIDNIGHT + 4 * DAY - 1, for_s=600)
    dropped = [(line["day"], line["cause"]) for line in log if line["event"] == "history_day_dropped"]
    assert dropped == [("2025-11-23", "room"), ("2025-11-24", "room")]
    assert days_kept(store) == [2, 3]
    over = [line for line in log if line["event"] == "history_over_size"]
    assert over
    assert (over[0]["most_mb"], over[0]["log_level"]) == (0, "warning")
    store.close()


def test_without_a_size_the_file_leaves_a_fifth_of_what_the_disk_could_give_it(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(path, clock)
    days_of_readings(store, 3)
    store._file.checkpoint()
    clock.now += 1_000_000
    assert hold(store, clock, MIDNIGHT + 3 * DAY - 1, for_s=600) == []
    monkeypatch.setattr(duck_maintenance, "_free", lambda _: 0)
    monkeypatch.setattr(duck_maintenance, "SHARE", 0.1)  # the file has free blocks of its own, too
    log = hold(store, clock, MIDNIGHT + 3 * DAY - 1, for_s=60)
    assert log[0] | {"event": "history_day_dropped", "cause": "room"} == log[0]
    store.close()


def test_rollups_are_dropped_after_their_own_time(path: Path, clock: Clock) -> None:
    store = opened(path, clock, retention_d=1, rollup_retention_d=2)
    days_of_readings(store, 4)
    clock.now += 1_000_000
    log = hold(store, clock, MIDNIGHT + 4 * DAY, for_s=8 * 3_600)
    dropped = [(line["day"], line["rollups"]) for line in log if line["event"] == "history_rollups_dropped"]
    assert dropped == [("2025-11-23", 28), ("2025-11-24", 27)]
    trend = by_day(store, 4)
    assert trend.high.tolist() == [3, 4]
    store.close()


def test_a_clock_that_was_wrong_for_a_while_costs_no_trend(path: Path, clock: Clock) -> None:
    """Rolled up a month ahead of time; what comes after is rolled up as ever, once, and nothing stays stale."""
    store = opened(path, clock)
    days_of_readings(store, 2)
    clock.now += 1_000_000
    hold(store, clock, MIDNIGHT + 40 * DAY)
    for day in (2, 3):
        readings = batch([0], [MIDNIGHT + day * DAY], [day + 1.0])
        store.write_readings(readings, configuration(), 10 + day)
        hold(store, clock, MIDNIGHT + day * DAY + 2 * HOUR)
    assert store._file.rows("SELECT count(*) FROM stale") == [(0,)]
    assert store._file.rows("SELECT sum(count), count(*) FROM hours") == [(50, 6)]
    trend = by_day(store, 4)
    assert (trend.high.tolist(), trend.count.tolist()) == ([1, 2, 3, 4], [24, 24, 1, 1])
    store.close()


def test_upkeep_that_fails_is_reported_and_never_fails_a_write(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The readings are in the file; the writer goes on, and upkeep is tried again a minute later."""
    store = opened(path, clock)

    def fails(*_: object) -> None:
        raise HistoryUnavailable("the disk is full")

    monkeypatch.setattr(duck_maintenance, "STEPS_S", 0)  # a step after each write
    with monkeypatch.context() as broken, capture_logs() as log:
        broken.setattr(duck_maintenance, "_roll_on", fails)
        days_of_readings(store, 2)
    assert [(line["event"], line["reason"]) for line in log] == [("history_upkeep_delayed", "the disk is full")]
    assert store.count_readings() == 48
    clock.now += 60
    store.write_readings(batch([0], [MIDNIGHT + 2 * DAY], [3.0]), configuration(), 3)
    assert store._upkeep.at.rolled_to == MIDNIGHT + HOUR // 2, "half as much, in case it was too much"
    store.close()


def live(store: DuckDBStore, clock: Clock, writes: int, *, late: bool = False) -> list[dict[str, object]]:
    """Writes of a service that runs since the fifth midnight, two seconds apart; what was told.

    Args:
        store: the file.
        clock: goes on with them.
        writes: how many.
        late: each brings a reading of the day before, too, as from a gateway that catches up.
    """
    with capture_logs() as log:
        for number in range(writes):
            now = MIDNIGHT + 4 * DAY + int(clock.now) * 10**9
            at = [now, *([now - DAY + number * MINUTE] if late else [])]
            store.write_readings(
                batch([1] * len(at), at, [9.0] * len(at), received=now), configuration(), 100_000 + int(clock.now)
            )
            clock.now += 2
    return [dict(line) for line in log]


def days_reported(log: list[dict[str, object]]) -> list[object]:
    """The days that were said to be dropped."""
    return [line["day"] for line in log if line["event"] == "history_day_dropped"]


def test_what_was_stored_too_old_is_dropped_within_a_minute_and_an_hour_later_the_next_day(
    path: Path, clock: Clock
) -> None:
    """Nothing was old when the service looked first; no hour passes before it looks again."""
    store = opened(path, clock, retention_d=2)
    assert live(store, clock, 2) == []
    days_of_readings(store, 3)
    assert days_reported(live(store, clock, 40)) == ["2025-11-23"]
    clock.now += 3_600
    assert days_reported(live(store, clock, 2)) == ["2025-11-24"]
    store.close()


def test_old_days_are_dropped_while_late_readings_come_with_every_write(path: Path, clock: Clock) -> None:
    """What is late is rolled up again each time, and is no reason to keep what is too old."""
    store = opened(path, clock, retention_d=2)
    days_of_readings(store, 4)
    assert days_reported(live(store, clock, 40, late=True)) == ["2025-11-23"]
    clock.now += 3_600
    assert days_reported(live(store, clock, 2, late=True)) == ["2025-11-24"]
    store.close()


def test_a_backlog_of_many_hours_is_rolled_up_and_dropped_by_a_service_that_is_restarted_again_and_again(
    path: Path, clock: Clock
) -> None:
    """Each life drops a day, and is too short for one hour of the backlog a write."""
    store = opened(path, clock, retention_d=1)
    store._upkeep._due = np.inf  # nobody looks after what comes at once
    times = MIDNIGHT + np.arange(24) * 4 * HOUR
    store.write_readings(batch([0] * 24, times.tolist(), [1.0] * 24, received=MIDNIGHT), configuration(), 1)
    dropped: list[object] = []
    for _ in range(3):
        store.close()
        store = opened(path, clock, retention_d=1)
        dropped += days_reported(live(store, clock, 3))
    assert dropped == ["2025-11-23", "2025-11-24", "2025-11-25"]
    store.close()


def test_room_is_made_within_a_minute_and_not_twice_for_the_same_bytes(path: Path, clock: Clock) -> None:
    """While a trend is asked for no blocks are given back: no day is dropped in vain, and none for another's blocks."""
    count = 122_880  # a part of the file of its own
    store = opened(path, clock)
    for day in range(4):
        times = MIDNIGHT + day * DAY + np.arange(count) * (DAY // count)
        values = np.random.default_rng(day).random(count)
        store.write_readings(
            Batch(np.zeros(count, np.int32), times, values, np.zeros(count, np.uint16), times), configuration(), 1 + day
        )
    store._file.checkpoint()
    used, _ = store._upkeep._sizes()
    store._upkeep._config = DuckDBConfig(path=path, size_gb=used / 2**30 * 0.97)
    with store._file.snapshot() as ask:
        ask("SELECT count(*) FROM readings", {})
        log = live(store, clock, 40)
    log += live(store, clock, 80)
    assert [line["event"] for line in log] == ["history_day_dropped"]
    store.close()


def test_no_day_is_dropped_for_room_while_somebody_copies_the_file(path: Path, clock: Clock) -> None:
    """Blocks are not given back meanwhile, so the file would seem as large after each day that is dropped."""
    store = opened(path, clock, size_gb=0.000_001)
    days_of_readings(store, 4)
    with (path.with_name(f"{path.name}.hold")).open("a+b") as hold_file:
        fcntl.flock(hold_file, fcntl.LOCK_EX)
        clock.now += 60
        assert days_reported(live(store, clock, 70)) == []
    assert days_reported(live(store, clock, 40)) == ["2025-11-23"]
    store.close()


BEFORE = """
CREATE TABLE series (id INTEGER PRIMARY KEY, plant VARCHAR NOT NULL, point VARCHAR NOT NULL, signal VARCHAR NOT NULL);
CREATE TABLE marks (write BIGINT NOT NULL, first_entry BIGINT NOT NULL, received BIGINT NOT NULL);
CREATE TABLE readings (
    write BIGINT NOT NULL, series INTEGER NOT NULL, time BIGINT NOT NULL, value DOUBLE, quality USMALLINT NOT NULL
);
"""
"""The tables of readings as they were before there were rollups."""


@pytest.fixture
def file_of_before(path: Path) -> Path:
    """A day of a reading a minute by two points, and a stray one of 1970."""
    with duckdb.connect(str(path)) as db:
        db.execute(BEFORE)
        db.execute("INSERT INTO series VALUES (1, $plant, 'CW-01', 'P'), (2, $plant, 'CW-02', 'P')", {"plant": PLANT})
        db.execute("INSERT INTO marks VALUES (7, 3, ?)", [MIDNIGHT + DAY])
        readings = "SELECT 7, 1 + n % 2, $start + n * $step, n % 1000, 0 FROM range(2880) t(n)"
        db.execute(f"INSERT INTO readings {readings}", {"start": MIDNIGHT, "step": MINUTE // 2})
        db.execute("INSERT INTO readings VALUES (6, 1, 5, 1.5, 0)")
    return path


def test_a_file_of_before_is_rolled_up_an_hour_at_a_time_and_answers_all_the_while(
    file_of_before: Path, clock: Clock
) -> None:
    """Half a century without readings takes no longer; a repeated write is known as before."""
    spans = [(0, 4 * DAY, 60), (MIDNIGHT, MIDNIGHT + 2 * DAY, 48), (MIDNIGHT, MIDNIGHT + DAY, 1_440)]
    store = opened(file_of_before, clock)
    expected = [trend_of(store, PLANT, "CW-02", *span) for span in spans]
    steps, rolled_to = 0, store._upkeep.at.rolled_to
    while store._upkeep.step(MIDNIGHT + DAY):
        steps += 1
        for span, before in zip(spans, expected, strict=True):
            now = trend_of(store, PLANT, "CW-02", *span)
            for column in ("time", "low", "high", "count"):
                np.testing.assert_array_equal(getattr(now, column), getattr(before, column))
            np.testing.assert_allclose(now.mean, before.mean)
    assert rolled_to == 0
    assert 24 <= steps <= 30  # the hours, and the days that end within them or before
    assert store._upkeep.at.days_to == floor_to(MIDNIGHT + DAY, DAY)
    assert [len(trend.time) for trend in expected] == [0, 24, 1_440]
    assert store._file.rows("SELECT sum(count) FROM minutes WHERE time > 0") == [(2_880 - 4,)]
    readings = batch([0], [MIDNIGHT], [5.0], received=MIDNIGHT + DAY)
    store.write_readings(readings, configuration(), 3)
    assert store.count_readings() == 1  # the stray one was dropped for its age
    store.close()


def test_a_file_whose_rollups_are_by_minute_and_hour_alone_gets_days_of_them(
    path: Path, tmp_path: Path, clock: Clock
) -> None:
    """Hours answer until the days are made, a week at a time, also of readings that are gone. A copy is sound."""
    store = opened(path, clock, retention_d=1)
    for day in range(20):
        times = MIDNIGHT + day * DAY + np.arange(8) * 3 * HOUR
        store.write_readings(batch([0] * 8, times.tolist(), [day + 1.0] * 8), configuration(), 1 + day)
    clock.now += 1_000_000
    hold(store, clock, MIDNIGHT + 20 * DAY, for_s=5 * 3_600)
    assert days_kept(store)[0] > 0
    expected = by_day(store, 19)
    store.close()
    with duckdb.connect(str(path)) as db:
        db.execute("DROP VIEW days_by_name; DROP TABLE days; ALTER TABLE kept DROP COLUMN days_to")
    with reading(DuckDBConfig(path=path)) as db:
        assert [*damage(db, lambda _: None), *wrong_rollups(db, lambda _: None)] == []
        assert contents(db).rollups == 20 * 8 * 2
        assert export(db, ExportFilter("days"), tmp_path, lambda _: lambda _: None) == 0
    store = opened(path, clock, retention_d=1)
    store._upkeep._check_due = np.inf  # nothing is dropped meanwhile
    steps, made = 0, []
    while True:
        found = by_day(store, 19)
        for column in ("time", "low", "mean", "high", "count"):
            np.testing.assert_array_equal(getattr(found, column), getattr(expected, column))
        made += store._file.rows("SELECT count(*) FROM days")
        if not store._upkeep.step(MIDNIGHT + 20 * DAY):
            break
        steps += 1
    assert made[0] == (0,)
    assert made[-1] == (20,)
    assert steps == 3
    store.close()
