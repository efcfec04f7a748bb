"""What one commit of the journal holds: readings, sequence states, clocks, and what goes into quarantine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ingest.domain.model.batch import Batch
from ingest.domain.quality.clock import GatewayClock
from ingest.storage.journal.recent_frames import RecentFrames
from ingest.storage.journal.records import Quarantined, Staged
from ingest.storage.journal.sequence_state import BootKey, Gap, SequenceState


@dataclass(frozen=True, slots=True)
class Progress:
    """A boot's new position, and what was added to get there.

    Attributes:
        clock: its gateway's, as of this boot.
        beyond: gaps that became lost because there were too many.
        recent: the last frames of its gateway, if they are of this boot.
    """

    position: SequenceState
    received: int
    frames: int
    duplicates: int
    clock: GatewayClock | None = None
    beyond: tuple[Gap, ...] = ()
    recent: RecentFrames | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Commit:
    """Everything one group of messages leaves behind: written whole, or not at all.

    Attributes:
        batch: readings, and gateways' online states as readings of their device points.
        readings: how many of them came in frames.
        positions: new positions, by (plant, gateway, boot).
        statuses: (plant, gateway) -> (online, received).
        quarantined: messages put aside; their ids are ignored. What is `retried` goes first, so the same may return.
        step: ns by which the service's clock was set just before; see `Entry`.
        left: boots that are no longer their gateways': their clocks say nothing any more.
        retried: ids of messages that were put aside and are taken again with this: deleted where they lie.
        backfill: readings that may wait until nothing live does: staged; their ids are ignored.
        fed: what was staged and is in `batch` now, or in `quarantined` if it was damaged.
    """

    batch: Batch
    readings: int
    positions: Mapping[BootKey, Progress] = field(default_factory=dict)
    statuses: Mapping[tuple[str, str], tuple[bool, int]] = field(default_factory=dict)
    quarantined: Sequence[Quarantined] = ()
    step: int = 0
    retried: Sequence[int] = ()
    backfill: Sequence[Staged] = ()
    fed: Sequence[Staged] = ()
    left: Sequence[BootKey] = ()
