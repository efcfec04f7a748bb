"""Frames by their numbers: which of them are new, and where each boot of a gateway stands after a group of them."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from ingest.journal.journal import Progress
from ingest.journal.position import BootKey, Position, Who
from ingest.journal.recent import UNDATED, Recent, mark_of
from ingest.quality.clock import GatewayClock
from ingest.telemetry import Event, emit


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
class _Count:
    """A boot's frames in this group."""

    position: Position
    received: int
    frames: int = 0
    duplicates: int = 0


class Numbers:
    """The numbers of one group of frames.

    Args:
        positions, recent: what is committed; not changed.
        known: gateways whose frames are recalled, to be told from others under their numbers.
    """

    def __init__(
        self, positions: Mapping[BootKey, Position], recent: Mapping[Who, Recent], known: Container[Who]
    ) -> None:
        self.recalled: dict[Who, Recent] = {}
        self._positions = positions
        self._recent = recent
        self._known = known
        self._counts: dict[BootKey, _Count] = {}

    def position(self, key: BootKey) -> Position | None:
        """Where the boot stands after what was accepted so far; None before its first frame."""
        count = self._counts.get(key)
        return self._positions.get(key) if count is None else count.position

    def recall(self, who: Who) -> Recent | None:
        """The gateway's last frames, as far as they are known."""
        return self.recalled.get(who) or (self._recent.get(who) if who in self._known else None)

    def accept(self, key: BootKey, seq: int, payload: bytes, received: int, newest: int = UNDATED) -> Numbered:
        """Note the frame in its boot's position, unless its number is on disk already; `newest`: its time, ms."""
        who, boot = key[:2], key[2]
        count = self._counts.get(key)
        if count is None:
            count = self._counts[key] = _Count(self._positions.get(key, Position()), received)
        committed = count.position.committed
        position = count.position.accept(seq, received)
        count.received = received
        recent, mark = self.recall(who), mark_of(payload)
        if position is not None:
            count.position = position
            count.frames += 1
            if recent is not None:
                self.recalled[who] = recent.with_frame(boot, seq, newest, mark, committed)
            return Numbered.NEW
        if recent is None or not recent.is_another(boot, seq, newest, mark, committed):
            emit(FrameRepeated(*key, seq))
            count.duplicates += 1
            return Numbered.REPEAT
        emit(FrameReused(*key, seq))
        count.frames += 1
        self.recalled[who] = recent.with_another(boot, seq, newest, mark)
        return Numbered.ANOTHER

    def follow(self, key: BootKey, seq: int, payload: bytes, newest: int) -> None:
        """From this frame on recall those of its boot: it is the one that its gateway is in."""
        who, boot = key[:2], key[2]
        recent = self.recall(who)
        if recent is None or recent.boot != boot:
            newest = newest if recent is None else recent.following(newest)
            self.recalled[who] = Recent(boot, newest).with_frame(boot, seq, newest, mark_of(payload), 0)

    def progress(self, clock: Callable[[BootKey], GatewayClock | None]) -> dict[BootKey, Progress]:
        """What the group adds to each boot; `clock`: its gateway's, if that is in this boot."""
        return {key: self._progress(key, count, clock(key)) for key, count in self._counts.items()}

    def _progress(self, key: BootKey, count: _Count, clock: GatewayClock | None) -> Progress:
        beyond = count.position.beyond()
        position = count.position.give_up(beyond)
        recent = self.recall(key[:2])
        ours = recent if recent is not None and recent.boot == key[2] else None
        return Progress(position, count.received, count.frames, count.duplicates, clock, beyond, ours)
