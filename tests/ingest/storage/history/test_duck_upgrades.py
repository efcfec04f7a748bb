"""A DuckDB file of an earlier version gets its rollups while it is in use, and answers all the while."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pytest

from ingest.storage.history.bucket_edges import floor_to
from ingest.storage.history.config import DuckDBConfig
from ingest.storage.history.duck_offline import ExportFilter, contents, damage, export, reading, wrong_rollups
from tests.ingest.storage.history.made_up import PLANT, batch, configuration, trend_of
from tests.ingest.storage.history.upkept import DAY, HOUR, MIDNIGHT, MINUTE, Clock, by_day, days_kept, hold, opened

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
