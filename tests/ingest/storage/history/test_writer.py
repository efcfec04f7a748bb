"""The history writer loses nothing, duplicates nothing and blocks nobody, whatever the store does."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from structlog.testing import capture_logs

from ingest.base.pace import Pace
from ingest.domain.model.alarm import AlarmEventKind
from ingest.domain.model.batch import Batch, empty_batch
from ingest.plants.configuration import PlantConfiguration
from ingest.storage.history import writer as module
from ingest.storage.history.config import DuckDBConfig
from ingest.storage.history.duck import DuckDBStore
from ingest.storage.history.errors import HistoryUnavailable
from ingest.storage.history.quarantine import decode_alarms, decode_readings
from ingest.storage.history.store import HistoryStore
from ingest.storage.history.writer import READER, HistoryWriter, _delay_s
from ingest.storage.journal.commit import Commit
from ingest.storage.journal.journal import Journal
from ingest.storage.journal.quarantine import Quarantine, QuarantineFilter
from ingest.storage.journal.records import Quarantined
from tests.ingest.storage.history.made_up import NOON, SECOND, alarm_event, batch, configuration, steady, until
from tests.ingest.storage.history.writing import (
    BAD,
    MemoryAlarms,
    MemoryJournal,
    MemoryStore,
    as_it_is,
    logged_as,
    running,
    writer_of,
)

pytestmark = pytest.mark.usefixtures("impatient")


def test_everything_journaled_reaches_the_store_in_order(journal: MemoryJournal, alarms: MemoryAlarms) -> None:
    """What is there at the start, and what comes while it runs."""
    store = MemoryStore()
    journal.add(steady(100))
    alarms.events.append(alarm_event(1))
    with running(writer_of(store, journal, alarms)) as writer:
        until(lambda: journal.position == 1)
        journal.add(empty_batch())
        journal.add(steady(100, start=NOON + 100 * SECOND))
        alarms.events.append(alarm_event(2, AlarmEventKind.RETURNED, at=NOON + SECOND))
        until(lambda: journal.position == 3 and alarms.position == 2)
        assert writer.lag() == (0, None)
    assert store.times == [NOON + n * SECOND for n in range(200)]
    assert [event.seq for event in store.events] == [1, 2]


def test_a_cycle_is_bounded(journal: MemoryJournal, alarms: MemoryAlarms, monkeypatch: pytest.MonkeyPatch) -> None:
    """However far behind, memory holds one write: the journal is the queue."""
    monkeypatch.setattr(module, "READINGS", 50)
    store = MemoryStore()
    for n in range(20):
        journal.add(steady(25, start=NOON + n * 25 * SECOND))
    with running(writer_of(store, journal, alarms)):
        until(lambda: journal.position == 20)
    assert (store.tries, len(store.times)) == (10, 500)


def test_a_backlog_is_carried_without_pause(
    journal: MemoryJournal, alarms: MemoryAlarms, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pause after a write is for few readings; writes that are nearly full follow each other at once."""
    monkeypatch.setattr(module, "READINGS", 50)
    for n in range(20):
        journal.add(steady(30, start=NOON + n * 30 * SECOND))
    pace = Pace(1_000, least_s=1_000)
    with running(
        HistoryWriter(MemoryStore(), journal, alarms, configuration=configuration, add_flags=as_it_is, pace=pace)
    ):
        until(lambda: journal.position == 20)


def test_the_flags_of_a_cycle_are_added_in_one_call(journal: MemoryJournal, alarms: MemoryAlarms) -> None:
    """The flags of readings are computed for a whole write at once, and reach the store."""
    calls: list[int] = []

    def count(readings: Batch, _: PlantConfiguration) -> Batch:
        calls.append(len(readings))
        return readings.with_flags(np.full(len(readings), 8, np.uint16))

    store = MemoryStore()
    journal.add(steady(2))
    journal.add(empty_batch())
    journal.add(steady(3, start=NOON + 60 * SECOND))
    with running(HistoryWriter(store, journal, alarms, configuration=configuration, add_flags=count)):
        until(lambda: journal.position == 3)
    assert calls == [5]
    assert store.flags == [8] * 5


def test_an_outage_loses_nothing_and_is_reported(
    journal: MemoryJournal, alarms: MemoryAlarms, logged: list[Any]
) -> None:
    store = MemoryStore(away=HistoryUnavailable("connection refused"))
    journal.add(steady(10))
    alarms.events.append(alarm_event(1))
    with running(writer_of(store, journal, alarms)) as writer:
        until(lambda: len(logged_as(logged, "history_delayed")) >= 3)
        assert writer.lag() == (1, "connection refused")
        assert (journal.position, alarms.position) == (0, 0)
        journal.add(steady(10, start=NOON + 10 * SECOND))
        store.away = None
        until(lambda: journal.position == 2)
        until(lambda: writer.lag() == (0, None))
    assert len(store.times) == 20
    assert len(store.events) == 1
    assert [line["failures"] for line in logged_as(logged, "history_delayed")][:3] == [1, 2, 3]


def is_at(journal: MemoryJournal, entry: int) -> bool:
    """Whether the writer has come so far."""
    return journal.position == entry


def test_a_sample_too_old_by_now_says_nothing_of_the_others_refused(
    journal: MemoryJournal, alarms: MemoryAlarms, logged: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store kept nothing of it, so what it refused stays where it is, until one is taken."""
    monkeypatch.setattr(module, "SAMPLE_EVERY_S", 0.0)
    store = MemoryStore()
    readings = steady(3)
    readings.value[1] = BAD
    journal.add(readings)
    with running(writer_of(store, journal, alarms)) as writer:
        until(lambda: is_at(journal, 1))
        store.oldest = NOON + 10 * SECOND
        before = store.tries
        until(lambda: store.tries > before + 3)
        assert (len(journal.held_items), journal.marked, writer.refusing()) == (1, set(), None)
    assert not logged_as(logged, "history_takes_again")


def test_a_store_that_answers_and_refuses_everything_is_not_reported_as_healthy(
    journal: MemoryJournal, alarms: MemoryAlarms
) -> None:
    """A bad reading now and then is not the store's fault; several writes in a row of which nothing is taken are."""
    good = steady(2)
    bad = replace(good, value=np.full(2, BAD))
    with running(writer_of(MemoryStore(), journal, alarms)) as writer:
        for number, batch in enumerate([bad, bad, good, bad, bad, bad, good], start=1):
            journal.add(batch)
            until(functools.partial(is_at, journal, number))
            assert writer.refusing() == ("readings: cannot store 666" if number == 6 else None)
        assert writer.lag() == (0, None)


def test_waits_double_up_to_thirty_seconds_and_honour_the_stores_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_DELAY_S", 0.5)
    for failures, longest in ((1, 0.5), (2, 1.0), (4, 4.0), (7, 30.0), (10_000, 30.0)):
        waits = [_delay_s(HistoryUnavailable("away"), failures) for _ in range(200)]
        assert longest / 2 <= min(waits) < max(waits) <= longest
    assert _delay_s(HistoryUnavailable("busy", retry_after_s=77), 1) == 77
    assert _delay_s(HistoryUnavailable("busy", retry_after_s=1e9), 1) == module.LONGEST_REQUESTED_S


def test_it_stops_at_once_even_while_it_waits(journal: MemoryJournal, alarms: MemoryAlarms) -> None:
    store = MemoryStore(away=HistoryUnavailable("busy", retry_after_s=200))
    journal.add(steady(10))
    writer = writer_of(store, journal, alarms)
    writer.start()
    until(lambda: writer.lag()[1] == "busy")
    assert writer.stop(100), "it does not wait for the rest of the 200 s"


def test_it_stops_at_once_while_nothing_comes(
    journal: MemoryJournal, alarms: MemoryAlarms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "IDLE_S", 1000.0)
    writer = writer_of(MemoryStore(), journal, alarms)
    writer.start()
    until(lambda: journal.waits > 0)
    assert writer.stop(100), "it does not wait for the rest of the 1000 s"


def test_it_stops_in_the_middle_of_refusals(journal: MemoryJournal, alarms: MemoryAlarms) -> None:
    """Thousands of bad readings do not hold up a stop, and none is given up: the cursor stands."""
    journal.add(batch([0] * 5_000, range(5_000), [BAD] * 5_000))

    class StoppedInBetween(MemoryStore):
        def write_readings(self, batch: Batch, configuration: PlantConfiguration, first_entry: int | None) -> int:
            if self.tries == 20:
                writer._stopping.set()
            return super().write_readings(batch, configuration, first_entry)

    store = StoppedInBetween()
    writer = writer_of(store, journal, alarms)
    with capture_logs():
        writer.start()
        until(writer._stopping.is_set)
        assert writer.stop(5)
    assert store.tries == 21
    assert journal.position == 0


def test_one_bad_reading_blocks_nobody_and_is_reported(
    journal: MemoryJournal, alarms: MemoryAlarms, logged: list[Any]
) -> None:
    store = MemoryStore()
    readings = steady(1_000)
    readings.value[[17, 900]] = BAD
    journal.add(readings)
    with running(writer_of(store, journal, alarms)) as writer:
        until(lambda: journal.position == 1)
        assert writer.lag() == (0, None)
    assert sorted(store.times) == [NOON + n * SECOND for n in range(1_000) if n not in {17, 900}]
    (line,) = logged_as(logged, "history_reading_rejected")
    assert (line["point"], line["time"], line["value"]) == ("T-01", NOON + 17 * SECOND, BAD)
    assert (line["readings"], line["reason"]) == (2, "cannot store 666")
    assert logged_as(logged, "history_written")[0]["readings"] == 998


def test_a_refusal_is_reported_once_though_the_store_was_unavailable_meanwhile(
    journal: MemoryJournal, alarms: MemoryAlarms, logged: list[Any]
) -> None:
    store = MemoryStore(away_for_single=2)
    readings = steady(4)
    readings.value[1] = BAD
    journal.add(readings)
    with running(writer_of(store, journal, alarms)):
        until(lambda: journal.position == 1)
    assert len(logged_as(logged, "history_delayed")) == 2
    assert len(logged_as(logged, "history_reading_rejected")) == 1


def test_one_bad_alarm_event_blocks_nobody_and_is_reported(
    journal: MemoryJournal, alarms: MemoryAlarms, logged: list[Any]
) -> None:
    alarms.events += [alarm_event(1), alarm_event(2, rule="BAD RULE"), alarm_event(3, rule="L")]
    store = MemoryStore()
    with running(writer_of(store, journal, alarms)):
        until(lambda: alarms.position == 3)
    assert [event.seq for event in store.events] == [1, 3]
    [line] = logged_as(logged, "history_alarm_event_rejected")
    assert (line["seq"], line["rule"], line["reason"]) == (2, "BAD RULE", "cannot store that rule")


def test_the_thread_outlives_errors_nobody_thought_of(
    journal: MemoryJournal, alarms: MemoryAlarms, logged: list[Any]
) -> None:
    broken = True

    def judge(readings: Batch, _: PlantConfiguration) -> Batch:
        if broken:
            raise ZeroDivisionError
        return readings

    store = MemoryStore()
    journal.add(steady(10))
    with running(HistoryWriter(store, journal, alarms, configuration=configuration, add_flags=judge)) as writer:
        until(lambda: writer.lag()[1] == "ZeroDivisionError")
        broken = False
        until(lambda: journal.position == 1)
    assert len(store.times) == 10


def test_a_writer_that_does_not_run_says_so(journal: MemoryJournal, alarms: MemoryAlarms) -> None:
    journal.add(steady(1))
    writer = writer_of(MemoryStore(), journal, alarms)
    assert writer.lag() == (1, "the history writer is not running")
    with running(writer):
        pass
    assert writer.lag()[1] == "the history writer is not running"


def test_a_crash_between_the_write_and_its_cursor_doubles_nothing(
    journal: MemoryJournal, alarms: MemoryAlarms, tmp_path: Path, logged: list[Any]
) -> None:
    """The write is repeated from the same cursor, now with more behind it."""
    store = DuckDBStore(DuckDBConfig(path=tmp_path / "h.duckdb"))
    journal.save_fails = 3
    for n in range(3):
        journal.add(steady(100, start=NOON + n * 100 * SECOND))
    with running(writer_of(store, journal, alarms)):
        until(lambda: bool(logged_as(logged, "history_delayed")))
        journal.add(steady(100, start=NOON + 300 * SECOND))
        until(lambda: journal.position == 4)
    assert store.count_readings() == 400
    store.close()


def test_refused_items_are_quarantined_before_the_cursor_passes_them(
    journal: MemoryJournal, alarms: MemoryAlarms, logged: list[Any]
) -> None:
    """On disk, whole and once: a write repeated after a failed cursor quarantines nothing twice."""
    readings = steady(100)
    readings.value[[3, 50]] = BAD
    journal.add(readings)
    journal.save_fails = 2
    alarms.events.append(alarm_event(1, rule="BAD RULE"))
    with running(writer_of(MemoryStore(), journal, alarms)):
        until(lambda: journal.position == 1 and alarms.position == 1)
    assert set(journal.passed) == {0}
    kept = list(journal.held_items.values())
    assert [(item.topic, item.reason, item.detail) for item in kept] == [
        ("history/alarms", "history-rejected", "cannot store that rule"),
        ("history/readings", "history-rejected", "cannot store 666"),
    ]
    assert sum(item.readings for item in kept) == 2
    assert decode_alarms(kept[:1]) == alarms.events
    again = decode_readings(kept[1:])
    for name in ("point", "time", "value", "flags", "received"):
        assert getattr(again, name).tolist() == getattr(readings.take(np.array([3, 50])), name).tolist()


@pytest.mark.parametrize("kind", ["memory", "duckdb"])
def test_what_was_refused_is_written_when_a_person_asks_for_it(
    kind: str, alarms: MemoryAlarms, tmp_path: Path, logged: list[Any]
) -> None:
    """In a real journal: marked for retry, written again, gone from the quarantine; what is refused again stays."""
    journal = Journal(tmp_path / "journal.db")
    store = MemoryStore()
    readings = steady(100)
    readings.value[[3, 50]] = BAD
    journal.append(Commit(readings, 100))
    alarms.events.append(alarm_event(1, rule="BAD RULE"))
    with running(writer_of(store, journal, alarms)):
        until(lambda: journal.cursor(READER) == 1)
    assert journal.totals().quarantined_readings == 2
    newer: HistoryStore = DuckDBStore(DuckDBConfig(path=tmp_path / "h.duckdb")) if kind == "duckdb" else store
    with Quarantine(tmp_path / "journal.db", writing=True) as quarantine:
        assert quarantine.retry(QuarantineFilter(reason="history-rejected")) == 2
    with running(writer_of(newer, journal, alarms)):
        until(lambda: not journal.to_retry(10, history=True))
    left = journal.quarantined(limit=10)
    if kind == "duckdb":  # takes everything
        assert left == []
        assert newer.count_readings() == 2
    else:
        assert len(left) == 2
        assert {item.detail for item in left} == {"cannot store 666", "cannot store that rule"}
    newer.close()
    journal.close()


def test_a_row_that_cannot_be_read_is_put_back_and_blocks_nobody(journal: MemoryJournal, alarms: MemoryAlarms) -> None:
    journal.quarantine([Quarantined(0, 1, "history/readings", "history-rejected", "no", 1, b"{")])
    journal.marked |= journal.held_items.keys()
    with running(writer_of(MemoryStore(), journal, alarms)) as writer:
        until(lambda: not journal.marked)
        assert writer.lag() == (0, None)
    [item] = journal.held_items.values()
    assert item.detail.startswith("cannot be written again: ")
