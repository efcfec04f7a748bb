"""The part of the journal each user needs, as protocols. `Journal` implements them all, and so must a replacement.

The history writer's is `ingest.storage.history.feeds.JournalFeed`; those of pages and commands are beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from ingest.domain.quality.clock import GatewayClock
from ingest.storage.journal.commit import Commit
from ingest.storage.journal.recent_frames import RecentFrames
from ingest.storage.journal.records import Entry, GatewaySequence, Quarantined, Staged
from ingest.storage.journal.sequence_state import BootKey, SequenceState, Who


class JournalReader(Protocol):
    """Reads entries from a cursor of the reader's own. Blocking; `last` returns at once."""

    def read(self, after: int, limit: int) -> Sequence[Entry]:
        """Entries with a greater id, oldest first: about `limit` readings, at least one entry if there is any."""

    def last(self) -> int:
        """The id of the newest entry, 0 if there is none. Ids have no gaps and are never given twice."""


class EngineJournal(JournalReader, Protocol):
    """The engine's part: the same entries, read again, lead to the same state."""

    def steps(self, after: int) -> int:
        """The sum of the steps of the service's clock in entries with a greater id, ns."""


class IntakeJournal(Protocol):
    """Intake's part: a commit is on disk, whole, when `append` returns."""

    def append(self, commit: Commit) -> int:
        """Write one commit and sync it to disk; returns the id of the newest entry.

        Raises:
            JournalUnavailable: nothing was written.
            JournalBroken: it may be written or not, which the next start finds out; this process writes no more.
        """

    def staged(self, limit: int) -> Sequence[Staged]:
        """Staged back-fill, oldest first: at least one piece if there is any, up to about `limit` readings."""

    def waiting(self) -> int:
        """The number of readings in staged back-fill."""

    def newest(self) -> int:
        """When the newest entry was received, ns; 0 if there is none."""

    def sequence_states(self) -> dict[BootKey, SequenceState]:
        """The sequence state of every boot, the one received longest ago first."""

    def save_sequence_state(self, key: BootKey, state: SequenceState) -> None:
        """Store the changed gaps of a known boot."""

    def boots(self) -> Mapping[Who, tuple[str, GatewayClock | None]]:
        """Each gateway's current boot, and its clock as of the newest frame, if it has one."""

    def forget(self, boots: Sequence[BootKey]) -> None:
        """Delete the sequence states of these boots."""

    def recent(self) -> dict[Who, RecentFrames]:
        """The last frames of each gateway."""

    def gateways(self) -> Sequence[GatewaySequence]:
        """What is on disk of each gateway's current boot."""

    def to_retry(self, limit: int) -> Sequence[Quarantined]:
        """Quarantined messages marked for retry, oldest first."""
