"""Tracks gaps in the frames of gateways: reports those that do not close, and gives up old ones as lost."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ingest.base.telemetry import Event, emit
from ingest.storage.journal.commit import Progress
from ingest.storage.journal.sequence_state import BootKey, Gap, SequenceState, Who

_MOST: Final = 10**12  # highest count of missing frames: the range of the point that reports it


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


class GapTracker:
    """Knows which boots have gaps, and which were reported. One event a boot and check, however many gaps it has.

    Args:
        sequences: sequence state of every boot.
        named_s: a gap is reported after this time.
        lost_h: and given up as lost after this time.
    """

    def __init__(self, sequences: Mapping[BootKey, SequenceState], named_s: float, lost_h: float) -> None:
        self._named_ns = int(named_s * 1e9)
        self._lost_ns = int(lost_h * 3600e9)
        self._lost_h = lost_h
        self._open = {key for key, sequence in sequences.items() if sequence.missing}
        self._named: dict[BootKey, set[int]] = {}  # gaps that were reported, by when they were found

    def frames(self, sequences: Mapping[BootKey, SequenceState], found_before: int, known: Collection[Who]) -> int:
        """How many frames of gaps found before that moment (ns) are missing of known gateways. From any thread."""
        keys = [key for key in [*self._open] if key[:2] in known]
        gaps = (gap for key in keys for gap in sequences.get(key, SequenceState()).missing)
        return min(sum(gap.frames for gap in gaps if gap.found < found_before), _MOST)

    def update(self, key: BootKey, progress: Progress) -> None:
        """Take over a boot's new sequence state."""
        if progress.beyond:
            self._report_lost(key, progress.beyond, f"more than {len(progress.state.missing)} gaps at a time")
        if progress.state.missing:
            self._open.add(key)
        elif key in self._open:
            self._close(key, progress.state)

    def check(
        self,
        sequences: Mapping[BootKey, SequenceState],
        now: int,
        known: Collection[Who],
        blocking: Callable[[BootKey, SequenceState], Collection[Gap]],
    ) -> Iterator[tuple[BootKey, SequenceState]]:
        """Report gaps that are due; yields new sequence states without gaps given up, reported when the caller goes on.

        Gateways that are not `known` are skipped, since their frames cannot be taken.
        """
        for key in [key for key in self._open if key[:2] in known]:
            sequence = sequences[key]
            self._report_missing(key, sequence, now)
            before = now - self._lost_ns
            for gaps, reason in (
                (sequence.beyond(), "too many gaps at a time"),
                (blocking(key, sequence), "others wait behind them that find no room in one packet of the broker"),
                ([gap for gap in sequence.missing if gap.found < before], f"missing for {self._lost_h:g} h"),
            ):
                given_up = {*gaps} & {*sequence.missing}
                if given_up:
                    sequence = sequence.give_up(given_up)
                    yield key, sequence
                    self._report_lost(key, given_up, reason)
            if not sequence.missing:
                self._close(key, sequence)

    def forget(self, key: BootKey) -> bool:
        """Forget a boot; returns whether gaps of it were reported."""
        self._open.discard(key)
        return bool(self._named.pop(key, None))

    def _close(self, key: BootKey, sequence: SequenceState) -> None:
        """Stop tracking a boot without gaps; report all found, unless some frames are listed as lost."""
        if self.forget(key) and not sequence.lost:
            emit(FramesFound(*key))

    def _report_missing(self, key: BootKey, sequence: SequenceState, now: int) -> None:
        named = self._named.get(key, set()) & {gap.found for gap in sequence.missing}
        due = [gap for gap in sequence.missing if now - gap.found >= self._named_ns and gap.found not in named]
        if due:
            emit(FramesMissing(*key, *_span(due)))
            named |= {gap.found for gap in due}
        if named:
            self._named[key] = named

    def _report_lost(self, key: BootKey, gaps: Collection[Gap], reason: str) -> None:
        emit(FramesLost(*key, *_span(gaps), reason))


def _span(gaps: Collection[Gap]) -> tuple[int, int, int]:
    """First and last frame of these gaps, and how many are missing."""
    return min(gap.first for gap in gaps), max(gap.last for gap in gaps), sum(gap.frames for gap in gaps)
