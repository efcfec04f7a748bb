"""Long trends from an InfluxDB's rollups equal those from its readings, late ones included."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from structlog.testing import capture_logs

from ingest.base.config import Secret
from ingest.domain.model.batch import Batch
from ingest.storage.history import influx_v1
from ingest.storage.history.bucket_edges import floor_to
from ingest.storage.history.config import InfluxV1Config, InfluxV2Config
from ingest.storage.history.influx import InfluxStore
from ingest.storage.history.influx_rollups import (
    LATE_NS,
    SETTLED_NS,
    continuous_queries,
    coverage_of,
    late_hours,
    tasks,
)
from ingest.storage.history.influx_v1 import InfluxV1Store
from ingest.storage.history.influx_v2 import InfluxV2Store
from ingest.storage.history.influxql import READINGS_ONLY
from ingest.storage.history.rollups import Resolution
from ingest.storage.history.setup import SetupOptions
from ingest.storage.history.setup_v1 import set_up_v1
from ingest.storage.history.store import Trend, TrendQuery
from tests.ingest.storage.history.influx_2 import influx_2_on
from tests.ingest.storage.history.made_up import PLANT, SECOND, batch, configuration, trend_of, until
from tests.servers import HTTP, influxd

MINUTE, HOUR = int(Resolution.MINUTE), int(Resolution.HOUR)
DAY = 24 * HOUR
NOW = time.time_ns()
TODAY = NOW // HOUR * HOUR


@dataclass
class Rolled:
    """A real InfluxDB 1.x with rollups set up, and a store on it that queries them each time."""

    url: str
    store: InfluxV1Store

    def ask(self, query: str) -> list[list[Any]]:
        params = {"db": "yujing", "q": query, "epoch": "ns"}
        answer = HTTP.post(f"{self.url}/query", params=params).json()["results"]
        return [row for result in answer for series in result.get("series", ()) for row in series["values"]]

    def roll(self, first: int, last: int) -> None:
        """What the continuous queries would have made of these hours, had they been there."""
        for hour in range(first // HOUR * HOUR, last, HOUR):
            self.store.roll_hour(hour)

    def forget(self, before: int) -> None:
        """What the server does with readings older than it keeps: their shards go, of whole days."""
        params = {"q": "SHOW SHARDS"}
        answer = HTTP.post(f"{self.url}/query", params=params).json()["results"][0]["series"]
        (shards,) = [database for database in answer if database["name"] == "yujing"]
        for row in shards["values"]:
            shard = dict(zip(shards["columns"], row, strict=True))
            if (
                shard["retention_policy"] == "autogen"
                and np.datetime64(shard["end_time"][:-1], "ns").astype(int) <= before
            ):
                self.ask(f"DROP SHARD {shard['id']}")


@pytest.fixture
def rolled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rolled]:
    monkeypatch.setattr("ingest.storage.history.influx_coverage.REFRESH_S", 0.0)
    with influxd(tmp_path) as url:
        config = InfluxV1Config(url=url)
        assert [step.en for step in set_up_v1(config, None, SetupOptions(keep_days=100))][
            -1
        ] == "continuous query yujing_hours"
        store = InfluxV1Store(config)
        yield Rolled(url, store)
        store.close()


def readings(n: int, start: int, step: int) -> Batch:
    """Of three points in turn, some without a value, in no order of time."""
    rng = np.random.default_rng(5)
    at = start + rng.permutation(n) * step
    value = np.where(rng.random(n) < 0.1, np.nan, rng.normal(10, 3, n).round(3))
    flags = np.where(np.isnan(value), 4, 0).astype(np.uint16)
    return Batch((np.arange(n) % 3).astype(np.int32), at, value, flags, at)


def complete(rolled: list[list[Any]], n: int) -> bool:
    """Whether rows of low, high, sum, count, blank count `n` readings, and all that have values have their extremes.

    A query that the server starts while it takes the first values makes rollups without low and high; its next one
    makes them whole.
    """
    counted = sum((row[4] or 0) + (row[5] or 0) for row in rolled)
    return counted == n and all(row[1] is not None and row[2] is not None for row in rolled if row[4])


def same(found: Trend, expected: Trend) -> None:
    for column in ("time", "count"):
        np.testing.assert_array_equal(getattr(found, column), getattr(expected, column))
    for column in ("low", "mean", "high"):
        np.testing.assert_allclose(getattr(found, column), getattr(expected, column), rtol=1e-12)


def test_a_long_trend_of_rollups_is_that_of_the_readings(rolled: Rolled) -> None:
    """Low, mean, high, count, also of buckets without any value; readings answer where there are no rollups yet."""
    start = TODAY - 40 * DAY
    rolled.store.write_readings(readings(6_000, start, 40 * DAY // 6_000 // 60 * 60), configuration(), 1)
    queries = [
        TrendQuery(PLANT, "CW-01", start, TODAY, 960),
        TrendQuery(PLANT, "CW-02", start, TODAY, 40),
        TrendQuery(PLANT, "CW-01", start + 10 * DAY, TODAY + 2 * DAY, 32, was="CW-02"),
        TrendQuery(PLANT, "nobody", start, TODAY, 40),
        TrendQuery(PLANT, "CW-01", start + 9 * DAY + 7_777_777_777, NOW - 12_345_678_901, 240),
        TrendQuery(PLANT, "CW-02", start + 9 * DAY + 7_777_777_777, start + 10 * DAY + 1, 500),
    ]
    before = rolled.store.trends(queries)
    rolled.roll(start + 7 * DAY, NOW)
    kept = rolled.store._rollups.current()
    assert start + 7 * DAY <= kept.hours <= start + 8 * DAY
    assert kept.rolled_to <= time.time_ns() - SETTLED_NS
    for query, found, expected in zip(queries, rolled.store.trends(queries), before, strict=True):
        same(found, expected)
        assert (query.point == "nobody") is (len(found.time) == 0)
    rolled.forget(TODAY - 2 * DAY)
    span = (start + 10 * DAY, TODAY - 3 * DAY)
    rolled_only = trend_of(rolled.store, PLANT, "CW-01", *span, 27 * 24)
    within = (before[0].time >= span[0]) & (before[0].time < span[1])
    same(rolled_only, Trend(*(getattr(before[0], name)[within] for name in ("time", "low", "mean", "high", "count"))))


def test_where_readings_were_deleted_rollups_answer_whatever_the_buckets(rolled: Rolled) -> None:
    start = TODAY - 3 * DAY
    rolled.store.write_readings(readings(3_000, start, 80 * SECOND), configuration(), 1)
    rolled.roll(start, NOW)
    whole = trend_of(rolled.store, PLANT, "CW-01", start + DAY, TODAY, 20_000).count.sum()
    rolled.forget(start + 2 * DAY)
    assert rolled.store._rollups.current().readings >= start + DAY
    assert trend_of(rolled.store, PLANT, "CW-01", start + DAY, TODAY, 20_000).count.sum() == whole


def test_a_bucket_whose_rollups_come_to_too_much_lacks_its_mean_only(rolled: Rolled) -> None:
    start = floor_to(TODAY, DAY) - 3 * DAY  # as the days of a plant begin
    times = [start - DAY, start + HOUR, start + 5 * HOUR, start + DAY + HOUR, start + DAY + 2 * HOUR]
    rolled.store.write_readings(batch([0] * 5, times, [1.0, 1.7e308, 1.7e308, 0.1, 0.2]), configuration(), 1)
    rolled.roll(start - DAY, NOW)
    rolled.forget(TODAY - DAY)
    trend = trend_of(rolled.store, PLANT, "CW-01", start, start + 3 * DAY, 3)
    assert (trend.low.tolist(), trend.high.tolist()) == ([1.7e308, 0.1], [1.7e308, 0.2])
    assert trend.count.tolist() == [2, 2]
    np.testing.assert_array_equal(trend.mean, [np.nan, (0.1 + 0.2) / 2])


def test_readings_that_come_late_have_their_rollups_made_again(rolled: Rolled) -> None:
    """As soon as writes have moved on; by a service started in the middle of it, too, for the hour before as well."""
    start = TODAY - 2 * DAY
    rolled.store.write_readings(batch([0], [start + 3 * HOUR], [1.0]), configuration(), 1)
    rolled.roll(start, NOW)
    store = InfluxV1Store(InfluxV1Config(url=rolled.url))
    store.write_readings(
        batch([0], [start + 2 * HOUR + 1], [5.0]), configuration(), 1
    )  # by somebody who rolls nothing up
    store.close()
    store = InfluxV1Store(InfluxV1Config(url=rolled.url))
    store.write_readings(
        batch([0] * 3, [start + 3 * HOUR + MINUTE + at for at in range(3)], [9, 8, 7]), configuration(), 2
    )
    store.write_readings(batch([0], [start + 5 * HOUR], [2.0]), configuration(), 3)
    store.write_readings(batch([0], [NOW], [3.0]), configuration(), 4)
    store.close()
    found = rolled.ask("SELECT high, count FROM hours.readings")
    assert found == [[start + 2 * HOUR, 5, 1], [start + 3 * HOUR, 9, 4], [start + 5 * HOUR, 2, 1]]


def test_rollups_that_fail_are_reported_and_retried(rolled: Rolled, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that is to be written waits for them."""
    start = TODAY - 2 * DAY
    rolled.store.write_readings(batch([0], [start], [1.0]), configuration(), 1)
    rolled.roll(start, NOW)
    monkeypatch.setattr(influx_v1, "PAUSE_S", 0.0)
    policy, rolled.store._policy = rolled.store._policy, "gone"
    with capture_logs() as logged:
        rolled.store.write_readings(batch([0], [start + 4 * HOUR], [4.0]), configuration(), 2)
        rolled.store.write_readings(batch([0], [NOW], [4.0]), configuration(), 3)
    assert {line["event"] for line in logged} == {"history_rollup_failed"}
    assert "retention policy not found: gone" in logged[0]["reason"]
    rolled.store._policy = policy
    for at in range(3):
        rolled.store.write_readings(batch([0], [NOW + at], [4.0]), configuration(), 4)
    assert [start + 4 * HOUR, 4] in rolled.ask("SELECT high FROM hours.readings")
    assert rolled.store._late == {}


def test_the_servers_own_queries_make_the_same_rollups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real server's, run every second instead of every ten minutes."""
    monkeypatch.setenv("INFLUXDB_CONTINUOUS_QUERIES_RUN_INTERVAL", "100ms")
    with influxd(tmp_path) as url, closing(InfluxV1Store(config := InfluxV1Config(url=url))) as store:
        list(set_up_v1(config, None, SetupOptions()))
        server = Rolled(url, store)
        for name, query in continuous_queries("yujing", "autogen").items():
            server.ask(f"DROP CONTINUOUS QUERY {name} ON yujing")
            server.ask(query.replace("EVERY 10m", "EVERY 1s").replace("EVERY 30m", "EVERY 1s"))
        written = readings(1_000, time.time_ns() - 20 * MINUTE, SECOND)
        server.store.write_readings(written, configuration(), 1)
        query = "SELECT low, high, sum, count, blank, point FROM minutes.readings, hours.readings"
        until(lambda: complete(server.ask(query), 2_000), 60)
        made = server.ask(query)
        server.ask("DROP CONTINUOUS QUERY yujing_minutes ON yujing; DROP CONTINUOUS QUERY yujing_hours ON yujing")
        server.ask("DROP RETENTION POLICY minutes ON yujing; DROP RETENTION POLICY hours ON yujing")
        list(set_up_v1(config, None, SetupOptions()))
        server.roll(int(written.time.min()), int(written.time.max()) + 1)
        assert server.ask(query) == made


def test_a_server_without_rollups_is_seldom_queried_for_them(tmp_path: Path) -> None:
    """Its readings answer, however long the trend."""
    with influxd(tmp_path) as url:
        store = InfluxV1Store(InfluxV1Config(url=url))
        store.create_database()
        start = TODAY - 40 * DAY
        store.write_readings(readings(300, start, 3 * HOUR), configuration(), 1)
        for _ in range(3):
            assert trend_of(store, PLANT, "CW-01", start, TODAY, 40).count.sum() == 100
        assert store._rollups.current() is READINGS_ONLY
        store.close()


def test_rollups_of_an_influxdb_2_are_queried_as_policies_of_its_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its tasks are in Flux and are not run here; what they are to make is written by hand."""
    monkeypatch.setenv("ROLLUP_TEST_TOKEN", "a token")
    start = TODAY - 10 * DAY
    with influxd(tmp_path) as behind, influx_2_on(behind) as server:
        for policy in ("minutes", "hours"):
            server.make_unmapped(f"yujing_{policy}")
            server.move(f"yujing_{policy}", "yujing", policy)
            lines = "\n".join(
                f"readings,plant={PLANT},point=CW-01,signal=S low=1,high=3,sum=120,count=60i,blank=2i {at}"
                for at in range(start, TODAY, HOUR)
            )
            params = {"db": "yujing", "rp": policy}
            HTTP.post(f"{behind}/write", params=params, content=lines).raise_for_status()
        config = InfluxV2Config(url=server.url, org="yujing", token=Secret(env="ROLLUP_TEST_TOKEN"))
        store: InfluxStore = InfluxV2Store(config)
        trend = trend_of(store, PLANT, "CW-01", start + DAY, start + 3 * DAY, 48)
        store.close()
    assert [set(column.tolist()) for column in (trend.low, trend.mean, trend.high)] == [{1}, {2}, {3}]
    assert trend.count.tolist() == [62] * 48


def test_what_a_task_makes_goes_to_the_bucket_of_its_name() -> None:
    minutes, late = tasks('plant "A"', Resolution.MINUTE).values()
    hours, _ = tasks("yujing", Resolution.HOUR).values()
    assert late.replace("_late", "").replace("every: 1d, offset: 1h", "every: 10m").replace("-48h", "-30m") == minutes
    assert list(tasks("yujing", Resolution.HOUR)) == ["yujing_hours", "yujing_hours_late"]
    assert minutes.count('to(bucket: "plant \\"A\\"_minutes")') == 5
    assert 'from(bucket: "plant \\"A\\"")' in minutes
    assert 'from(bucket: "yujing_minutes")' in hours
    assert [hours.count(f"fn: {fn},") for fn in ("min", "max", "sum")] == [1, 1, 3]


def test_only_what_the_servers_own_queries_may_have_missed_is_late() -> None:
    times = np.array([NOW, NOW - LATE_NS, NOW - LATE_NS - 1, TODAY - 5 * HOUR, TODAY - 5 * HOUR + 7, NOW + DAY])
    assert late_hours(times, NOW) == {(NOW - LATE_NS - 1) // HOUR * HOUR, TODAY - 5 * HOUR}


def test_the_first_rollup_may_be_cut_and_the_last_are_not_made_yet() -> None:
    def first(resolution: Resolution) -> int:
        return TODAY - 30 * DAY if resolution is Resolution.HOUR else TODAY - 2 * DAY

    kept = coverage_of(first, TODAY, 7, NOW)
    assert (kept.hours, kept.minutes) == (TODAY - 30 * DAY + HOUR, TODAY - 2 * DAY + MINUTE)
    assert (kept.readings, kept.rolled_to) == (7, NOW - SETTLED_NS)
    assert coverage_of(first, TODAY - 9 * HOUR, 7, NOW).rolled_to == TODAY - 9 * HOUR + MINUTE
    assert coverage_of(first, None, 7, NOW) is coverage_of(lambda _: None, 5, 7, NOW) is READINGS_ONLY
