"""The history writer: a thread that copies the journal and the event logs into a history store, and derives phases.

There is no queue in memory: the journal is the queue. While the store is unavailable the cursors do not move; a cursor
moves only once the store has everything before it, so a crash repeats a write, which no store keeps twice.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

import numpy as np

from ingest.base.backoff import RetrySchedule
from ingest.base.pace import Pace
from ingest.base.telemetry import EmittedSeldom, Event, emit
from ingest.domain.model.alarm import AlarmEvent
from ingest.domain.model.batch import Batch, concat
from ingest.domain.model.warning import WarningEvent
from ingest.plants.configuration import PlantConfiguration
from ingest.storage.history.errors import HistoryRejected, HistoryUnavailable
from ingest.storage.history.events import (
    HistoryAlarmEventRejected,
    HistoryDelayed,
    HistoryItemsExpired,
    HistoryReadingRejected,
    HistoryTakesAgain,
    HistoryWarningEventRejected,
    HistoryWritten,
    HistoryWrittenAgain,
)
from ingest.storage.history.feeds import AlarmFeed, JournalFeed, WarningFeed
from ingest.storage.history.phases import PhaseCarrier
from ingest.storage.history.quarantine import ALARMS as ALARMS_TOPIC
from ingest.storage.history.quarantine import READINGS as READINGS_TOPIC
from ingest.storage.history.quarantine import WARNINGS as WARNINGS_TOPIC
from ingest.storage.history.quarantine import (
    by_cause,
    decode_alarms,
    decode_readings,
    decode_warnings,
    encode_alarms,
    encode_readings,
    encode_warnings,
)
from ingest.storage.history.refusals import write_around
from ingest.storage.history.series import series_of
from ingest.storage.history.store import HistoryStore
from ingest.storage.journal.records import Quarantined
from ingest.storage.state.errors import StateUnavailable

READER: Final = "history"
"""The name of the writer's cursors in the journal and in the alarm event log."""

WARNINGS_READER: Final = "history-warnings"
"""The same for the warning event log."""

READINGS: Final = 40_000  # a cycle: two requests for a server, and little to repeat after a crash
ALARM_EVENTS: Final = 1_000
QUARANTINED_AT_ONCE: Final = 1_000  # refused items quarantined in one commit, for which intake waits
RETRIED_AT_ONCE: Final = 50  # rows of quarantine retried at once, of up to a thousand readings each
RETRY_EVERY_S: Final = 5.0
SAMPLE_EVERY_S: Final = 60.0  # one refused item is retried, to see whether the cause is fixed
ALL_REFUSED: Final = 3  # writes in a row of which nothing was accepted: then the store is at fault, not the data
IDLE_S: Final = 2.0  # longest wait for new readings, and so the longest that events wait where none come
FIRST_DELAY_S: Final = 0.5
LONGEST_DELAY_S: Final = 30.0
LONGEST_REQUESTED_S: Final = 300.0  # most seconds a store may ask us to wait


class HistoryWriter:
    """Writes readings and events into a history store; a bad item never blocks the others.

    Args:
        store: the target.
        journal: source of readings.
        alarms: source of alarm events.
        warnings: source of warning events; None: there are none.
        configuration: the configuration in force.
        add_flags: adds the quality flags of readings, which it is given in the order of the journal; what is given once
            more (after a failure, or for phases) gets the same.
        after_cycle: called after each cycle, and again later if it fails: see `ingest.storage.history.slots`.
        pace: of its cycles while none is full.
    """

    def __init__(
        self,
        store: HistoryStore,
        journal: JournalFeed,
        alarms: AlarmFeed,
        warnings: WarningFeed | None = None,
        *,
        configuration: Callable[[], PlantConfiguration],
        add_flags: Callable[[Batch, PlantConfiguration], Batch],
        after_cycle: Callable[[], None] = lambda: None,
        pace: Pace | None = None,
    ) -> None:
        self._store = store
        self._journal = journal
        self._alarms = alarms
        self._warnings = warnings
        self._configuration = configuration
        self._add_flags = add_flags
        self._after_cycle = after_cycle
        self._pace = pace or Pace(0)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="history-writer", daemon=True)
        self._done = 0  # the journal cursor, as last seen
        self._error: str | None = None
        self._retry_due = 0.0
        self._sample_due = time.monotonic() + SAMPLE_EVERY_S
        self._sampled = 0  # id of the last sample in quarantine
        self._refusals: EmittedSeldom[tuple[str, str]] = EmittedSeldom()
        self._carry_phases = PhaseCarrier(store, journal, add_flags, self._refusals)
        self._expired = 0  # readings and events older than the store keeps
        self._all_refused: dict[str, tuple[int, str]] = {}  # kind of item: writes in a row, and the last reason

    def start(self) -> None:
        """Start the thread; to be called once."""
        self._done = self._journal.cursor(READER)
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Ask the thread to end; True if it did in time. If not, nothing is lost: its cursors are on disk."""
        self._stopping.set()
        self._journal.wake()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def lag(self) -> tuple[int, str | None]:
        """The number of journal entries the store does not have yet, and the last error (None = none)."""
        error = self._error if self._thread.is_alive() else "the history writer is not running"
        return max(0, self._journal.last() - self._done), error

    def refusing(self) -> str | None:
        """The kinds of items the store refuses entirely, several writes in a row, and why (None = none)."""
        found = [f"{what}: {why}" for what, (times, why) in self._all_refused.copy().items() if times >= ALL_REFUSED]
        return "; ".join(found) or None

    def expired(self) -> int:
        """Readings and events not kept because of their age, since the start."""
        return self._expired

    def dropped_days(self) -> int:
        """Days of readings the store has deleted by itself, since the start."""
        return self._store.dropped_days()

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            self._pace.begin()
            try:
                more = self._carry_alarm_events()
                more |= self._carry_warning_events()
                more |= self._carry_readings()
                self._retry_marked()
                self._try_sample()
                self._after_cycle()
            except _Stopped:
                break
            except Exception as error:  # noqa: BLE001  a thread that dies silently would be worse than any error
                failures += 1
                self._error = _reason(error)
                delay_s = _delay_s(error, failures)
                emit(HistoryDelayed(reason=self._error, failures=failures, delay_s=delay_s))
                self._stopping.wait(delay_s)
            else:
                failures = 0
                self._error = None
                self._pace.end()
                if not more and not self._stopping.wait(self._pace.rest_s()):
                    self._journal.wait(self._done, IDLE_S)
            self._refusals.flush()
        self._refusals.flush(everything=True)

    def _carry_readings(self) -> bool:
        """Write one cycle's entries; True if there may be more at once."""
        self._done = self._journal.cursor(READER)
        entries = self._journal.read(self._done, READINGS)
        if not entries:
            return False
        configuration = self._configuration()  # after the read: never older than the entries
        filled = [entry for entry in entries if len(entry.batch)]
        if filled:
            batch = self._add_flags(concat([entry.batch for entry in filled]), configuration)
            before = self._expired
            lost = _amount(self._write_readings(batch, configuration, filled[0].id)) + self._expired - before
            emit(HistoryWritten(readings=len(batch) - lost, entry=entries[-1].id))
        self._carry_phases(entries, configuration)
        self._journal.save_cursor(READER, entries[-1].id)
        self._done = entries[-1].id
        # The journal stops before the entry that would exceed the limit, so half full is full enough to go on at once.
        return sum(len(entry.batch) for entry in entries) * 2 >= READINGS

    def _write_readings(
        self, batch: Batch, configuration: PlantConfiguration, first_entry: int | None
    ) -> list[Quarantined]:
        """Write readings; returns the rows of quarantine of those the store refused."""
        everything = np.arange(len(batch))

        def write(part: slice) -> int:
            return self._store.write_readings(batch.take(everything[part]), configuration, first_entry)

        def rejected(count: int, at: int, reason: str) -> Event:
            series = series_of(configuration, int(batch.point[at]))
            value, time = float(batch.value[at]), int(batch.time[at])
            return HistoryReadingRejected(count, series.plant, series.point, time, value, reason)

        refused = self._write("readings", len(batch), write)
        rows = encode_readings(batch, configuration, refused)
        return self._quarantine(READINGS_TOPIC, refused, rows, rejected)

    def _carry_alarm_events(self) -> bool:
        """Write one cycle's alarm events; True if there may be more at once."""
        done = self._alarms.reader_cursor(READER)
        events = self._alarms.events_after(done, limit=ALARM_EVENTS)
        if not events:
            return False

        self._write_alarm_events(events)
        self._alarms.save_reader_cursor(READER, events[-1].seq)
        return len(events) >= ALARM_EVENTS

    def _write_alarm_events(self, events: Sequence[AlarmEvent]) -> list[Quarantined]:
        """Write alarm events; returns those the store refused, as `_write_readings`."""

        def write(part: slice) -> int:
            return self._store.write_alarm_events(events[part])

        def rejected(count: int, at: int, reason: str) -> Event:
            alarm = events[at].alarm
            return HistoryAlarmEventRejected(count, events[at].seq, alarm.plant, alarm.point, alarm.rule, reason)

        refused = self._write("alarm events", len(events), write)
        return self._quarantine(ALARMS_TOPIC, refused, encode_alarms(events, refused), rejected)

    def _carry_warning_events(self) -> bool:
        """Write one cycle's warning events; True if there may be more at once."""
        if self._warnings is None:
            return False
        events = self._warnings.warnings_after(self._alarms.reader_cursor(WARNINGS_READER), limit=ALARM_EVENTS)
        if not events:
            return False
        self._write_warning_events(events)
        self._alarms.save_reader_cursor(WARNINGS_READER, events[-1].seq)
        return len(events) >= ALARM_EVENTS

    def _write_warning_events(self, events: Sequence[WarningEvent]) -> list[Quarantined]:
        """Write warning events; returns those the store refused, as `_write_readings`."""

        def write(part: slice) -> int:
            return self._store.write_warning_events(events[part])

        def rejected(count: int, at: int, reason: str) -> Event:
            return HistoryWarningEventRejected(count, events[at].seq, events[at].warning.plant, reason)

        refused = self._write("warning events", len(events), write)
        return self._quarantine(WARNINGS_TOPIC, refused, encode_warnings(events, refused), rejected)

    def _write(self, what: str, count: int, write: Callable[[slice], int]) -> list[tuple[int, str]]:
        """Write so many items around those the store refuses, which are returned; counts writes refused entirely."""
        found = write_around(count, self._unless_stopping(write))
        if found.expired:
            self._expired += found.expired
            self._refusals.add((what, "expired"), HistoryItemsExpired(what, found.expired))
        if len(found.refused) + found.expired < count:
            self._all_refused.pop(what, None)
        elif found.refused:
            times, _ = self._all_refused.get(what, (0, ""))
            self._all_refused[what] = times + 1, found.refused[0][1]
        return found.refused

    def _quarantine(
        self,
        topic: str,
        refused: Sequence[tuple[int, str]],
        rows: list[Quarantined],
        rejected: Callable[[int, int, str], Event],
    ) -> list[Quarantined]:
        """Quarantine refused items before any cursor passes them, and report them once per cause; returns `rows`.

        Args:
            topic: of the items in quarantine.
            refused: (index, reason) of each.
            rows: the same as rows of quarantine.
            rejected: makes the event from the count, the index of the first and its reason.
        """
        for start in range(0, len(rows), QUARANTINED_AT_ONCE):
            self._journal.quarantine(rows[start : start + QUARANTINED_AT_ONCE])
        for cause, items in by_cause(refused).items():
            at, reason = items[0]
            self._refusals.add((topic, cause), rejected(len(items), at, reason))
        return rows

    def _retry_marked(self) -> None:
        """Retry quarantined items that a person marked; those refused again are quarantined again."""
        if time.monotonic() < self._retry_due:
            return
        items = self._journal.to_retry(RETRIED_AT_ONCE, history=True)
        for topic, retry in (
            (READINGS_TOPIC, self._retry_readings),
            (ALARMS_TOPIC, self._retry_alarms),
            (WARNINGS_TOPIC, self._retry_warnings),
        ):
            chosen = [item for item in items if item.topic == topic]
            if not chosen:
                continue
            before = self._expired
            try:
                refused = retry(chosen)
            except ValueError as error:
                refused = [replace(item, detail=f"cannot be written again: {error}") for item in chosen]
            # When just quarantined they counted as duplicates, having the same bytes; now they replace the old rows.
            self._journal.quarantine(refused, retried=[item.id for item in chosen])
            lost = _amount(refused) + self._expired - before
            emit(HistoryWrittenAgain(_amount(chosen) - lost, _amount(refused)))
        # A full batch is followed by the next at once.
        self._retry_due = time.monotonic() + (RETRY_EVERY_S if len(items) < RETRIED_AT_ONCE else 0)

    def _try_sample(self) -> None:
        """Retry one refused item, another each time; if the store accepts it, all are marked for retry."""
        if time.monotonic() < self._sample_due:
            return
        self._sample_due = time.monotonic() + SAMPLE_EVERY_S
        item = self._journal.refused_after(self._sampled)
        self._sampled = item.id if item is not None else 0
        if item is None:
            return
        with suppress(HistoryRejected, ValueError):  # refused as before, or malformed
            if self._write_sample(item):  # too old by now, which says nothing about the others
                return
            emit(HistoryTakesAgain(self._journal.retry_refused()))
            self._retry_due = 0.0

    def _write_sample(self, item: Quarantined) -> int:
        if item.topic == READINGS_TOPIC:
            return self._store.write_readings(decode_readings([item]).take(np.arange(1)), self._configuration(), None)
        if item.topic == ALARMS_TOPIC:
            return self._store.write_alarm_events(decode_alarms([item]))
        return self._store.write_warning_events(decode_warnings([item]))

    def _retry_readings(self, items: Sequence[Quarantined]) -> list[Quarantined]:
        return self._write_readings(decode_readings(items), self._configuration(), None)

    def _retry_alarms(self, items: Sequence[Quarantined]) -> list[Quarantined]:
        return self._write_alarm_events(decode_alarms(items))

    def _retry_warnings(self, items: Sequence[Quarantined]) -> list[Quarantined]:
        return self._write_warning_events(decode_warnings(items))

    def _unless_stopping(self, write: Callable[[slice], int]) -> Callable[[slice], int]:
        """Wrap `write` so that it raises `_Stopped` once a stop is requested: isolating refusals may take long."""

        def checked(part: slice) -> int:
            if self._stopping.is_set():
                raise _Stopped
            return write(part)

        return checked


class _Stopped(Exception):
    """The writer was asked to stop in the middle of a cycle."""


def _amount(items: Sequence[Quarantined]) -> int:
    """The number of readings and events in these rows."""
    return sum(max(item.readings, 1) for item in items)


def _reason(error: Exception) -> str:
    """The reason of the failure, and that it is the state database's where it is."""
    text = str(error) or type(error).__name__
    return f"waits for the state database: {text}" if isinstance(error, StateUnavailable) else text


def _delay_s(error: Exception, failures: int) -> float:
    """The delay the store asks for, or an exponential one, jittered so that many writers do not return at once."""
    if isinstance(error, HistoryUnavailable) and error.retry_after_s is not None:
        return min(error.retry_after_s, LONGEST_REQUESTED_S)
    jitter = random.random()  # noqa: S311  not a secret
    return RetrySchedule(FIRST_DELAY_S, LONGEST_DELAY_S).delay_s(failures, 0.0, jitter)
