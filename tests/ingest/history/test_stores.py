"""What every history store keeps: the same promises, asked of DuckDB, of real InfluxDB and of VictoriaMetrics."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import numpy as np
import pytest
from structlog.testing import capture_logs

from ingest.alarms.present import Present
from ingest.alarms.slot import SLOT, AlarmSlot
from ingest.history.config import DuckDBConfig, InfluxV1Config, InfluxV2Config
from ingest.history.influx_v1 import InfluxV1Store
from ingest.history.store import HistoryStore, TrendQuery
from ingest.model.alarm import AlarmEventKind
from ingest.model.batch import Batch, empty_batch
from ingest.model.config import Secret
from ingest.model.flags import Flag
from ingest.model.plant import GATEWAY_SIGNAL, SERVICE, GatewayPoint, ServicePoint
from tests.ingest.history.influx_2 import influx_2_on
from tests.ingest.history.made_up import NOON, PLANT, SECOND, alarm_event, batch, named, point, roster, steady, trend_of
from tests.servers import influxd, victoria_metrics

TOKEN = "HISTORY_TEST_TOKEN"


@dataclass(frozen=True, slots=True)
class Kept:
    """A store, and what it holds as the server itself counts it."""

    store: HistoryStore
    readings: Callable[[], int]
    alarm_events: Callable[[], int]
    raised: Callable[[], list[int]]


@contextmanager
def duckdb(tmp: Path) -> Iterator[Kept]:
    store = DuckDBConfig(path=tmp / "sub" / "history.duckdb").open_store()

    def ask(query: str) -> list[int]:
        return [int(n) for n in store._file.query(query, {})["n"]]  # type: ignore[attr-defined]

    yield Kept(
        store,
        store.count_readings,
        lambda: ask("SELECT count(*) AS n FROM alarms")[0],
        lambda: ask("SELECT raised AS n FROM alarm_metrics ORDER BY position, time"),
    )
    store.close()


@contextmanager
def influxdb1(tmp: Path) -> Iterator[Kept]:
    with influxd(tmp) as url:
        store = InfluxV1Store(InfluxV1Config(url=url))
        store.create_database()
        yield Kept(store, store.count_readings, lambda: influx_alarm_events(url), lambda: influx_raised(url))
        store.close()


@contextmanager
def influxdb2(tmp: Path) -> Iterator[Kept]:
    with influxd(tmp) as behind, influx_2_on(behind) as server:
        store = InfluxV2Config(url=server.url, org="yujing", token=Secret(env=TOKEN)).open_store()
        yield Kept(store, store.count_readings, lambda: influx_alarm_events(behind), lambda: influx_raised(behind))
        store.close()


@contextmanager
def victoriametrics(tmp: Path) -> Iterator[Kept]:
    with victoria_metrics(tmp) as url:
        store = InfluxV2Config(url=url, org="yujing", token=Secret(env=TOKEN)).open_store()
        yield Kept(
            store,
            lambda: exported(url, "readings_value") + exported(url, "readings_quality"),
            lambda: exported(url, "alarms_limit"),
            lambda: [exported(url, "alarm_metrics_raised")],
        )
        store.close()


STORES = {"duckdb": duckdb, "influxdb1": influxdb1, "influxdb2": influxdb2}


@pytest.fixture(params=[*STORES, "victoria-metrics"])
def kept(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    """Every store there is."""
    monkeypatch.setenv(TOKEN, "a token")
    with STORES.get(request.param, victoriametrics)(tmp_path) as kept:
        yield kept


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HistoryStore]:
    """Every store that answers queries."""
    monkeypatch.setenv(TOKEN, "a token")
    with STORES[request.param](tmp_path) as kept:
        yield kept.store


def test_every_reading_is_kept(kept: Kept) -> None:
    """More than one request's worth, with nulls among them, counted by the server itself."""
    readings = steady(12_000)
    nulls = np.arange(12_000) % 7 == 0
    readings = replace(
        readings, value=np.where(nulls, np.nan, readings.value), flags=np.where(nulls, 4, 0).astype(np.uint16)
    )
    kept.store.write_readings(readings, roster(), 1)
    kept.store.write_readings(steady(500, start=NOON + 20_000 * SECOND), roster(), 2)
    assert kept.readings() == 12_500


def test_the_same_entries_written_again_are_kept_once(kept: Kept) -> None:
    readings = steady(3_000)
    kept.store.write_readings(readings, roster(), 1)
    kept.store.write_readings(readings, roster(), 1)
    assert kept.readings() == 3_000


def test_a_write_repeated_with_other_bounds_is_kept_once(kept: Kept) -> None:
    """After a crash the writer starts from the same cursor, but the turn may end earlier or later."""
    readings = steady(1_000)
    kept.store.write_readings(part(readings, 0, 400), roster(), 1)
    kept.store.write_readings(part(readings, 400, 800), roster(), 5)
    kept.store.write_readings(part(readings, 400, 600), roster(), 5)
    kept.store.write_readings(part(readings, 600, 1_000), roster(), 7)
    kept.store.write_readings(part(readings, 600, 1_000), roster(), 7)
    assert kept.readings() == 1_000


HUGE = [3.4e38, -1e30, 9.3e12]


def test_victoria_metrics_keeps_what_lies_beside_a_number_too_large_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has one power of ten for many values of a series; the large ones are cut, flagged, counted and told."""
    monkeypatch.setenv(TOKEN, "a token")
    values = [50.25, *HUGE, 0.351, math.nan, 1.234567]
    readings = batch([0] * len(values), [NOON + at * SECOND for at in range(len(values))], values)
    with victoria_metrics(tmp_path) as url:
        store = InfluxV2Config(url=url, org="yujing", token=Secret(env=TOKEN)).open_store()
        with capture_logs() as log:
            store.write_readings(readings, roster(), 1)
            store.write_readings(batch([1], [NOON], [85.0]), roster(), 2)
        store.close()
        assert export(url, 'readings_value{point="CW-01"}') == [50.25, 9.2e12, -9.2e12, 9.2e12, 0.351, 1.234567]
        assert export(url, 'readings_quality{point="CW-01"}') == [*[Flag.CLIPPED] * 3, Flag.NO_VALUE]
    (told,) = log
    assert (told["event"], told["values"], told["point"], told["value"]) == ("history_clipped", 3, "CW-01", 3.4e38)


def test_victoria_metrics_keeps_alarm_values_beside_one_too_large_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The events of one rule are one series, too."""
    monkeypatch.setenv(TOKEN, "a token")
    events = [alarm_event(1 + at, at=NOON + at * SECOND) for at in range(3)]
    events[1] = replace(events[1], alarm=replace(events[1].alarm, value=3.4e38))
    with victoria_metrics(tmp_path) as url:
        store = InfluxV2Config(url=url, org="yujing", token=Secret(env=TOKEN)).open_store()
        with capture_logs() as log:
            store.write_alarm_events(events)
        store.close()
        assert export(url, "alarms_value") == [events[0].alarm.value, 9.2e12, events[2].alarm.value]
    assert [line["event"] for line in log] == ["history_clipped"]


def test_a_number_however_large_is_kept_as_it_came_where_it_harms_no_other(store: HistoryStore) -> None:
    with capture_logs() as log:
        store.write_readings(
            batch([0] * 3, [NOON + at * SECOND for at in range(3)], [50.25, 3.4e38, 0.351]), roster(), 1
        )
    assert log == []
    trend = trend_of(store, PLANT, "CW-01", NOON, NOON + 3 * SECOND, 3)
    assert trend.high.tolist() == [50.25, 3.4e38, 0.351]


def test_a_gateway_is_not_counted_as_a_reading(kept: Kept) -> None:
    kept.store.write_readings(batch([3, 0], [NOON, NOON], [1.0, 0.3]), roster(), 1)
    assert kept.readings() == 1


def test_nothing_to_write_is_nothing_written(kept: Kept) -> None:
    kept.store.write_readings(empty_batch(), roster(), 1)
    kept.store.write_alarm_events([])
    assert kept.readings() == kept.alarm_events() == 0


def test_a_slot_of_alarm_metrics_written_again_takes_the_place_of_the_first(kept: Kept) -> None:
    """Also where less is known of it by then. VictoriaMetrics only counts them; it keeps each as it came."""
    known = Present({1: 3, 2: 1}, unacknowledged=2, stale=1, hidden=0, chattering=1, raised=5, flood=False)
    first = [AlarmSlot("总控室 1", NOON + at * SLOT, at + 1, at + 1, 0, 0, 12.5, known) for at in range(3)]
    kept.store.write_alarm_slots([])
    kept.store.write_alarm_slots(first)
    if kept.raised() == [3]:
        return
    kept.store.write_alarm_slots([replace(first[1], raised=7, present=None)])
    assert kept.raised() == [1, 7, 3]


def test_an_alarm_event_is_kept_once(kept: Kept) -> None:
    raised = alarm_event(1)
    returned = alarm_event(2, AlarmEventKind.RETURNED, at=NOON + SECOND)
    kept.store.write_alarm_events([raised, returned])
    kept.store.write_alarm_events([raised, returned])
    assert kept.alarm_events() == 2


def test_a_trend_shows_low_mean_high_and_count_of_each_bucket(store: HistoryStore) -> None:
    times = [NOON + s * SECOND for s in (0, 1, 9, 10, 25, 39)]
    store.write_readings(batch([0] * 6, times, [1, 2, 6, 5, 7, 8]), roster(), 1)
    store.write_readings(batch([1, 1], [NOON, NOON + SECOND], [100, 100]), roster(), 2)
    trend = trend_of(store, PLANT, "CW-01", NOON, NOON + 40 * SECOND, 4)
    assert trend.time.tolist() == [NOON + s * SECOND for s in (0, 10, 20, 30)]
    assert trend.low.tolist() == [1, 5, 7, 8]
    assert trend.mean.tolist() == [3, 5, 7, 8]
    assert trend.high.tolist() == [6, 5, 7, 8]
    assert trend.count.tolist() == [3, 1, 1, 1]


def test_a_trend_of_a_renamed_point_has_what_was_kept_under_its_former_id(store: HistoryStore) -> None:
    times = [NOON, NOON + SECOND]
    store.write_readings(batch([0, 0], times, [1, 2]), roster(), 1)
    store.write_readings(batch([1, 1], [NOON + s * SECOND for s in (2, 12)], [6, 7]), roster(), 2)
    names = [point.id for point in roster().points[:2] if point is not None]
    trend = trend_of(store, PLANT, names[1], NOON, NOON + 20 * SECOND, 2, was=names[0])
    assert (trend.low.tolist(), trend.mean.tolist(), trend.high.tolist()) == ([1, 7], [3, 7], [6, 7])
    assert trend.count.tolist() == [3, 1]


def test_trends_asked_at_once_are_those_asked_one_by_one(store: HistoryStore) -> None:
    """Of other plants, spans and names too, and of what there is nothing; twice the same is answered twice."""
    known = roster(
        *(point(at, f"P-{at}") for at in range(4)),
        point(4, "P-1", plant="other"),
        point(5, "GW-01", signal=GATEWAY_SIGNAL),
        point(6, "DISK", signal=ServicePoint.DISK.signal, plant=SERVICE),
    )
    readings = batch(list(range(7)) * 30, [NOON + at * SECOND for at in range(210)], [float(at) for at in range(210)])
    store.write_readings(readings, known, 1)
    span = (NOON, NOON + 210 * SECOND)
    queries = [
        *(TrendQuery(PLANT, f"P-{at}", *span, 21) for at in (3, 0, 2, 1, 0)),
        TrendQuery(PLANT, "P-1", NOON + 5, NOON + 99 * SECOND, 7, was="P-0"),
        TrendQuery(PLANT, "P-0", *span, 5, was="P-2"),
        TrendQuery("other", "P-1", *span, 21),
        TrendQuery(PLANT, "nobody", *span, 21),
        TrendQuery(PLANT, "GW-01", *span, 21),
        TrendQuery(SERVICE, "DISK", *span, 3),
    ]
    at_once = store.trends(queries)
    assert len(at_once) == len(queries)
    for query, found in zip(queries, at_once, strict=True):
        (alone,) = store.trends([query])
        for column in ("time", "low", "mean", "high", "count"):
            np.testing.assert_array_equal(getattr(found, column), getattr(alone, column))
        assert (query.point == "nobody") is (len(found.time) == 0)
    assert at_once[5].count.sum() == 28, "14 readings of each id lie within the span"
    assert not store.trends([])


def test_a_trend_has_only_what_lies_within_its_window(store: HistoryStore) -> None:
    """From `start`, included, to `end`, not included; buckets begin at `start` however odd it is."""
    start = NOON + 123_456_789
    store.write_readings(batch([0] * 4, [start - 1, start, start + 999, start + 1_000], [1, 2, 3, 4]), roster(), 1)
    trend = trend_of(store, PLANT, "CW-01", start, start + 1_000, 3)
    assert trend.time.tolist() == [start, start + 2 * 334]
    assert trend.count.tolist() == [1, 1]
    assert trend.high.tolist() == [2, 3]


@pytest.mark.parametrize("buckets", [1, 3, 7, 500])
def test_a_trend_has_at_most_the_buckets_asked_for(store: HistoryStore, buckets: int) -> None:
    readings = steady(1_000, points=1)
    store.write_readings(readings, roster(), 1)
    trend = trend_of(store, PLANT, "CW-01", NOON, NOON + 1_000 * SECOND, buckets)
    assert 0 < len(trend.time) <= buckets
    assert trend.count.sum() == 1_000
    assert len(set(np.diff(trend.time).tolist())) <= 1


def test_a_bucket_of_nulls_counts_its_readings_and_has_no_value(store: HistoryStore) -> None:
    store.write_readings(batch([0, 0], [NOON, NOON + 1], [np.nan, np.nan], [4, 4]), roster(), 1)
    trend = trend_of(store, PLANT, "CW-01", NOON, NOON + SECOND, 10)
    assert trend.count.tolist() == [2]
    assert np.isnan([trend.low, trend.mean, trend.high]).all()


def test_a_trend_of_nothing_is_empty(store: HistoryStore) -> None:
    store.write_readings(steady(3), roster(), 1)
    for where, start, end in (("nobody", NOON, NOON + SECOND), ("CW-01", 0, 1), ("CW-01", NOON, NOON)):
        trend = trend_of(store, PLANT, where, start, end, 10)
        assert [len(c) for c in (trend.time, trend.low, trend.mean, trend.high, trend.count)] == [0] * 5


def test_a_gateway_has_a_trend_too(store: HistoryStore) -> None:
    store.write_readings(batch([3, 3], [NOON, NOON + SECOND], [1.0, 0.0]), roster(), 1)
    trend = trend_of(store, PLANT, "GW-01", NOON, NOON + 2 * SECOND, 2)
    assert trend.mean.tolist() == [1, 0]


def test_a_gateways_clock_and_the_service_have_trends_and_are_no_readings(store: HistoryStore) -> None:
    known = roster(
        point(0, "GW-01", signal=GATEWAY_SIGNAL),
        point(1, "GW-01.clock", signal=GatewayPoint.CLOCK.signal),
        point(2, "DISK", signal=ServicePoint.DISK.signal, plant=SERVICE),
    )
    store.write_readings(batch([0, 1, 2], [NOON] * 3, [1.0, -0.25, 8192.0]), known, 1)
    trends = [(PLANT, "GW-01"), (PLANT, "GW-01.clock"), (SERVICE, "DISK")]
    assert [trend_of(store, *of, NOON, NOON + SECOND, 1).mean.tolist() for of in trends] == [[1], [-0.25], [8192]]
    assert store.count_readings() == 0


HOSTILE = [
    "x' OR 1=1 --",
    'x" OR "a"="a',
    "x\\",
    "x\\' OR 'a'='a",
    "a,b c=d",
    "x; DROP MEASUREMENT readings",
    "测点\n1",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_names_its_own_point_and_nothing_else(store: HistoryStore, name: str) -> None:
    readings = batch([0, 1], [NOON, NOON], [1.0, 2.0])
    store.write_readings(readings, roster(point(0, "CW-01"), point(1, name)), 1)
    assert trend_of(store, PLANT, name, NOON, NOON + 1, 1).high.tolist() == [2.0]
    assert trend_of(store, name, name, NOON, NOON + 1, 1).high.tolist() == []
    assert store.count_readings() == 2


def test_extreme_numbers_are_kept_exactly(store: HistoryStore) -> None:
    values = [0.1 + 0.2, 5e-324, 1.7976931348623157e308, -0.0, 1e16]
    store.write_readings(batch([0] * 5, [NOON + i for i in range(5)], values, [65_535] * 5), roster(), 1)
    assert trend_of(store, PLANT, "CW-01", NOON, NOON + 5, 5).high.tolist() == values


def test_alarm_events_differ_by_their_time_and_kind(kept: Kept) -> None:
    events = [named(alarm_event(n, kind, at=NOON + n * SECOND), n) for n, kind in enumerate(AlarmEventKind, start=1)]
    kept.store.write_alarm_events(events)
    assert kept.alarm_events() == len(AlarmEventKind)


def part(readings: Batch, start: int, end: int) -> Batch:
    return readings.take(np.arange(start, end))


def influx_alarm_events(url: str) -> int:
    query = {"db": "yujing", "q": 'SELECT count("limit") FROM alarms'}
    [result] = httpx.get(f"{url}/query", params=query, trust_env=False).json()["results"]
    return int(result["series"][0]["values"][0][1]) if "series" in result else 0


def influx_raised(url: str) -> list[int]:
    query = {"db": "yujing", "q": "SELECT raised FROM alarm_metrics"}
    [result] = httpx.get(f"{url}/query", params=query, trust_env=False).json()["results"]
    return [int(row[1]) for row in result["series"][0]["values"]] if "series" in result else []


def exported(url: str, metric: str) -> int:
    return len(export(url, metric))


def export(url: str, metric: str) -> list[float]:
    """The values that VictoriaMetrics holds, in the order of their times."""
    with httpx.Client(base_url=url, trust_env=False) as http:
        http.get("/internal/force_flush").raise_for_status()
        lines = http.get("/api/v1/export", params={"match[]": metric}).text.splitlines()
    return [value for line in lines for value in json.loads(line)["values"]]
