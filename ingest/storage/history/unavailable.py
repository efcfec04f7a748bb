"""Stands in for a history store that cannot be opened, so that the service runs and the journal keeps its data."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from ingest.domain.alarms.slot import AlarmSlot
from ingest.domain.model.alarm import AlarmEvent
from ingest.domain.model.batch import Batch
from ingest.domain.model.phase_record import PhaseRecord
from ingest.domain.model.warning import WarningEvent
from ingest.plants.configuration import PlantConfiguration
from ingest.storage.history.errors import HistoryUnavailable
from ingest.storage.history.store import HistoryStore, PhaseQuery, Trend, TrendQuery


class UnavailableStore:
    """A HistoryStore opened by the first use that can; until then each use raises HistoryUnavailable with why."""

    def __init__(self, open_store: Callable[[], HistoryStore]) -> None:
        """Try to open the store.

        Args:
            open_store: opens the store; raises HistoryUnavailable, or LookupError for a missing secret.
        """
        self._open_store = open_store
        self._lock = threading.Lock()
        self._opened: HistoryStore | None = None
        self.error: HistoryUnavailable | None = None
        try:
            self._store()
        except HistoryUnavailable as error:
            self.error = error

    def write_readings(self, batch: Batch, configuration: PlantConfiguration, first_entry: int | None) -> int:
        """See `HistoryStore`."""
        return self._store().write_readings(batch, configuration, first_entry)

    def write_alarm_events(self, events: Sequence[AlarmEvent]) -> int:
        """See `HistoryStore`."""
        return self._store().write_alarm_events(events)

    def write_warning_events(self, events: Sequence[WarningEvent]) -> int:
        """See `HistoryStore`."""
        return self._store().write_warning_events(events)

    def write_alarm_slots(self, slots: Sequence[AlarmSlot]) -> int:
        """See `HistoryStore`."""
        return self._store().write_alarm_slots(slots)

    def write_phases(self, records: Sequence[PhaseRecord]) -> int:
        """See `HistoryStore`."""
        return self._store().write_phases(records)

    def phases(self, query: PhaseQuery) -> Sequence[PhaseRecord]:
        """See `HistoryStore`."""
        return self._store().phases(query)

    def trends(self, queries: Sequence[TrendQuery]) -> Sequence[Trend]:
        """See `HistoryStore`."""
        return self._store().trends(queries)

    def count_readings(self) -> int:
        """See `HistoryStore`."""
        return self._store().count_readings()

    def dropped_days(self) -> int:
        """See `HistoryStore`."""
        with self._lock:
            return 0 if self._opened is None else self._opened.dropped_days()

    def close(self) -> None:
        """See `HistoryStore`."""
        with self._lock:
            if self._opened is not None:
                self._opened.close()

    def _store(self) -> HistoryStore:
        with self._lock:
            if self._opened is None:
                try:
                    self._opened = self._open_store()
                except LookupError as error:
                    raise HistoryUnavailable(str(error)) from error
            return self._opened
