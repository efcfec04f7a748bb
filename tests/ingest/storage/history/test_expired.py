"""Readings older than the store's retention are no fault: counted, reported in one line, and not quarantined."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from ingest.base.config import Secret
from ingest.domain.alarms.slot import SLOT
from ingest.domain.model.alarm import AlarmEvent
from ingest.domain.model.batch import concat
from ingest.storage.history import slots
from ingest.storage.history.answers import error_of
from ingest.storage.history.config import InfluxV1Config, InfluxV2Config
from ingest.storage.history.errors import HistoryExpired, HistoryRejected
from ingest.storage.history.influx import InfluxStore
from ingest.storage.history.registry import open_store
from ingest.storage.journal.commit import Commit
from ingest.storage.journal.journal import Journal
from tests.conformance.history_refusals import HistoryRefusals, Refusing
from tests.ingest.storage.history.influx_2 import Wording, influx_2_on
from tests.ingest.storage.history.made_up import SECOND, alarm_event, configuration, steady, until
from tests.ingest.storage.history.test_slots import World
from tests.ingest.storage.history.writing import (
    MemoryAlarms,
    count_requests,
    logged_as,
    running,
    writer_of,
)
from tests.servers import HTTP, influxd

pytestmark = pytest.mark.usefixtures("impatient")

HOUR = 3_600 * SECOND
DAY_S = 24 * 3_600


@dataclass
class Kept:
    """A store that keeps a day, and the 1.x server that has its readings."""

    store: InfluxStore
    behind: str

    def spoil(self, at: int) -> None:
        """Make `value` a string in the hour of that time."""
        line = f'readings,plant=x value="text" {at}'
        HTTP.post(f"{self.behind}/write", params={"db": "day"}, content=line).raise_for_status()


@contextmanager
def influxdb_1(tmp: Path) -> Iterator[Kept]:
    with influxd(tmp) as url:
        query = {"q": "CREATE DATABASE day WITH DURATION 1d"}
        HTTP.post(f"{url}/query", params=query).raise_for_status()
        yield Kept(cast("InfluxStore", open_store(InfluxV1Config(url=url, database="day"))), url)


@contextmanager
def influxdb_2(tmp: Path, wording: Wording) -> Iterator[Kept]:
    with influxd(tmp) as behind, influx_2_on(behind, wording) as server:
        server.make("day", DAY_S)
        config = InfluxV2Config(url=server.url, org="yujing", bucket="day", token=Secret(env="EXPIRED_TEST_TOKEN"))
        yield Kept(cast("InfluxStore", open_store(config)), behind)


@pytest.fixture(params=["1", "2.9", "2.7.12", "2.7"])
def kept(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    """A real 1.x, and 2.x in the words of several of its versions."""
    monkeypatch.setenv("EXPIRED_TEST_TOKEN", "a token")
    with influxdb_1(tmp_path) if request.param == "1" else influxdb_2(tmp_path, request.param) as kept:
        yield kept
        kept.store.close()


def test_a_hundred_thousand_expired_readings_are_one_line_and_nothing_in_quarantine(
    kept: Kept, tmp_path: Path, logged: list[Any]
) -> None:
    """Each is sent once, and what came among them is stored."""
    journal = Journal(tmp_path / "journal.db")
    now = time.time_ns()
    old = steady(100_000, start=now - 240 * HOUR)
    sent = count_requests(kept.store)
    with running(writer_of(kept.store, journal, MemoryAlarms())) as writer:
        for round_ in range(5):
            part = concat(
                [old.take(np.arange(round_ * 20_000, (round_ + 1) * 20_000)), steady(10, start=now + round_ * HOUR)]
            )
            journal.append(Commit(part, len(part)))
        until(lambda: writer.lag() == (0, None) and sum(sent) >= 100_050, 120)
        assert len(logged_as(logged, "history_items_expired")) == 1
        assert (writer.expired(), writer.refusing()) == (100_000, None)
    assert sum(sent) == 100_050
    assert journal.refused() == 0
    journal.close()
    lines = logged_as(logged, "history_items_expired")
    assert {line["what"] for line in lines} == {"readings"}
    assert sum(line["items"] for line in lines) == 100_000, "all the rest at the end, or a minute later"
    assert sum(line["readings"] for line in logged_as(logged, "history_written")) == 50
    assert kept.store.count_readings() == 50


class TestRefusals(HistoryRefusals):
    @pytest.fixture
    def refusing(self, kept: Kept) -> Refusing:
        """By its type, or its age: of another type in their hour, and older than a day."""
        now = time.time_ns()
        kinds = np.random.default_rng(7).permutation(np.repeat([0, 1, 2], [40, 15, 5]))
        readings = steady(len(kinds), start=now, step=1)
        readings.time[kinds == 1] -= 240 * HOUR
        readings.time[kinds == 2] -= 5 * HOUR
        kept.spoil(now - 5 * HOUR)
        bad, expired = (frozenset(np.flatnonzero(kinds == kind).tolist()) for kind in (2, 1))
        return Refusing(kept.store, readings, bad, expired)


def test_readings_refused_among_expired_ones_are_found_and_all_others_stored(
    kept: Kept, tmp_path: Path, logged: list[Any]
) -> None:
    """Whatever the order; the server does not mention the expired ones where it reports a conflict."""
    journal = Journal(tmp_path / "journal.db")
    now = time.time_ns()
    rng = np.random.default_rng(7)
    kinds = rng.permutation(np.repeat([0, 1, 2], [400, 100, 5]))  # stored, expired, of another type in their hour
    readings = steady(len(kinds), start=now, step=1)
    readings.time[kinds == 1] -= 240 * HOUR
    readings.time[kinds == 2] -= 5 * HOUR
    kept.spoil(now - 5 * HOUR)
    with running(writer_of(kept.store, journal, MemoryAlarms())) as writer:
        journal.append(Commit(readings, len(readings)))
        until(lambda: writer.lag() == (0, None), 60)
        assert (journal.refused(), writer.expired()) == (5, 100)
    journal.close()
    (line,) = logged_as(logged, "history_reading_rejected")
    assert (line["readings"], "field type conflict" in line["reason"]) == (5, True)
    assert sum(line["items"] for line in logged_as(logged, "history_items_expired")) == 100
    assert [line["readings"] for line in logged_as(logged, "history_written")] == [400]
    assert kept.store.count_readings() == 400


def test_alarm_events_older_than_the_store_keeps_are_counted_too(kept: Kept) -> None:
    now = time.time_ns()
    events: list[AlarmEvent] = [alarm_event(1, at=now - 240 * HOUR), alarm_event(2, at=now)]
    assert kept.store.write_alarm_events(events) == 1
    assert kept.store.write_readings(steady(3, start=now), configuration(), 1) == 0


def test_alarm_metrics_older_than_the_store_keeps_are_no_fault(logged: list[Any]) -> None:
    """A week of them after an outage is one line, and the rest with the next."""
    world = World(expired=1)
    carrier = slots.SlotCarrier(world, MemoryAlarms(), world, lambda: world.now)  # type: ignore[arg-type]
    for _ in range(5):
        carrier()
        world.now += SLOT
    assert [(line["what"], line["items"]) for line in logged_as(logged, "history_items_expired")] == [
        ("alarm metrics", 1)
    ]
    assert not logged_as(logged, "history_alarm_metrics_rejected")


BOUND = "dropped because it violates a Retention Policy Lower Bound at 2025-05-20T19:06:17.612973Z"
OUTSIDE = (
    "failure writing points to database: partial write: dropped 4 points outside retention policy of duration 24h0m0s"
    " - oldest point home,room=Living\\ Room at 1970-01-01T00:00:01.541Z {}, newest point home,room=Living\\ Room at"
    " 1970-01-01T00:00:01.5410006Z {}"
)


@pytest.mark.parametrize(
    "message",
    [
        "partial write: points beyond retention policy dropped=4",
        "failure writing points to database: partial write: points beyond retention policy dropped=4",
        OUTSIDE.format(BOUND, BOUND),
        OUTSIDE.format(BOUND, BOUND) + " dropped=4 for database: 9f282d63c7d3a5c0 for retention policy: autogen",
    ],
)
def test_every_wording_of_older_than_the_retention_is_understood(message: str) -> None:
    error = error_of(422, f'{{"message": "{message}"}}'.replace("\\", "\\\\"), None, 0)
    assert isinstance(error, HistoryExpired)
    assert error.expired == 4


@pytest.mark.parametrize(
    "message",
    [
        OUTSIDE.format(BOUND, BOUND.replace("Retention Policy Lower", "Write Window Upper")),
        OUTSIDE.format(BOUND.replace("Retention Policy Lower", "Write Window Lower"), BOUND),
        "partial write: field type conflict: input field 'points beyond retention policy dropped=4' on measurement",
        "unable to parse 'm,a=partial\\ write:\\ points\\ beyond\\ retention\\ policy\\ dropped=4 v=': missing",
        "partial write: max-values-per-tag limit exceeded (100001/100000): measurement='m' dropped=4",
        "partial write: unable to parse 'm v=': missing field value dropped=0",
        "points beyond retention policy",
    ],
)
def test_nothing_else_is_taken_for_it(message: str) -> None:
    """Points too far ahead, a conflict, a name that somebody chose."""
    error = error_of(422, f'{{"message": "{message}"}}'.replace("\\", "\\\\"), None, 0)
    assert isinstance(error, HistoryRejected)
