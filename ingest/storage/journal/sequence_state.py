"""The sequence state of one boot of a gateway: which frames are on disk, missing or given up as lost."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Final, NamedTuple

import msgspec

GAPS: Final = 512
"""Most gaps of a boot that are requested, and most that are listed as lost: this bounds what a gateway that numbers
frames at random costs. One with so many at a time has a broken counter or a broken link."""

_FRAMES: Final = 10**9
"""Frames one gap counts for at most: a counter that jumps by 10^18 must not drown the honest counts of all others."""


Who = tuple[str, str]
"""(plant, gateway)"""

BootKey = tuple[str, str, str]
"""(plant, gateway, boot)"""


class Gap(NamedTuple):
    """Missing frames, `first` to `last` inclusive; `found` is when the gap was noticed, ns since the epoch."""

    first: int
    last: int
    found: int = 0

    @property
    def frames(self) -> int:
        """The number of missing frames, at most 10^9."""
        return min(self.last - self.first + 1, _FRAMES)

    def without(self, seq: int) -> tuple[Gap, ...]:
        """The rest of the gap once that frame was received."""
        left = (self._replace(last=seq - 1),) if self.first < seq else ()
        right = (self._replace(first=seq + 1),) if seq < self.last else ()
        return left + right


class SequenceState(msgspec.Struct, frozen=True, gc=False):
    """Which frames are on disk: all up to `committed` except those in `missing` and `lost`.

    Attributes:
        missing: gaps that are still requested, in order.
        lost: gaps that were never closed, in order; a frame of them is still accepted if it ever comes.
    """

    committed: int = 0
    missing: tuple[Gap, ...] = ()
    lost: tuple[Gap, ...] = ()

    def accept(self, seq: int, now: int = 0) -> SequenceState | None:
        """The state with frame `seq` added at `now`, or None if that frame is on disk already.

        >>> SequenceState().accept(1).accept(4, now=7)
        SequenceState(committed=4, missing=(Gap(first=2, last=3, found=7),), lost=())
        >>> SequenceState().accept(1).accept(4, now=7).accept(2).missing
        (Gap(first=3, last=3, found=7),)
        >>> SequenceState(committed=4).accept(3) is None
        True
        """
        if seq == self.committed + 1:
            return SequenceState(seq, self.missing, self.lost)
        if seq > self.committed:
            return SequenceState(seq, (*self.missing, Gap(self.committed + 1, seq - 1, now)), self.lost)
        missing, lost = _fill(self.missing, seq), _fill(self.lost, seq)
        if missing is not None:
            return msgspec.structs.replace(self, missing=missing)
        return None if lost is None else msgspec.structs.replace(self, lost=lost)

    def beyond(self, most: int = GAPS) -> tuple[Gap, ...]:
        """The oldest missing gaps in excess of `most`."""
        return self.missing[: max(len(self.missing) - most, 0)]

    def give_up(self, gaps: Iterable[Gap], most: int = GAPS) -> SequenceState:
        """The state with these missing gaps moved to `lost`.

        Of more than `most` lost ones the oldest are closed: a frame of them that comes after all counts as repeated.

        >>> SequenceState(6, (Gap(1, 1), Gap(3, 3), Gap(5, 5)), (Gap(4, 4),)).give_up([Gap(1, 1), Gap(5, 5)], 2)
        SequenceState(committed=6, missing=(Gap(first=3, last=3, found=0),), \
lost=(Gap(first=4, last=4, found=0), Gap(first=5, last=5, found=0)))
        """
        given_up = {*gaps}
        if not given_up and len(self.lost) <= most:
            return self
        missing = tuple(gap for gap in self.missing if gap not in given_up)
        return SequenceState(self.committed, missing, tuple(sorted((*self.lost, *given_up))[-most:]))


def gaps_text(gaps: Sequence[Gap]) -> str:
    """Encode gaps for the journal."""
    return json.dumps(gaps) if gaps else "[]"


def gaps_of(text: object) -> tuple[Gap, ...]:
    """Decode gaps. Raises ValueError or TypeError if they are malformed."""
    gaps = tuple(Gap(*gap) for gap in json.loads(text))  # type: ignore[arg-type]
    if not all(isinstance(number, int) for gap in gaps for number in gap):
        raise ValueError(f"{str(text)[:80]}: expected gaps of whole numbers")
    return tuple(sorted(gaps))


def _fill(gaps: tuple[Gap, ...], seq: int) -> tuple[Gap, ...] | None:
    """The gaps with that frame removed, or None if it is in none of them."""
    at = bisect_right(gaps, seq, key=itemgetter(0)) - 1
    if at < 0 or seq > gaps[at].last:
        return None
    return gaps[:at] + gaps[at].without(seq) + gaps[at + 1 :]
