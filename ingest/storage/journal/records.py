"""What the journal hands out besides readings: where each gateway stands, and what was put aside."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.domain.model.batch import Batch
from ingest.storage.journal.sequence_state import Gap


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One commit of the journal: the readings of one or more frames. Ids count up by one and never return.

    Attributes:
        step: ns by which the service's clock was set just before the first of these readings arrived; 0 = it was not.
    """

    id: int
    batch: Batch
    step: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Staged:
    """Back-fill on disk that no reader has seen yet: it becomes part of an entry when nothing live waits.

    Attributes:
        body: as it lies on disk; `ingest.storage.journal.body` reads it.
    """

    id: int
    received: int
    size: int
    body: bytes


@dataclass(frozen=True, slots=True)
class GatewaySequence:
    """What is on disk of one gateway's current boot.

    Attributes:
        committed: every frame up to this sequence number is on disk, but `missing`.
        missing: gaps in its sequence numbers that are still asked for.
        lost: gaps that were asked for in vain for too long.
        online: what its last status said; None before any.
        received: when it was last heard, ns since the epoch.
        frames: frames journaled since the service first knew it.
        duplicates: frames received again and not stored again.
    """

    plant: str
    gateway: str
    boot: str
    committed: int
    missing: tuple[Gap, ...]
    lost: tuple[Gap, ...]
    online: bool | None
    received: int
    frames: int
    duplicates: int


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A message put aside: kept whole, with the reason it was refused."""

    id: int
    received: int
    topic: str
    reason: str
    detail: str
    readings: int  # readings in it, as far as they could be counted
    payload: bytes
