"""Records the journal returns: entries, staged back-fill, sequence states of gateways, quarantined messages."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from ingest.domain.model.batch import Batch
from ingest.storage.journal.sequence_state import Gap


class Entry(msgspec.Struct, frozen=True, eq=False):
    """One entry of the journal: the readings of one or more frames. Ids count up by one and are never reused.

    Attributes:
        step: ns by which the service's clock was set just before the first of these readings arrived; 0 = it was not.
    """

    id: int
    batch: Batch
    step: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Staged:
    """A piece of back-fill on disk that no reader has seen yet; becomes part of an entry when nothing live is pending.

    Attributes:
        body: as stored; `ingest.storage.journal.body` decodes it.
    """

    id: int
    received: int
    size: int
    body: bytes


@dataclass(frozen=True, slots=True)
class GatewaySequence:
    """What is on disk of a gateway's current boot.

    Attributes:
        committed: every frame up to this sequence number is on disk, but `missing`.
        missing: gaps in its sequence numbers that are still requested.
        lost: gaps that were requested in vain for too long.
        online: by its last status; None before any.
        received: when its last message was received, ns since the epoch.
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
    """A quarantined message: its whole content, with the reason it was refused."""

    id: int
    received: int
    topic: str
    reason: str
    detail: str
    readings: int  # readings in it, as far as they could be counted
    payload: bytes
