"""The history writer: a thread that carries the journal and the logs of events into a history store.

There is no queue in memory: the journal is the queue. While the store is away the cursors stand still; a cursor moves
only once the store has all that comes before it, so a crash repeats a write, which no store keeps twice.
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
from ingest.storage.history.quarantine import ALARMS as ALARMS_ASIDE
from ingest.storage.history.quarantine import READINGS as READINGS_ASIDE
from ingest.storage.history.quarantine import WARNINGS as WARNINGS_ASIDE
from ingest.storage.history.quarantine import (
    alarms_again,
    alarms_aside,
    by_cause,
    readings_again,
    readings_aside,
    warnings_again,
    warnings_aside,
)
from ingest.storage.history.refusals import write_around
from ingest.storage.history.series import series_of
from ingest.storage.history.store import HistoryStore
from ingest.storage.journal.records import Quarantined
from ingest.storage.state.errors import StateUnavailable

READER: Final = "history"
"""The writer's name among the readers of the journal and of the alarm event log."""

WARNINGS_READER: Final = "history-warnings"
"""The same for the warning event log."""

READINGS: Final = 40_000  # a turn: what a server takes in two requests, and little to repeat after a crash
ALARM_EVENTS: Final = 1_000
ASIDE: Final = 1_000  # refused items put aside, or tried again, in one go: intake waits for such a commit
AGAIN: Final = 50  # rows of quarantine written again in one go, of up to a thousand readings each
RETRY_EVERY_S: Final = 5.0
SAMPLE_EVERY_S: Final = 60.0  # one of what was refused is tried, to see whether the cause is mended
ALL_REFUSED: Final = 3  # writes in a row of which nothing was taken: then it is the store, not what is written
IDLE_S: Final = 2.0  # longest wait for news, and so longest wait of `stop` for an idle writer
FIRST_DELAY_S: Final = 0.5
LONGEST_DELAY_S: Final = 30.0
LONGEST_WISH_S: Final = 300.0  # a store may ask for more patience than we would have, but not for ever


class HistoryWriter:
    """Carries readings and alarm events into a history store. One bad reading never blocks the others.

    Args:
        store: where to.
        journal: where readings come from.
        alarms: where alarm events come from.
        warnings: where warning events come from; None: from nowhere.
        configuration: the configuration in force.
        judge: adds the quality flags a reading earns by itself, whatever came before it.
        also: called each turn after what was carried, and again later if it fails: see `ingest.storage.history.slots`.
        pace: of its turns while none is full.
    """

    def __init__(
        self,
        store: HistoryStore,
        journal: JournalFeed,
        alarms: AlarmFeed,
        warnings: WarningFeed | None = None,
        *,
        configuration: Callable[[], PlantConfiguration],
        judge: Callable[[Batch, PlantConfiguration], Batch],
        also: Callable[[], None] = lambda: None,
        pace: Pace | None = None,
    ) -> None:
        self._store = store
        self._journal = journal
        self._alarms = alarms
        self._warnings = warnings
        self._configuration = configuration
        self._judge = judge
        self._also = also
        self._pace = pace or Pace(0)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="history-writer", daemon=True)
        self._done = 0  # the journal cursor, as last seen
        self._error: str | None = None
        self._retry_due = 0.0
        self._sample_due = time.monotonic() + SAMPLE_EVERY_S
        self._sampled = 0  # id in quarantine of the last sample
        self._refusals: EmittedSeldom[tuple[str, str]] = EmittedSeldom()
        self._expired = 0  # readings and events older than the store keeps
        self._nothing_taken: dict[str, tuple[int, str]] = {}  # what is written: writes in a row, and the last reason

    def start(self) -> None:
        """Start the thread. Once."""
        self._done = self._journal.cursor(READER)
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Ask the thread to end; True if it did in time. If not, nothing is lost: its cursors are on disk."""
        self._stopping.set()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def lag(self) -> tuple[int, str | None]:
        """Journal entries the store does not have yet, and what stands in the way (None = nothing)."""
        error = self._error if self._thread.is_alive() else "the history writer is not running"
        return max(0, self._journal.last() - self._done), error

    def refusing(self) -> str | None:
        """What the store refuses altogether and why (None = nothing): several writes in a row of which it took none."""
        found = [f"{what}: {why}" for what, (times, why) in self._nothing_taken.copy().items() if times >= ALL_REFUSED]
        return "; ".join(found) or None

    def expired(self) -> int:
        """Readings and events that the store did not keep for their age, since the start."""
        return self._expired

    def dropped_days(self) -> int:
        """Days of readings that the store has let go of by itself, since the start."""
        return self._store.dropped_days()

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            self._pace.begin()
            try:
                more = self._carry_alarm_events()
                more |= self._carry_warning_events()
                more |= self._carry_readings()
                self._write_again()
                self._try_sample()
                self._also()
            except _Stopped:
                break
            except Exception as error:  # noqa: BLE001  a thread that dies in silence would be worse than any error
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
        """Carry one turn's entries; True if there may be more at once."""
        self._done = self._journal.cursor(READER)
        entries = self._journal.read(self._done, READINGS)
        if not entries:
            return False
        configuration = self._configuration()  # after the read: never older than the entries
        filled = [entry for entry in entries if len(entry.batch)]
        if filled:
            batch = self._judge(concat([entry.batch for entry in filled]), configuration)
            before = self._expired
            lost = _amount(self._write_readings(batch, configuration, filled[0].id)) + self._expired - before
            emit(HistoryWritten(readings=len(batch) - lost, entry=entries[-1].id))
        self._journal.save_cursor(READER, entries[-1].id)
        self._done = entries[-1].id
        # The journal ends a turn before the entry that would overfill it, so half full is full enough to go on at once.
        return sum(len(entry.batch) for entry in entries) * 2 >= READINGS

    def _write_readings(
        self, batch: Batch, configuration: PlantConfiguration, first_entry: int | None
    ) -> list[Quarantined]:
        """Write them; returns those the store refused, which are in quarantine."""
        everything = np.arange(len(batch))

        def write(part: slice) -> int:
            return self._store.write_readings(batch.take(everything[part]), configuration, first_entry)

        def rejected(count: int, at: int, reason: str) -> Event:
            series = series_of(configuration, int(batch.point[at]))
            value, time = float(batch.value[at]), int(batch.time[at])
            return HistoryReadingRejected(count, series.plant, series.point, time, value, reason)

        refused = self._write("readings", len(batch), write)
        aside = readings_aside(batch, configuration, refused)
        return self._refused(READINGS_ASIDE, refused, aside, rejected)

    def _carry_alarm_events(self) -> bool:
        """Carry one turn's alarm events; True if there may be more at once."""
        done = self._alarms.reader_cursor(READER)
        events = self._alarms.events_after(done, limit=ALARM_EVENTS)
        if not events:
            return False

        self._write_alarm_events(events)
        self._alarms.save_reader_cursor(READER, events[-1].seq)
        return len(events) >= ALARM_EVENTS

    def _write_alarm_events(self, events: Sequence[AlarmEvent]) -> list[Quarantined]:
        """Write them; returns those the store refused, as `_write_readings`."""

        def write(part: slice) -> int:
            return self._store.write_alarm_events(events[part])

        def rejected(count: int, at: int, reason: str) -> Event:
            alarm = events[at].alarm
            return HistoryAlarmEventRejected(count, events[at].seq, alarm.plant, alarm.point, alarm.rule, reason)

        refused = self._write("alarm events", len(events), write)
        return self._refused(ALARMS_ASIDE, refused, alarms_aside(events, refused), rejected)

    def _carry_warning_events(self) -> bool:
        """Carry one turn's warning events; True if there may be more at once."""
        if self._warnings is None:
            return False
        events = self._warnings.warnings_after(self._alarms.reader_cursor(WARNINGS_READER), limit=ALARM_EVENTS)
        if not events:
            return False
        self._write_warning_events(events)
        self._alarms.save_reader_cursor(WARNINGS_READER, events[-1].seq)
        return len(events) >= ALARM_EVENTS

    def _write_warning_events(self, events: Sequence[WarningEvent]) -> list[Quarantined]:
        """Write them; returns those the store refused, as `_write_readings`."""

        def write(part: slice) -> int:
            return self._store.write_warning_events(events[part])

        def rejected(count: int, at: int, reason: str) -> Event:
            return HistoryWarningEventRejected(count, events[at].seq, events[at].warning.plant, reason)

        refused = self._write("warning events", len(events), write)
        return self._refused(WARNINGS_ASIDE, refused, warnings_aside(events, refused), rejected)

    def _write(self, what: str, count: int, write: Callable[[slice], int]) -> list[tuple[int, str]]:
        """Write so many, around those the store refuses, which are returned; writes of which it took nothing count."""
        found = write_around(count, self._unless_stopping(write))
        if found.expired:
            self._expired += found.expired
            self._refusals.add((what, "expired"), HistoryItemsExpired(what, found.expired))
        if len(found.refused) + found.expired < count:
            self._nothing_taken.pop(what, None)
        elif found.refused:
            times, _ = self._nothing_taken.get(what, (0, ""))
            self._nothing_taken[what] = times + 1, found.refused[0][1]
        return found.refused

    def _refused(
        self,
        topic: str,
        refused: Sequence[tuple[int, str]],
        aside: list[Quarantined],
        rejected: Callable[[int, int, str], Event],
    ) -> list[Quarantined]:
        """Keep what the store refused, before any cursor passes it, and tell of it once a cause; returns `aside`.

        Args:
            topic: of what was refused, in quarantine.
            refused: (place, reason) of each.
            aside: the same as it lies in quarantine.
            rejected: makes the event of so many, from the place of the first and the reason.
        """
        for start in range(0, len(aside), ASIDE):
            self._journal.quarantine(aside[start : start + ASIDE])
        for cause, of_one in by_cause(refused).items():
            at, reason = of_one[0]
            self._refusals.add((topic, cause), rejected(len(of_one), at, reason))
        return aside

    def _write_again(self) -> None:
        """Write what was refused and a person wants to be tried again; what is refused again is put aside again."""
        if time.monotonic() < self._retry_due:
            return
        items = self._journal.to_retry(AGAIN, history=True)
        for topic, again in (
            (READINGS_ASIDE, self._readings_again),
            (ALARMS_ASIDE, self._alarms_again),
            (WARNINGS_ASIDE, self._warnings_again),
        ):
            chosen = [item for item in items if item.topic == topic]
            if not chosen:
                continue
            before = self._expired
            try:
                refused = again(chosen)
            except ValueError as error:
                refused = [replace(item, detail=f"cannot be written again: {error}") for item in chosen]
            # Put aside a moment ago they counted as known, having the same bytes; now they take the old ones' place.
            self._journal.quarantine(refused, retried=[item.id for item in chosen])
            lost = _amount(refused) + self._expired - before
            emit(HistoryWrittenAgain(_amount(chosen) - lost, _amount(refused)))
        # A full handful is followed by the next at once.
        self._retry_due = time.monotonic() + (RETRY_EVERY_S if len(items) < AGAIN else 0)

    def _try_sample(self) -> None:
        """Try one of what was refused, each time another; if the store takes it, all is written again."""
        if time.monotonic() < self._sample_due:
            return
        self._sample_due = time.monotonic() + SAMPLE_EVERY_S
        item = self._journal.refused_after(self._sampled)
        self._sampled = item.id if item is not None else 0
        if item is None:
            return
        with suppress(HistoryRejected, ValueError):  # refused as before, or nothing that can be written
            if self._write_sample(item):  # too old by now: that says nothing of the others
                return
            emit(HistoryTakesAgain(self._journal.retry_refused()))
            self._retry_due = 0.0

    def _write_sample(self, item: Quarantined) -> int:
        if item.topic == READINGS_ASIDE:
            return self._store.write_readings(readings_again([item]).take(np.arange(1)), self._configuration(), None)
        if item.topic == ALARMS_ASIDE:
            return self._store.write_alarm_events(alarms_again([item]))
        return self._store.write_warning_events(warnings_again([item]))

    def _readings_again(self, items: Sequence[Quarantined]) -> list[Quarantined]:
        return self._write_readings(readings_again(items), self._configuration(), None)

    def _alarms_again(self, items: Sequence[Quarantined]) -> list[Quarantined]:
        return self._write_alarm_events(alarms_again(items))

    def _warnings_again(self, items: Sequence[Quarantined]) -> list[Quarantined]:
        return self._write_warning_events(warnings_again(items))

    def _unless_stopping(self, write: Callable[[slice], int]) -> Callable[[slice], int]:
        """Thousands of refusals take long to find; a stop does not wait for them."""

        def checked(part: slice) -> int:
            if self._stopping.is_set():
                raise _Stopped
            return write(part)

        return checked


class _Stopped(Exception):
    """The writer was asked to stop in the middle of a turn."""


def _amount(items: Sequence[Quarantined]) -> int:
    """Readings and events in them."""
    return sum(max(item.readings, 1) for item in items)


def _reason(error: Exception) -> str:
    """What stands in the way; whose fault it is, where it is not the history's."""
    said = str(error) or type(error).__name__
    return f"waits for the state database: {said}" if isinstance(error, StateUnavailable) else said


def _delay_s(error: Exception, failures: int) -> float:
    """The store's own wish, or twice as long as last time; jittered, so that many writers do not come back at once."""
    if isinstance(error, HistoryUnavailable) and error.retry_after_s is not None:
        return min(error.retry_after_s, LONGEST_WISH_S)
    jitter = random.random()  # noqa: S311  not a secret
    return RetrySchedule(FIRST_DELAY_S, LONGEST_DELAY_S).delay_s(failures, 0.0, jitter)
