"""Gaps in what gateways sent: named when they do not close, listed as lost when nobody closes them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ingest.base.telemetry import Event, emit
from ingest.storage.journal.commit import Progress
from ingest.storage.journal.sequence_state import BootKey, Gap, SequenceState, Who

_MOST: Final = 10**12  # frames that are told to be missing at most: the range of the point that tells it


@dataclass(frozen=True, slots=True)
class FramesMissing(Event, level="warning", amount="frames"):
    """Frames of a gateway, all between `first` and `last`, did not come, and neither when asked for again."""

    plant: str
    gateway: str
    boot: str
    first: int
    last: int
    frames: int


@dataclass(frozen=True, slots=True)
class FramesFound(Event):
    """Everything that was missing of a gateway's boot has come after all."""

    plant: str
    gateway: str
    boot: str


@dataclass(frozen=True, slots=True)
class FramesLost(Event, level="error", amount="frames"):
    """Missing frames, all between `first` and `last`, that are no longer asked for: listed as lost."""

    plant: str
    gateway: str
    boot: str
    first: int
    last: int
    frames: int
    reason: str


class GapWatch:
    """Knows which boots have gaps, and what of them was told. One event a boot and look, however many gaps it has.

    Args:
        positions: of every boot.
        named_s: a gap is named after so long.
        lost_h: and lost after so long.
    """

    def __init__(self, positions: Mapping[BootKey, SequenceState], named_s: float, lost_h: float) -> None:
        self._named_ns = int(named_s * 1e9)
        self._lost_ns = int(lost_h * 3600e9)
        self._lost_h = lost_h
        self._open = {key for key, position in positions.items() if position.missing}
        self._named: dict[BootKey, set[int]] = {}  # gaps that were told, by when they were found

    def frames(self, positions: Mapping[BootKey, SequenceState], found_before: int, known: Collection[Who]) -> int:
        """How many frames of gaps found before that moment (ns) are missing of known gateways. From any thread."""
        keys = [key for key in [*self._open] if key[:2] in known]
        gaps = (gap for key in keys for gap in positions.get(key, SequenceState()).missing)
        return min(sum(gap.frames for gap in gaps if gap.found < found_before), _MOST)

    def moved(self, key: BootKey, progress: Progress) -> None:
        """Take note of a boot's new position."""
        if progress.beyond:
            self._tell_lost(key, progress.beyond, f"more than {len(progress.position.missing)} gaps at a time")
        if progress.position.missing:
            self._open.add(key)
        elif key in self._open:
            self._close(key, progress.position)

    def look(
        self,
        positions: Mapping[BootKey, SequenceState],
        now: int,
        known: Collection[Who],
        in_the_way: Callable[[BootKey, SequenceState], Collection[Gap]],
    ) -> Iterator[tuple[BootKey, SequenceState]]:
        """Name what is due; yields new positions, without gaps that are given up: these are told once it goes on.

        Gateways that are not `known` are passed over: nothing of theirs could be taken.
        """
        for key in [key for key in self._open if key[:2] in known]:
            position = positions[key]
            self._name(key, position, now)
            before = now - self._lost_ns
            for gaps, why in (
                (position.beyond(), "too many gaps at a time"),
                (in_the_way(key, position), "others wait behind them that find no room in one packet of the broker"),
                ([gap for gap in position.missing if gap.found < before], f"missing for {self._lost_h:g} h"),
            ):
                left = {*gaps} & {*position.missing}
                if left:
                    position = position.give_up(left)
                    yield key, position
                    self._tell_lost(key, left, why)
            if not position.missing:
                self._close(key, position)

    def forget(self, key: BootKey) -> bool:
        """That boot is not known any more; returns whether gaps of it were named."""
        self._open.discard(key)
        return bool(self._named.pop(key, None))

    def _close(self, key: BootKey, position: SequenceState) -> None:
        """Nothing of that boot is asked for any more: because it came, unless some of it is listed as lost."""
        if self.forget(key) and not position.lost:
            emit(FramesFound(*key))

    def _name(self, key: BootKey, position: SequenceState, now: int) -> None:
        named = self._named.get(key, set()) & {gap.found for gap in position.missing}
        due = [gap for gap in position.missing if now - gap.found >= self._named_ns and gap.found not in named]
        if due:
            emit(FramesMissing(*key, *_span(due)))
            named |= {gap.found for gap in due}
        if named:
            self._named[key] = named

    def _tell_lost(self, key: BootKey, gaps: Collection[Gap], reason: str) -> None:
        emit(FramesLost(*key, *_span(gaps), reason))


def _span(gaps: Collection[Gap]) -> tuple[int, int, int]:
    """First and last frame of these gaps, and how many are missing."""
    return min(gap.first for gap in gaps), max(gap.last for gap in gaps), sum(gap.frames for gap in gaps)
