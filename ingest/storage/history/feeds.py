"""The sources of the history writer: the journal and the logs of alarm and warning events, as protocols."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ingest.domain.model.alarm import AlarmEvent
from ingest.domain.model.warning import WarningEvent
from ingest.storage.journal.records import Quarantined
from ingest.storage.journal.roles import JournalReader


class JournalFeed(JournalReader, Protocol):
    """The journal, with the writer's own cursor and the items a store refused."""

    def wait(self, after: int, timeout_s: float) -> bool:
        """Wait for an entry with a greater id, for a wake or for the timeout; True if there is such an entry."""

    def wake(self) -> None:
        """Wake all waiting readers: there is something else to do."""

    def cursor(self, name: str) -> int:
        """The id of the last entry that reader has processed, 0 for a new reader."""

    def save_cursor(self, name: str, position: int) -> None:
        """Store that cursor."""

    def to_retry(self, limit: int, *, history: bool) -> Sequence[Quarantined]:
        """Quarantined items marked for retry, oldest first; with `history` those a history store had refused."""

    def refused_after(self, after: int) -> Quarantined | None:
        """The oldest item with a greater id that a history store refused and that is not marked for retry."""

    def retry_refused(self) -> int:
        """Mark everything a history store refused for retry; returns the number of rows."""

    def quarantine(self, items: Sequence[Quarantined], *, retried: Sequence[int] = ()) -> None:
        """Quarantine items, the same bytes once, and delete the retried ones; on disk when it returns."""


class AlarmFeed(Protocol):
    """The alarm event log, and the cursors of all readers of the event logs. Blocking."""

    def events_after(self, seq: int, *, limit: int) -> Sequence[AlarmEvent]:
        """Events with a greater sequence number, oldest first."""

    def reader_cursor(self, name: str) -> int:
        """The sequence number of the last event that reader has processed, 0 for a new reader."""

    def save_reader_cursor(self, name: str, position: int) -> None:
        """Store that cursor."""


class WarningFeed(Protocol):
    """The warning event log. Blocking."""

    def warnings_after(self, seq: int, *, limit: int) -> Sequence[WarningEvent]:
        """Events with a greater sequence number, oldest first."""
