"""Frames by their numbers: which of them are new, and where each boot of a gateway stands after a group of them."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from enum import Enum, auto

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


class Numbered(Enum):
    """What a frame is, by its number."""

    NEW = auto()
    REPEAT = auto()  # it is on disk already
    ANOTHER = auto()  # another one with its number is


@dataclass(slots=True)
class Boot:
    """One boot's frames in this group.

    Attributes:
        key: plant, gateway and its name.
        who: plant and gateway.
        position: after what was accepted so far.
        heard: whether there was a frame of it before, in this group or earlier.
        received: arrival of its newest frame in this group, ns.
        frames, duplicates: how many frames were not on disk already, and how many were.
    """

    key: BootKey
    who: Who
    position: SequenceState
    heard: bool
    received: int = 0
    frames: int = 0
    duplicates: int = 0


class Sequencer:
    """The numbers of one group of frames.

    Args:
        positions, recent: what is committed; not changed.
        known: gateways whose frames are recalled, to be told from others under their numbers.
    """

    def __init__(
        self, positions: Mapping[BootKey, SequenceState], recent: Mapping[Who, RecentFrames], known: Container[Who]
    ) -> None:
        self.recalled: dict[Who, RecentFrames] = {}
        self._positions = positions
        self._recent = recent
        self._known = known
        self._boots: dict[BootKey, Boot] = {}

    def boot(self, key: BootKey) -> Boot:
        """That boot, as it stands after what was accepted so far."""
        boot = self._boots.get(key)
        if boot is None:
            position = self._positions.get(key)
            boot = self._boots[key] = Boot(key, key[:2], position or SequenceState(), position is not None)
        return boot

    def recall(self, who: Who) -> RecentFrames | None:
        """The gateway's last frames, as far as they are known."""
        found = self.recalled.get(who)
        if found is None and who in self._known and (committed := self._recent.get(who)) is not None:
            found = self.recalled[who] = committed.copy()
        return found

    def accept(self, boot: Boot, seq: int, payload: bytes, received: int, newest: int = UNDATED) -> Numbered:
        """Note the frame in its boot's position, unless its number is on disk already; `newest`: its time, ms."""
        name, before = boot.key[2], boot.position
        position = before.accept(seq, received)
        boot.heard, boot.received = True, received
        recent, mark = self.recall(boot.who), mark_of(payload)
        if position is not None:
            boot.position = position
            boot.frames += 1
            if recent is not None:
                recent.add(name, seq, newest, mark, before.committed)
            return Numbered.NEW
        if recent is None or not recent.is_another(name, seq, newest, mark, before.committed):
            emit(FrameRepeated(*boot.key, seq))
            boot.duplicates += 1
            return Numbered.REPEAT
        emit(FrameReused(*boot.key, seq))
        boot.frames += 1
        recent.add_another(name, seq, newest, mark)
        return Numbered.ANOTHER

    def follow(self, boot: Boot, seq: int, payload: bytes, newest: int) -> None:
        """From this frame on recall those of its boot: it is the one that its gateway is in."""
        name, recent = boot.key[2], self.recalled.get(boot.who) or self.recall(boot.who)
        if recent is None or recent.boot != name:
            newest = newest if recent is None else recent.following(newest)
            recent = self.recalled[boot.who] = RecentFrames(name, newest)
            recent.add(name, seq, newest, mark_of(payload), 0)

    def progress(self, clock: Callable[[BootKey], GatewayClock | None]) -> dict[BootKey, Progress]:
        """What the group adds to each boot; `clock`: its gateway's, if that is in this boot."""
        heard = (boot for boot in self._boots.values() if boot.frames or boot.duplicates)
        return {boot.key: self._progress(boot, clock(boot.key)) for boot in heard}

    def _progress(self, boot: Boot, clock: GatewayClock | None) -> Progress:
        position, beyond = boot.position, boot.position.missing
        if beyond or position.lost:
            beyond = position.beyond()
            position = position.give_up(beyond)
        recent = self.recalled.get(boot.who)  # by `accept`
        ours = recent if recent is not None and recent.boot == boot.key[2] else None
        return Progress(position, boot.received, boot.frames, boot.duplicates, clock, beyond, ours)
