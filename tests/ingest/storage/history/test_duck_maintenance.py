"""Retention of the DuckDB file: days are deleted by age and for disk space, one at a time, in old files too."""

from __future__ import annotations

import fcntl
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from ingest.domain.model.batch import Batch
from ingest.domain.model.phase_record import PhaseRecord
from ingest.storage.history import duck_maintenance
from ingest.storage.history.config import DuckDBConfig
from ingest.storage.history.duck import DuckDBStore
from ingest.storage.history.errors import HistoryUnavailable
from ingest.storage.history.store import PhaseQuery
from tests.ingest.storage.history.made_up import PLANT, batch, configuration, trend_of
from tests.ingest.storage.history.upkept import (
    DAY,
    HOUR,
    MIDNIGHT,
    MINUTE,
    Clock,
    by_day,
    days_kept,
    days_of_readings,
    hold,
    opened,
)


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
    """A day at a time while the file is larger than it may be; then the need for more room is logged."""
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


def test_rollups_and_phases_are_dropped_after_their_own_time(path: Path, clock: Clock) -> None:
    store = opened(path, clock, retention_d=1, rollup_retention_d=2)
    days_of_readings(store, 4)
    phases = [PhaseRecord("p", "E-1", MIDNIGHT + day * DAY, "idle", 1) for day in range(4)]
    store.write_phases(phases)
    clock.now += 1_000_000
    log = hold(store, clock, MIDNIGHT + 4 * DAY, for_s=8 * 3_600)
    assert [*store.phases(PhaseQuery("p", "E-1", 0, MIDNIGHT + 9 * DAY))] == phases[2:]
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
    """Writes of a service that runs since the fifth midnight, two seconds apart; the events logged.

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
    """The days that were logged as dropped."""
    return [line["day"] for line in log if line["event"] == "history_day_dropped"]


def test_what_was_stored_too_old_is_dropped_within_a_minute_and_an_hour_later_the_next_day(
    path: Path, clock: Clock
) -> None:
    """Nothing was old at the first check; no hour passes before the next."""
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
