"""What each user of the journal needs of it. `Journal` fills all of these, and so does whatever may take its place.

The history writer's part is `ingest.storage.history.feeds.JournalFeed`; what pages and commands ask stands with them.
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
    """Reads from a cursor of its own, on which nobody else depends. Blocking; `last` answers at once."""

    def read(self, after: int, limit: int) -> Sequence[Entry]:
        """Entries with a greater id, oldest first: about `limit` readings, at least one entry if there is any."""

    def last(self) -> int:
        """Id of the newest entry, 0 if there is none. Ids have no gaps and are never given twice."""

    def wait(self, after: int, timeout_s: float) -> bool:
        """Return as soon as there is an entry with a greater id, on a wake, or after the timeout; whether there is."""


class EngineJournal(JournalReader, Protocol):
    """What the engine needs: the same entries, read again, lead to the same state."""

    def wake(self) -> None:
        """Let everyone who waits look up: there is something else to do."""

    def steps(self, after: int) -> int:
        """By how much the service's clock was set in entries with a greater id, ns in sum."""


class IntakeJournal(Protocol):
    """What intake needs: what is appended is on disk, whole, when `append` returns."""

    def append(self, commit: Commit) -> int:
        """Write one commit and sync it to disk; returns the id of the newest entry.

        Raises:
            JournalUnavailable: nothing was written.
            JournalBroken: it may be written or not, which the next start finds out; this process writes no more.
        """

    def staged(self, limit: int) -> Sequence[Staged]:
        """Back-fill that waits, oldest first: at least one piece if there is any, up to about `limit` readings."""

    def waiting(self) -> int:
        """How many readings of back-fill are staged."""

    def newest(self) -> int:
        """When the newest entry was received, ns; 0 if there is none."""

    def positions(self) -> dict[BootKey, SequenceState]:
        """Every boot's position, the one heard longest ago first."""

    def save_position(self, key: BootKey, position: SequenceState) -> None:
        """Change what a known boot's gateway is asked for."""

    def boots(self) -> Mapping[Who, tuple[str, GatewayClock | None]]:
        """The boot each gateway is in, and its clock as of the newest frame, if it has one."""

    def forget(self, boots: Sequence[BootKey]) -> None:
        """Delete the positions of these boots."""

    def recent(self) -> dict[Who, RecentFrames]:
        """The last frames of each gateway."""

    def gateways(self) -> Sequence[GatewaySequence]:
        """Where every gateway stands, by the boot it is in."""

    def to_retry(self, limit: int) -> Sequence[Quarantined]:
        """Messages put aside that a person wants to be taken again, oldest first."""
