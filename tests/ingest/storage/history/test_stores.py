"""The contract of every history store, tested on DuckDB, real InfluxDB and VictoriaMetrics."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from ingest.base.config import Secret
from ingest.domain.model.flags import Flag
from ingest.storage.history.config import DuckDBConfig, InfluxV1Config, InfluxV2Config, StoreConfig
from ingest.storage.history.influx_v1 import InfluxV1Store
from ingest.storage.history.registry import KINDS, open_store
from ingest.storage.history.store import HistoryStore
from tests.conformance.history_phases import HistoryPhases
from tests.conformance.history_store import HistoryQueries, HistoryWrites, Kept
from tests.ingest.storage.history.influx_2 import influx_2_on
from tests.ingest.storage.history.made_up import NOON, SECOND, alarm_event, batch, configuration
from tests.servers import HTTP, free_port, influxd, victoria_metrics

TOKEN = "HISTORY_TEST_TOKEN"


@contextmanager
def duckdb(tmp: Path) -> Iterator[Kept]:
    again = partial(open_store, DuckDBConfig(path=tmp / "sub" / "history.duckdb"))
    store = again()

    def ask(query: str) -> list[int]:
        return [int(n) for n in store._file.query(query, {})["n"]]  # type: ignore[attr-defined]

    yield Kept(
        store,
        store.count_readings,
        lambda: ask("SELECT count(*) AS n FROM alarms")[0],
        lambda: ask("SELECT count(*) AS n FROM warnings")[0],
        lambda: ask("SELECT raised AS n FROM alarm_metrics ORDER BY position, time"),
        again,
    )
    store.close()


@contextmanager
def influxdb1(tmp: Path) -> Iterator[Kept]:
    with influxd(tmp) as url:
        again = partial(InfluxV1Store, InfluxV1Config(url=url))
        store = again()
        store.create_database()
        yield influx_kept(store, url, again)
        store.close()


@contextmanager
def influxdb2(tmp: Path) -> Iterator[Kept]:
    with influxd(tmp) as behind, influx_2_on(behind) as server:
        again = partial(open_store, InfluxV2Config(url=server.url, org="yujing", token=Secret(env=TOKEN)))
        store = again()
        yield influx_kept(store, behind, again)
        store.close()


@contextmanager
def victoriametrics(tmp: Path) -> Iterator[Kept]:
    with victoria_metrics(tmp) as url:
        again = partial(open_store, InfluxV2Config(url=url, org="yujing", token=Secret(env=TOKEN)))
        store = again()
        yield Kept(
            store,
            lambda: exported(url, "readings_value") + exported(url, "readings_quality"),
            lambda: exported(url, "alarms_limit"),
            lambda: exported(url, "warnings_risk"),
            lambda: [exported(url, "alarm_metrics_raised")],
            again,
        )
        store.close()


STORES = {"duckdb": duckdb, "influxdb1": influxdb1, "influxdb2": influxdb2}


class TestWrites(HistoryWrites):
    """Every store there is."""

    @pytest.fixture(params=[*STORES, "victoria-metrics"])
    def kept(self, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
        monkeypatch.setenv(TOKEN, "a token")
        with STORES.get(request.param, victoriametrics)(tmp_path) as kept:
            yield kept


class TestQueries(HistoryQueries, HistoryPhases):
    """Every store that answers queries."""

    @pytest.fixture(params=STORES)
    def kept(self, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
        monkeypatch.setenv(TOKEN, "a token")
        with STORES[request.param](tmp_path) as kept:
            yield kept

    @pytest.fixture(params=STORES)
    def unreachable(
        self, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Callable[[], HistoryStore]:
        """A file that is none of the kind, or a server that is not there."""
        monkeypatch.setenv(TOKEN, "a token")
        (tmp_path / "broken.duckdb").write_bytes(b"no database" * 1000)
        away = f"http://127.0.0.1:{free_port()}"
        configs: dict[str, StoreConfig] = {
            "duckdb": DuckDBConfig(path=tmp_path / "broken.duckdb"),
            "influxdb1": InfluxV1Config(url=away),
            "influxdb2": InfluxV2Config(url=away, org="yujing", token=Secret(env=TOKEN)),
        }
        return partial(open_store, configs[request.param])


def test_every_kind_of_the_registry_passes_both_suites() -> None:
    assert {*STORES} == {*KINDS}
    for name, kind in KINDS.items():
        assert kind.config.model_fields["kind"].default == name


HUGE = [3.4e38, -1e30, 9.3e12]


def test_victoria_metrics_keeps_what_lies_beside_a_number_too_large_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has one power of ten for many values of a series; the large ones are clipped, flagged, counted and logged."""
    monkeypatch.setenv(TOKEN, "a token")
    values = [50.25, *HUGE, 0.351, math.nan, 1.234567]
    readings = batch([0] * len(values), [NOON + at * SECOND for at in range(len(values))], values)
    with victoria_metrics(tmp_path) as url:
        store = open_store(InfluxV2Config(url=url, org="yujing", token=Secret(env=TOKEN)))
        with capture_logs() as log:
            store.write_readings(readings, configuration(), 1)
            store.write_readings(batch([1], [NOON], [85.0]), configuration(), 2)
        store.close()
        assert export(url, 'readings_value{point="CW-01"}') == [50.25, 9.2e12, -9.2e12, 9.2e12, 0.351, 1.234567]
        assert export(url, 'readings_quality{point="CW-01"}') == [*[Flag.CLIPPED] * 3, Flag.NO_VALUE]
    (clipped,) = log
    assert (clipped["event"], clipped["values"], clipped["point"], clipped["value"]) == (
        "history_clipped",
        3,
        "CW-01",
        3.4e38,
    )


def test_victoria_metrics_keeps_alarm_values_beside_one_too_large_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The events of one rule are one series, too."""
    monkeypatch.setenv(TOKEN, "a token")
    events = [alarm_event(1 + at, at=NOON + at * SECOND) for at in range(3)]
    events[1] = replace(events[1], alarm=replace(events[1].alarm, value=3.4e38))
    with victoria_metrics(tmp_path) as url:
        store = open_store(InfluxV2Config(url=url, org="yujing", token=Secret(env=TOKEN)))
        with capture_logs() as log:
            store.write_alarm_events(events)
        store.close()
        assert export(url, "alarms_value") == [events[0].alarm.value, 9.2e12, events[2].alarm.value]
    assert [line["event"] for line in log] == ["history_clipped"]


def influx_kept(store: HistoryStore, url: str, again: Callable[[], HistoryStore]) -> Kept:
    return Kept(
        store,
        store.count_readings,
        lambda: influx_count(url, "limit", "alarms"),
        lambda: influx_count(url, "risk", "warnings"),
        lambda: influx_raised(url),
        again,
    )


def influx_count(url: str, column: str, measurement: str) -> int:
    query = {"db": "yujing", "q": f'SELECT count("{column}") FROM {measurement}'}  # noqa: S608  of constants
    [result] = HTTP.get(f"{url}/query", params=query).json()["results"]
    return int(result["series"][0]["values"][0][1]) if "series" in result else 0


def influx_raised(url: str) -> list[int]:
    query = {"db": "yujing", "q": "SELECT raised FROM alarm_metrics"}
    [result] = HTTP.get(f"{url}/query", params=query).json()["results"]
    return [int(row[1]) for row in result["series"][0]["values"]] if "series" in result else []


def exported(url: str, metric: str) -> int:
    return len(export(url, metric))


def export(url: str, metric: str) -> list[float]:
    """The values that VictoriaMetrics holds, in the order of their times."""
    with httpx.Client(base_url=url, trust_env=False) as http:
        http.get("/internal/force_flush").raise_for_status()
        lines = http.get("/api/v1/export", params={"match[]": metric}).text.splitlines()
    return [value for line in lines for value in json.loads(line)["values"]]
