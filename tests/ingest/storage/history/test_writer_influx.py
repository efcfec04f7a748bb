"""The history writer on a real InfluxDB, that is killed, or refuses what it is given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ingest.base.config import Secret
from ingest.storage.history import writer as module
from ingest.storage.history.config import InfluxV1Config, InfluxV2Config
from ingest.storage.history.influx import InfluxStore
from ingest.storage.history.influx_v1 import InfluxV1Store
from ingest.storage.history.influx_v2 import InfluxV2Store
from ingest.storage.journal.commit import Commit
from ingest.storage.journal.journal import Journal
from tests.ingest.storage.history.influx_2 import influx_2_on
from tests.ingest.storage.history.made_up import NOON, SECOND, alarm_event, steady, until
from tests.ingest.storage.history.test_influx import spoil
from tests.ingest.storage.history.writing import (
    MemoryAlarms,
    MemoryJournal,
    count_requests,
    logged_as,
    running,
    writer_of,
)
from tests.servers import HTTP, influxd, influxd_server

pytestmark = pytest.mark.usefixtures("impatient")


def test_a_killed_influxdb_costs_nothing(journal: MemoryJournal, alarms: MemoryAlarms, tmp_path: Path) -> None:
    """SIGKILL in the middle of the stream, start again on the same data: every reading is there, once."""
    with influxd_server(tmp_path) as server:
        store = InfluxV1Store(InfluxV1Config(url=server.url, timeout_s=5))
        store.create_database()
        with running(writer_of(store, journal, alarms)) as writer:
            for n in range(60):
                if n == 20:
                    until(lambda: journal.position > 0)
                    server.kill()
                if n == 40:
                    until(lambda: writer.lag()[1] is not None)
                    server.start()
                journal.add(steady(1_000, start=NOON + n * 1_000 * SECOND))
            alarms.events.append(alarm_event(1))
            until(lambda: writer.lag() == (0, None) and alarms.position == 1)
        assert store.count_readings() == 60_000
        store.close()


def test_readings_influxdb_refuses_are_reported_and_all_others_stored(
    journal: MemoryJournal, alarms: MemoryAlarms, tmp_path: Path, logged: list[Any]
) -> None:
    """A field type conflict in one week of the past leaves the readings of every other week alone."""
    week = 7 * 24 * 3600 * SECOND
    readings = steady(3_000)
    readings.time[[5, 2_000]] -= 2 * week
    with influxd(tmp_path) as url:
        store = InfluxV1Store(InfluxV1Config(url=url))
        store.create_database()
        spoil(url, NOON - 2 * week)
        journal.add(readings)
        with running(writer_of(store, journal, alarms)):
            until(lambda: journal.position == 1)
        assert store.count_readings() == 2_998
        store.close()
    (line,) = logged_as(logged, "history_reading_rejected")
    assert (line["readings"], line["point"]) == (2, "T-01")
    assert "field type conflict" in line["reason"]


@pytest.mark.parametrize("version", [1, 2])
def test_one_cause_is_a_line_a_minute_and_few_rows_and_resolves_itself(
    alarms: MemoryAlarms, tmp_path: Path, logged: list[Any], monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    """An InfluxDB whose field has another type refuses every reading; once that is mended, nobody has to ask."""
    monkeypatch.setattr(module, "SAMPLE_EVERY_S", 0.01)
    monkeypatch.setenv("WRITER_TEST_TOKEN", "a token")
    journal = Journal(tmp_path / "journal.db")
    with influxd(tmp_path) as url, influx_2_on(url) as server:
        store: InfluxStore = InfluxV1Store(InfluxV1Config(url=url))
        if version == 2:
            store.close()
            store = InfluxV2Store(InfluxV2Config(url=server.url, org="yujing", token=Secret(env="WRITER_TEST_TOKEN")))
        spoil(url, NOON)
        with running(writer_of(store, journal, alarms)) as writer:
            for round_ in range(4):
                journal.append(Commit(steady(2_500, start=NOON + round_ * 2_500 * SECOND), 2_500))
                until(lambda: writer.lag() == (0, None))
            assert journal.refused() == 10_000
            assert journal.totals().quarantined <= 4 * 3
            query = {"db": "yujing", "q": "DROP MEASUREMENT readings"}
            HTTP.post(f"{url}/query", params=query).raise_for_status()
            until(lambda: journal.refused() == 0)
        assert store.count_readings() == 10_000
        store.close()
    journal.close()
    lines = logged_as(logged, "history_reading_rejected")
    assert sum(line["readings"] for line in lines) >= 10_000
    assert len(lines) <= 3, "the first at once, the rest with the next minute or the end"


def test_readings_beyond_every_retention_policy_cost_one_request_and_are_not_quarantined(
    journal: MemoryJournal, alarms: MemoryAlarms, tmp_path: Path, logged: list[Any]
) -> None:
    """A real InfluxDB drops all of them and says so: that is no fault, and they are not searched for one by one."""
    journal.add(steady(2_000, start=NOON - 20 * 365 * 24 * 3600 * SECOND))
    with influxd(tmp_path) as url:
        store = InfluxV1Store(InfluxV1Config(url=url))
        store.create_database()
        query = "CREATE RETENTION POLICY short ON yujing DURATION 520w REPLICATION 1 DEFAULT"
        HTTP.post(f"{url}/query", params={"q": query}).raise_for_status()
        sent = count_requests(store)
        with running(writer_of(store, journal, alarms)):
            until(lambda: journal.position == 1)
        store.close()
    assert sent == [2_000]
    assert not journal.held_items
    assert [line["items"] for line in logged_as(logged, "history_items_expired")] == [2_000]
