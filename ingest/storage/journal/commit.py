"""The content of one commit to the journal: readings, sequence states, clocks and quarantined messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from ingest.domain.model.batch import Batch
from ingest.domain.quality.clock import GatewayClock
from ingest.storage.journal.recent_frames import RecentFrames
from ingest.storage.journal.records import Quarantined, Staged
from ingest.storage.journal.sequence_state import BootKey, Gap, SequenceState


class Progress(msgspec.Struct, frozen=True, gc=False):
    """A boot's new sequence state, and the frames counted to get there.

    Attributes:
        clock: its gateway's, as of this boot.
        beyond: gaps that became lost because there were too many.
        recent: the last frames of its gateway, if they are of this boot.
    """

    state: SequenceState
    received: int
    frames: int
    duplicates: int
    clock: GatewayClock | None = None
    beyond: tuple[Gap, ...] = ()
    recent: RecentFrames | None = None


class Commit(msgspec.Struct, frozen=True, eq=False):
    """Everything one group of messages writes: all of it, or nothing.

    Attributes:
        batch: readings, and gateways' online states as readings of their device points.
        readings: how many of them came in frames.
        sequences: new sequence states, by (plant, gateway, boot).
        statuses: (plant, gateway) -> (online, received).
        quarantined: messages to be quarantined; their ids are ignored. `retried` ones go first, so the same may return.
        step: ns by which the service's clock was set just before; see `Entry`.
        left: boots their gateways have left: their clocks no longer count.
        retried: ids of quarantined messages that are taken in with this commit: deleted from quarantine.
        backfill: readings to be staged until no live ones are pending; their ids are ignored.
        fed: staged pieces that are now in `batch`, or in `quarantined` if damaged.
    """

    batch: Batch
    readings: int
    sequences: Mapping[BootKey, Progress] = msgspec.field(default_factory=dict)
    statuses: Mapping[tuple[str, str], tuple[bool, int]] = msgspec.field(default_factory=dict)
    quarantined: Sequence[Quarantined] = ()
    step: int = 0
    retried: Sequence[int] = ()
    backfill: Sequence[Staged] = ()
    fed: Sequence[Staged] = ()
    left: Sequence[BootKey] = ()
