"""The declared work of these days in memory, so that the engine can say of an alarm what it was raised during."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any, Final

from ingest.domain.cases.work import Work, WorkState, registered
from ingest.domain.cases.work_report import raised, work_fields
from ingest.domain.model.alarm import Alarm
from ingest.storage.state.daily_store import DailyStore
from ingest.storage.state.errors import StateUnavailable

KEPT: Final = 7 * 86_400 * 10**9
"""How long work that is over is remembered (ns): whoever wants to know of older alarms asks the API."""


class WorkBoard:
    """Read once at the start, and followed by `CaseStore`. From any thread: what is read is never changed."""

    def __init__(self, store: DailyStore, now: Callable[[], int]) -> None:
        """Raises StateUnavailable."""
        self._store = store
        self._now = now
        self._of: dict[str, tuple[Work, ...]] = {}
        self._lock = Lock()
        self._in_doubt = False
        self._read()

    def note(self, records: Sequence[object]) -> None:
        """Take over records as they were committed, in whatever order they come."""
        since = self._now() - KEPT
        with self._lock:
            for work in records:
                if isinstance(work, Work):
                    known = self._of.get(work.plant, ())
                    newest = max((each for each in (*known, work) if each.id == work.id), key=lambda each: each.version)
                    kept = (*(each for each in known if each.id != work.id), newest)
                    self._of[work.plant] = tuple(each for each in kept if _recent(each, since))

    def doubt(self) -> None:
        """Read again when next asked: nobody knows whether something was committed."""
        self._in_doubt = True

    def of(self, alarm: Alarm, equipment: str | None) -> list[dict[str, Any]] | None:
        """Return the work an alarm on that equipment was raised during.

        None: that is too long ago, or a commit is in doubt and the database does not answer.
        """
        time = raised(alarm)
        if time < self._now() - KEPT or not self._sure():
            return None
        works = registered(self._of.get(alarm.plant, ()), alarm.plant, equipment, time)
        return [work_fields(work, alarm) for work in works]

    def _sure(self) -> bool:
        """Whether everything that was committed is known, if need be after another read."""
        if self._in_doubt:
            self._in_doubt = False  # first, so that a doubt that arises meanwhile stays
            try:
                self._read()
            except StateUnavailable:
                self._in_doubt = True
        return not self._in_doubt

    def _read(self) -> None:
        self.note(self._store.works_during(None, self._now() - KEPT, 2**62))


def _recent(work: Work, since: int) -> bool:
    """Whether it is kept, whatever has become of it: a note that comes late must not bring back what was called off."""
    return work.state is WorkState.UNDER_WAY or max(work.ends, work.finished or 0) > since
