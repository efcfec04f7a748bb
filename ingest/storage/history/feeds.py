"""What the history writer reads: the journal and the logs of alarms' and warnings' events, as far as it needs them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ingest.domain.model.alarm import AlarmEvent
from ingest.domain.model.warning import WarningEvent
from ingest.storage.journal.records import Quarantined
from ingest.storage.journal.roles import JournalReader


class JournalFeed(JournalReader, Protocol):
    """The journal, with the writer's own cursor and what a store refused."""

    def cursor(self, name: str) -> int:
        """Id of the last entry that reader has dealt with, 0 for a new reader."""

    def save_cursor(self, name: str, position: int) -> None:
        """Keep it."""

    def to_retry(self, limit: int, *, history: bool) -> Sequence[Quarantined]:
        """What a person wants to be tried again, oldest first: what a history store had refused, with `history`."""

    def refused_after(self, after: int) -> Quarantined | None:
        """The oldest of what a history store refused with a greater id, which waits for no retry."""

    def retry_refused(self) -> int:
        """Have all that a history store refused tried again; how much that is."""

    def quarantine(self, items: Sequence[Quarantined], *, retried: Sequence[int] = ()) -> None:
        """Put into quarantine, the same bytes once, and take out what was tried again; on disk when it returns."""


class AlarmFeed(Protocol):
    """The alarm event log, and every reader's place in the logs. Blocking."""

    def events_after(self, seq: int, *, limit: int) -> Sequence[AlarmEvent]:
        """Events with a greater sequence number, oldest first."""

    def reader_cursor(self, name: str) -> int:
        """Sequence number of the last event that reader has dealt with, 0 for a new reader."""

    def save_reader_cursor(self, name: str, position: int) -> None:
        """Keep it."""


class WarningFeed(Protocol):
    """The warning event log. Blocking."""

    def warnings_after(self, seq: int, *, limit: int) -> Sequence[WarningEvent]:
        """Events with a greater sequence number, oldest first."""
