"""Where one boot of one gateway stands: which frames are on disk, which are missing, which will not come any more."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Final, NamedTuple

import msgspec

GAPS: Final = 512
"""Gaps a boot may have that are asked for, and as many that are listed as lost: whoever numbers frames wildly costs no
more memory, disk and bandwidth than that. A gateway with so many at a time has a broken counter or a broken link."""

_FRAMES: Final = 10**9
"""Frames one gap counts for at most: a counter that jumps by 10^18 must not drown the honest counts of all others."""


Who = tuple[str, str]
"""(plant, gateway)"""

BootKey = tuple[str, str, str]
"""(plant, gateway, boot)"""


class Gap(NamedTuple):
    """Frames that did not come, `first` and `last` included; `found` is when that was seen, ns since the epoch."""

    first: int
    last: int
    found: int = 0

    @property
    def frames(self) -> int:
        """How many frames are missing, as far as that is believable: at most a thousand million."""
        return min(self.last - self.first + 1, _FRAMES)

    def without(self, seq: int) -> tuple[Gap, ...]:
        """What is left of the gap once that frame has come."""
        left = (self._replace(last=seq - 1),) if self.first < seq else ()
        right = (self._replace(first=seq + 1),) if seq < self.last else ()
        return left + right


class SequenceState(msgspec.Struct, frozen=True, gc=False):
    """Frames up to `committed` are on disk, but those in `missing` and in `lost`.

    Attributes:
        missing: gaps that are still asked for, in order.
        lost: gaps that nobody closed, in order; a frame of them is still taken if it ever comes.
    """

    committed: int = 0
    missing: tuple[Gap, ...] = ()
    lost: tuple[Gap, ...] = ()

    def accept(self, seq: int, now: int = 0) -> SequenceState | None:
        """The position with frame `seq` added at `now`, or None if that frame is on disk already.

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
        """The oldest of the missing gaps, as far as there are more than so many."""
        return self.missing[: max(len(self.missing) - most, 0)]

    def give_up(self, gaps: Iterable[Gap], most: int = GAPS) -> SequenceState:
        """The position with these of its missing gaps listed as lost.

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
    """The gaps as they lie in the journal."""
    return json.dumps(gaps) if gaps else "[]"


def gaps_of(text: object) -> tuple[Gap, ...]:
    """The gaps that were written. Raises ValueError or TypeError if they are none."""
    gaps = tuple(Gap(*gap) for gap in json.loads(text))  # type: ignore[arg-type]
    if not all(isinstance(number, int) for gap in gaps for number in gap):
        raise ValueError(f"{str(text)[:80]}: expected gaps of whole numbers")
    return tuple(sorted(gaps))


def _fill(gaps: tuple[Gap, ...], seq: int) -> tuple[Gap, ...] | None:
    """The gaps with that frame taken out, or None if it is in none of them."""
    at = bisect_right(gaps, seq, key=itemgetter(0)) - 1
    if at < 0 or seq > gaps[at].last:
        return None
    return gaps[:at] + gaps[at].without(seq) + gaps[at + 1 :]
