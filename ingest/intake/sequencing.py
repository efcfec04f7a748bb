"""Tells new frames from repeated ones by their numbers, and updates the sequence state of each boot."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from enum import Enum, auto

import msgspec

from ingest.base.telemetry import Event, emit
from ingest.domain.quality.clock import GatewayClock
from ingest.storage.journal.commit import Progress
from ingest.storage.journal.recent_frames import UNDATED, RecentFrames, mark_of
from ingest.storage.journal.sequence_state import BootKey, SequenceState, Who


@dataclass(frozen=True, slots=True)
class FrameRepeated(Event, level="debug"):
    """A frame that is on disk already: acknowledged, not stored again."""

    plant: str
    gateway: str
    boot: str
    seq: int


@dataclass(frozen=True, slots=True)
class FrameReused(Event, level="warning"):
    """A frame under the number of another: a boot that is not new at each start, or two devices of one identity."""

    plant: str
    gateway: str
    boot: str
    seq: int


class FrameNovelty(Enum):
    """Whether a frame is new, by its number."""

    NEW = auto()
    REPEAT = auto()  # it is on disk already
    REUSED = auto()  # another frame with its number is


class Boot(msgspec.Struct, gc=False):
    """One boot's frames in this group.

    Attributes:
        key: plant, gateway and its name.
        who: plant and gateway.
        sequence: its state after the frames accepted so far.
        known: whether a frame of it came before, in this group or earlier.
        received: arrival of its newest frame in this group, ns.
        frames, duplicates: how many frames were not on disk already, and how many were.
    """

    key: BootKey
    who: Who
    sequence: SequenceState
    known: bool
    received: int = 0
    frames: int = 0
    duplicates: int = 0


class Sequencer:
    """Tracks the frame numbers of one group.

    Args:
        sequences, recent: what is committed; not changed.
        known: gateways whose latest frames are remembered, to detect reused numbers.
    """

    def __init__(
        self, sequences: Mapping[BootKey, SequenceState], recent: Mapping[Who, RecentFrames], known: Container[Who]
    ) -> None:
        self.recalled: dict[Who, RecentFrames] = {}
        self._sequences = sequences
        self._recent = recent
        self._known = known
        self._boots: dict[BootKey, Boot] = {}

    def boot(self, key: BootKey) -> Boot:
        """That boot, with the frames accepted so far."""
        boot = self._boots.get(key)
        if boot is None:
            sequence = self._sequences.get(key)
            boot = self._boots[key] = Boot(key, key[:2], sequence or SequenceState(), sequence is not None)
        return boot

    def recall(self, who: Who) -> RecentFrames | None:
        """The gateway's last frames, as far as they are known."""
        frames = self.recalled.get(who)
        if frames is None and who in self._known and (committed := self._recent.get(who)) is not None:
            frames = self.recalled[who] = committed.copy()
        return frames

    def accept(self, boot: Boot, seq: int, payload: bytes, received: int, newest: int = UNDATED) -> FrameNovelty:
        """Add the frame to its boot's sequence, unless its number is on disk already; `newest`: its time, ms."""
        name, before = boot.key[2], boot.sequence
        sequence = before.accept(seq, received)
        boot.known, boot.received = True, received
        recent, mark = self.recall(boot.who), mark_of(payload)
        if sequence is not None:
            boot.sequence = sequence
            boot.frames += 1
            if recent is not None:
                recent.add(name, seq, newest, mark, before.committed)
            return FrameNovelty.NEW
        if recent is None or not recent.is_another(name, seq, newest, mark, before.committed):
            emit(FrameRepeated(*boot.key, seq))
            boot.duplicates += 1
            return FrameNovelty.REPEAT
        emit(FrameReused(*boot.key, seq))
        boot.frames += 1
        recent.add_another(name, seq, newest, mark)
        return FrameNovelty.REUSED

    def follow(self, boot: Boot, seq: int, payload: bytes, newest: int) -> None:
        """Remember this boot's frames from here on, since its gateway is in it now."""
        name, recent = boot.key[2], self.recalled.get(boot.who) or self.recall(boot.who)
        if recent is None or recent.boot != name:
            newest = newest if recent is None else recent.following(newest)
            recent = self.recalled[boot.who] = RecentFrames(name, newest)
            recent.add(name, seq, newest, mark_of(payload), 0)

    def progress(self, clock: Callable[[BootKey], GatewayClock | None]) -> dict[BootKey, Progress]:
        """The progress of each boot in the group; `clock`: its gateway's, if that is in this boot."""
        counted = (boot for boot in self._boots.values() if boot.frames or boot.duplicates)
        return {boot.key: self._progress(boot, clock(boot.key)) for boot in counted}

    def _progress(self, boot: Boot, clock: GatewayClock | None) -> Progress:
        sequence, beyond = boot.sequence, boot.sequence.missing
        if beyond or sequence.lost:
            beyond = sequence.beyond()
            sequence = sequence.give_up(beyond)
        recent = self.recalled.get(boot.who)  # by `accept`
        ours = recent if recent is not None and recent.boot == boot.key[2] else None
        return Progress(sequence, boot.received, boot.frames, boot.duplicates, clock, beyond, ours)
