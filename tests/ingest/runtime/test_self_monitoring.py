"""What the service sees of itself arrives as readings of its own points, once a change and once a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from structlog.testing import capture_logs

from ingest.domain.model.batch import Batch
from ingest.domain.model.fault import Fault
from ingest.domain.model.plant import SERVICE, ServicePoint
from ingest.domain.model.text import Text
from ingest.plants.configuration import PlantConfiguration
from ingest.runtime import self_monitoring
from ingest.runtime.self_monitoring import AGAIN_S, LASTING_S, RecentChange, SelfMonitor
from ingest.runtime.settings import Settings
from ingest.runtime.settings.certificates import CertificateMonitor
from ingest.storage.journal.commit import Commit
from ingest.storage.journal.errors import JournalUnavailable
from ingest.storage.journal.journal import Journal
from ingest.storage.journal.reserve import DiskGuard
from tests.ingest.engine.bench import PATIENCE_S, Bench
from tests.small_plant import small_configuration

SECOND = 10**9


class Hands:
    """Takes what is handed on, by point."""

    def __init__(self, configuration: PlantConfiguration) -> None:
        self.names = {point.index: point.id for point in configuration.plants[SERVICE].points}
        self.taken: list[dict[str, float]] = []

    def observe(self, values: Sequence[tuple[int, float]]) -> None:
        self.taken.append({self.names[index]: value for index, value in values})


class Sight:
    """A clock and a number, both set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.value = 0.0

    def time(self) -> float:
        return self.now

    def read(self) -> float:
        return self.value


@pytest.fixture
def configuration(tmp_path: Path) -> PlantConfiguration:
    return small_configuration(tmp_path)


@pytest.fixture
def sight() -> Sight:
    return Sight()


def test_a_change_is_passed_on_at_once_and_an_unchanged_value_after_a_while(
    configuration: PlantConfiguration, sight: Sight
) -> None:
    hands = Hands(configuration)
    monitor = SelfMonitor({ServicePoint.DISK: sight.read}, lambda: configuration, hands.observe, sight.time)
    monitor.sample()
    monitor.sample()
    sight.value = 7.0
    monitor.sample()
    sight.now += AGAIN_S - 1
    monitor.sample()
    sight.now += 1
    monitor.sample()
    assert hands.taken == [{"DISK": 0.0}, {"DISK": 7.0}, {"DISK": 7.0}]


def test_changing_disk_space_is_passed_on_once_a_hundredth_is_gone(
    configuration: PlantConfiguration, sight: Sight
) -> None:
    hands = Hands(configuration)
    monitor = SelfMonitor({ServicePoint.DISK: sight.read}, lambda: configuration, hands.observe, sight.time)
    for sight.value in (5000.0, 4999.0, 4951.0, 4950.0, 4949.0, 40.0, 39.0):
        monitor.sample()
    sight.now += AGAIN_S
    sight.value = 38.9
    monitor.sample()
    assert hands.taken == [{"DISK": value} for value in (5000.0, 4950.0, 40.0, 39.0, 38.9)]


def test_a_part_that_cannot_be_seen_hides_no_other(configuration: PlantConfiguration, sight: Sight) -> None:
    """It is logged as an event, and again when it is seen again."""

    def blind() -> float:
        if sight.value == 0:
            raise JournalUnavailable("locked")
        return sight.value

    hands = Hands(configuration)
    both = {ServicePoint.JOURNAL_DAMAGE: blind, ServicePoint.BROKER: lambda: 1.0}
    monitor = SelfMonitor(both, lambda: configuration, hands.observe, sight.time)
    with capture_logs() as logs:
        monitor.sample()
    assert [(log["event"], log["point"]) for log in logs] == [("look_failed", "JOURNAL_DAMAGE")]
    sight.value = 3.0
    monitor.sample()
    assert hands.taken == [{"BROKER": 1.0}, {"JOURNAL_DAMAGE": 3.0}]


def test_an_occurrence_is_reported_for_ten_minutes(sight: Sight) -> None:
    """A session lost at the very start counts, too; a clock set and set back is nothing."""
    sight.value = 1.0
    change = RecentChange(sight.read, sight.time)
    assert change() == 1
    sight.now += LASTING_S / 2
    sight.value = 3.0
    assert change() == 3
    sight.now += LASTING_S / 2
    assert change() == 2
    sight.value = 1.0
    assert change() == 0
    sight.now += LASTING_S
    assert change() == 0


async def test_the_check_repeats_until_it_is_cancelled(
    configuration: PlantConfiguration, sight: Sight, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(self_monitoring, "EVERY_S", 0)
    twice = asyncio.Event()
    loop = asyncio.get_running_loop()

    def observe(values: Sequence[tuple[int, float]]) -> None:
        del values
        if sight.now >= 1000 + AGAIN_S:
            loop.call_soon_threadsafe(twice.set)
        sight.now += AGAIN_S

    monitor = SelfMonitor({ServicePoint.DISK: sight.read}, lambda: configuration, observe, sight.time)
    task = asyncio.create_task(monitor.run())
    async with asyncio.timeout(60):
        await twice.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


FAULT = Fault("token", "api.tokens.a.token", "(missing)", Text("密钥", "a secret"))


class Parts:
    """Stands for every part that is asked."""

    reading = True
    unmet = 0
    sessions_lost = 2
    clock_ahead_s = -28_800.2
    behind = 0
    created: int | None = None
    refused = ("a.toml",)
    unwatched = ()

    def lag(self) -> tuple[int, str | None]:
        return self.behind, None

    def oldest(self, connector: str) -> int | None:
        return self.created if connector == "inspector" else None

    def rejected(self) -> dict[str, int]:
        return {"county": 1, "former": 2}

    def expired(self) -> int:
        return 7

    def dropped_days(self) -> int:
        return 3

    def unusable_s(self) -> float:
        return 7.9

    def missing(self, older_than_s: float) -> int:
        return int(older_than_s)

    def read(self) -> tuple[int, int]:
        return time.time_ns(), -90 * SECOND


def test_a_state_database_that_was_away_for_long_is_an_alarm_once_it_is_back_also_after_a_restart(
    tmp_path: Path,
) -> None:
    """What the journal has of that time is judged then: the alarm bears its time, and is over."""
    bench = Bench(tmp_path)
    point = bench.engine.configuration.find(SERVICE, ServicePoint.STATE)
    assert point is not None
    for n, seconds in enumerate((0, 8, 59, 0, 8, 60, 400, 0)):
        at = np.array([bench.t0 + n * 10 * SECOND])
        batch = Batch(np.array([point.index], np.int32), at, np.array([float(seconds)]), np.zeros(1, np.uint16), at)
        bench.journal.append(Commit(batch, 1))
    bench.engine.start()
    for again in (False, True):
        if again:
            bench.restart()
        bench.settle()
        (alarm,) = [alarm for alarm in bench.found() if (alarm.plant, alarm.point) == (SERVICE, point.id)]
        assert (alarm.rule, alarm.level, alarm.raised) == ("H", 2, bench.t0 + 50 * SECOND)
        assert alarm.returned == bench.t0 + 70 * SECOND
    assert bench.engine.stop(PATIENCE_S)


def test_every_point_of_the_service_is_looked_at(tmp_path: Path) -> None:
    """Ages are those of the oldest thing that waits; nothing that waits is no age."""
    journal, parts = Journal(tmp_path / "journal.db"), Parts()
    for ago in (900, 700, 0):
        at = np.array([time.time_ns() - ago * SECOND])
        journal.append(Commit(Batch(np.zeros(1, np.int32), at, np.ones(1), np.zeros(1, np.uint16), at), 1))
    guard = DiskGuard([tmp_path], 0, free=lambda _: 5 * 2**20)
    ends = CertificateMonitor(Settings())
    names = ["county", "inspector"]
    all_: Any = parts
    found = self_monitoring.probes(journal, guard, all_, all_, all_, all_, all_, all_, names, all_, [FAULT], ends)
    assert list(found) == list(ServicePoint)
    assert {name: read() for name, read in found.items()} == {
        "DISK": 5, "STATE": 7, "BROKER": 1, "HISTORY": 0, "HISTORY_REFUSED": 0, "HISTORY_EXPIRED": 7,
        "HISTORY_DROPPED": 3, "OUTBOX": 0, "DEAD_LETTERS": 3, "CLOCK": -90,
        "TIME": -28_800, "SESSION": 2, "MISSING": 60,
        "JOURNAL_DAMAGE": 0, "QUARANTINE": 0, "PLANT_FILES": 1, "UNWATCHED": 0, "SETTINGS": 1, "CERTIFICATES": 1000,
        "BROKER_NEEDS": 0,
    }  # fmt: skip
    parts.behind, parts.created = 2, time.time_ns() - 800 * SECOND
    assert 700 <= found[ServicePoint.HISTORY]() < 800
    assert 800 <= found[ServicePoint.OUTBOX]() < 900
    journal.close()
