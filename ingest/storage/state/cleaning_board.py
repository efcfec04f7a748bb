"""The newest cleaning of every area in memory, so that nobody reads years of records to know how an area stands."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

from ingest.domain.cases.cleaning import Cleaning
from ingest.storage.state.daily_store import DailyStore


class CleaningBoard:
    """Read once at the start, and followed by `CaseStore`. From any thread."""

    def __init__(self, store: DailyStore) -> None:
        """Raises StateUnavailable."""
        self._store = store
        self._last = store.last_cleanings(None)
        self._changed: set[tuple[str, str]] = set()  # areas of which something was committed: they are read anew
        self._lock = Lock()
        self._notes = 0

    def note(self, records: Sequence[object]) -> None:
        """Take note of records that were committed, in whatever order they come."""
        areas = {(record.plant, record.area) for record in records if isinstance(record, Cleaning)}
        if areas:
            with self._lock:
                self._notes += 1
                self._changed |= areas

    def last(self, plant: str, area: str) -> Cleaning | None:
        """Return the record of an area's newest cleaning that counts, or None. Raises StateUnavailable."""
        key = plant, area
        while key in self._changed:
            notes = self._notes
            found = self._store.last_cleanings(frozenset({plant}), area).get(key)
            with self._lock:
                if notes != self._notes:
                    continue  # what was read may be older than what was committed meanwhile
                self._changed.discard(key)
                if found is not None:
                    self._last[key] = found
                else:
                    self._last.pop(key, None)
        return self._last.get(key)
