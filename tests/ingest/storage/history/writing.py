"""A history writer on a journal, alarms and a store in memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from ingest.domain.alarms.slot import AlarmSlot
from ingest.domain.model.alarm import AlarmEvent
from ingest.domain.model.batch import Batch
from ingest.domain.model.phase_record import PhaseRecord
from ingest.domain.model.warning import WarningEvent
from ingest.plants.configuration import PlantConfiguration
from ingest.storage.history.errors import HistoryRejected, HistoryUnavailable
from ingest.storage.history.feeds import JournalFeed
from ingest.storage.history.influx import InfluxStore
from ingest.storage.history.line_protocol import Precision
from ingest.storage.history.store import HistoryStore, PhaseQuery, Trend, TrendQuery
from ingest.storage.history.writer import READER, HistoryWriter
from ingest.storage.journal.records import Entry, Quarantined
from tests.ingest.storage.history.made_up import configuration

BAD = 666.0


@dataclass
class MemoryJournal:
    """The journal's part of the bargain, in memory; its cursor may be made to fail once."""

    entries: list[Entry] = field(default_factory=list)
    position: int = 0
    save_fails: int = 0
    held_items: dict[tuple[str, bytes], Quarantined] = field(default_factory=dict)
    marked: set[tuple[str, bytes]] = field(default_factory=set)  # for a retry
    passed: list[int] = field(default_factory=list)  # where the cursor stood whenever something was put aside
    news: threading.Condition = field(default_factory=threading.Condition)
    waits: int = 0  # for something new, until now

    def add(self, readings: Batch) -> None:
        with self.news:
            self.entries.append(Entry(len(self.entries) + 1, readings))
            self.news.notify_all()

    def read(self, after: int, limit: int) -> Sequence[Entry]:
        taken: list[Entry] = []
        for entry in self.entries[after:]:
            if taken and sum(len(e.batch) for e in [*taken, entry]) > limit:
                break
            taken.append(entry)
        return taken

    def last(self) -> int:
        return len(self.entries)

    def wait(self, after: int, timeout_s: float) -> bool:
        with self.news:
            if len(self.entries) <= after:
                self.waits += 1
                self.news.wait(timeout_s)
            return len(self.entries) > after

    def wake(self) -> None:
        with self.news:
            self.news.notify_all()

    def cursor(self, name: str) -> int:
        assert name == READER
        return self.position

    def save_cursor(self, name: str, position: int) -> None:
        assert name == READER
        if self.save_fails:
            self.save_fails -= 1
            raise OSError("disk I/O error")
        self.position = position

    def to_retry(self, limit: int, *, history: bool) -> Sequence[Quarantined]:
        assert history
        return [self.held_items[key] for key in sorted(self.marked)][:limit]

    def refused_after(self, after: int) -> Quarantined | None:
        waiting = [item for key, item in self.held_items.items() if item.id > after and key not in self.marked]
        return min(waiting, key=lambda item: item.id, default=None)

    def retry_refused(self) -> int:
        before = len(self.marked)
        self.marked |= self.held_items.keys()
        return len(self.marked) - before

    def quarantine(self, items: Sequence[Quarantined], *, retried: Sequence[int] = ()) -> None:
        self.passed.append(self.position)
        for key in [key for key, item in self.held_items.items() if item.id in retried]:
            del self.held_items[key]
            self.marked.discard(key)
        for item in items:
            key = item.topic, item.payload
            self.held_items.setdefault(key, replace(item, id=len(self.held_items) + 1))


@dataclass
class MemoryAlarms:
    """The alarm event log, in memory."""

    events: list[AlarmEvent] = field(default_factory=list)
    position: int = 0

    def events_after(self, seq: int, *, limit: int) -> Sequence[AlarmEvent]:
        return [event for event in self.events if event.seq > seq][:limit]

    def reader_cursor(self, name: str) -> int:
        return self.position

    def save_reader_cursor(self, name: str, position: int) -> None:
        self.position = position


@dataclass
class MemoryStore:
    """A store that keeps what it is given, but for bad values, and while it is not away."""

    away: HistoryUnavailable | None = None
    away_for_single: int = 0  # so many writes of a single reading fail
    times: list[int] = field(default_factory=list)
    flags: list[int] = field(default_factory=list)
    events: list[AlarmEvent] = field(default_factory=list)
    tries: int = 0
    phase_records: list[PhaseRecord] = field(default_factory=list)  # as written, also twice
    refuses_phases: HistoryRejected | HistoryUnavailable | None = None
    oldest: int = 0  # what is older is not kept, and no fault

    def write_readings(self, batch: Batch, configuration: PlantConfiguration, first_entry: int | None) -> int:
        self.tries += 1
        if self.away:
            raise self.away
        if len(batch) == 1 and self.away_for_single:
            self.away_for_single -= 1
            raise HistoryUnavailable("away in the middle")
        if ((batch.value == BAD) & (batch.time >= self.oldest)).any():
            raise HistoryRejected("cannot store 666")
        expired = int((batch.time < self.oldest).sum())
        self.times += batch.time.tolist()
        self.flags += batch.flags.tolist()
        return expired

    def write_alarm_events(self, events: Sequence[AlarmEvent]) -> int:
        if self.away:
            raise self.away
        if any(event.alarm.rule == "BAD RULE" for event in events):
            raise HistoryRejected("cannot store that rule")
        self.events += events
        return 0

    def write_warning_events(self, events: Sequence[WarningEvent]) -> int:
        raise NotImplementedError

    def write_alarm_slots(self, slots: Sequence[AlarmSlot]) -> int:
        raise NotImplementedError

    def write_phases(self, records: Sequence[PhaseRecord]) -> int:
        if self.refuses_phases:
            raise self.refuses_phases
        self.phase_records += records
        return sum(record.time < self.oldest for record in records)

    def phases(self, query: PhaseQuery) -> Sequence[PhaseRecord]:
        raise NotImplementedError

    def trends(self, queries: Sequence[TrendQuery]) -> Sequence[Trend]:
        raise NotImplementedError

    def dropped_days(self) -> int:
        return 0

    def count_readings(self) -> int:
        return len(self.times)

    def close(self) -> None:
        """Nothing to let go of."""


def as_it_is(readings: Batch, _: PlantConfiguration) -> Batch:
    return readings


def writer_of(store: HistoryStore, journal: JournalFeed, alarms: MemoryAlarms) -> HistoryWriter:
    return HistoryWriter(store, journal, alarms, configuration=configuration, add_flags=as_it_is)


@contextmanager
def running(writer: HistoryWriter) -> Iterator[HistoryWriter]:
    writer.start()
    try:
        yield writer
    finally:
        assert writer.stop(5)


def logged_as(logged: list[Any], event: str) -> list[Any]:
    return [line for line in logged if line["event"] == event]


def count_requests(store: InfluxStore) -> list[int]:
    """Lines of every request from now on."""
    sent: list[int] = []
    send = store._send

    def counted(lines: bytes, precision: Precision) -> None:
        sent.append(lines.count(b"\n"))
        send(lines, precision)

    store._send = counted  # type: ignore[method-assign]
    return sent
