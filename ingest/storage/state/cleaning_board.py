"""The newest cleaning of every area in memory, so that nobody reads years of records to know how an area stands."""

from __future__ import annotations

from collections.abc import Sequence

from ingest.domain.cases.cleaning import Cleaning, CleaningFilter, CleaningState
from ingest.storage.state.daily_store import DailyStore


class CleaningBoard:
    """Read once at the start, and followed by `CaseStore`. From any thread."""

    def __init__(self, store: DailyStore) -> None:
        """Raises StateUnavailable."""
        self._store = store
        self._last = store.last_cleanings(None)
        self._doubtful: set[tuple[str, str]] = set()  # areas whose newest record was voided: it is read anew

    def note(self, records: Sequence[object]) -> None:
        """Take over records as they were committed."""
        for record in records:
            if not isinstance(record, Cleaning):
                continue
            key = record.plant, record.area
            before = self._last.get(key)
            if record.state is CleaningState.VOIDED:
                if before is None or before.id == record.id:
                    self._doubtful.add(key)
            elif before is None or (record.done, record.given) >= (before.done, before.given):
                self._last[key] = record

    def last(self, plant: str, area: str) -> Cleaning | None:
        """Return the record of an area's newest cleaning that counts, or None. Raises StateUnavailable."""
        key = plant, area
        if key in self._doubtful:
            which = CleaningFilter(frozenset({plant}), area, CleaningState.VALID)
            found = self._store.cleanings(which, limit=1)
            self._doubtful.discard(key)
            if found:
                self._last[key] = found[0]
            else:
                self._last.pop(key, None)
        return self._last.get(key)
