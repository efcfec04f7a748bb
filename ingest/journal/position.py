"""Where one boot of one gateway stands: which frames are on disk, which are missing, which will not come any more."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple


class Gap(NamedTuple):
    """Frames that did not come, `first` and `last` included; `found` is when that was seen, ns since the epoch."""

    first: int
    last: int
    found: int = 0

    @property
    def frames(self) -> int:
        """How many frames are missing."""
        return self.last - self.first + 1

    def without(self, seq: int) -> tuple[Gap, ...]:
        """What is left of the gap once that frame has come."""
        left = (self._replace(last=seq - 1),) if self.first < seq else ()
        right = (self._replace(first=seq + 1),) if seq < self.last else ()
        return left + right


@dataclass(frozen=True, slots=True)
class Position:
    """Frames up to `committed` are on disk, but those in `missing` and in `lost`.

    Attributes:
        missing: gaps that are still asked for.
        lost: gaps that were asked for in vain for too long; a frame of them is still taken if it ever comes.
    """

    committed: int = 0
    missing: tuple[Gap, ...] = ()
    lost: tuple[Gap, ...] = ()

    def accept(self, seq: int, now: int = 0) -> Position | None:
        """The position with frame `seq` added at `now`, or None if that frame is on disk already.

        >>> Position().accept(1).accept(4, now=7)
        Position(committed=4, missing=(Gap(first=2, last=3, found=7),), lost=())
        >>> Position().accept(1).accept(4, now=7).accept(2).missing
        (Gap(first=3, last=3, found=7),)
        >>> Position(committed=4).accept(3) is None
        True
        """
        if seq == self.committed + 1:
            return Position(seq, self.missing, self.lost)
        if seq > self.committed:
            return Position(seq, (*self.missing, Gap(self.committed + 1, seq - 1, now)), self.lost)
        missing, lost = _fill(self.missing, seq), _fill(self.lost, seq)
        if missing is not None:
            return replace(self, missing=missing)
        return None if lost is None else replace(self, lost=lost)

    def give_up(self, found_before: int) -> Position:
        """The position with every gap found before that moment listed as lost."""
        old = tuple(gap for gap in self.missing if gap.found < found_before)
        if not old:
            return self
        return Position(self.committed, tuple(gap for gap in self.missing if gap not in old), (*self.lost, *old))


def gaps_text(gaps: Sequence[Gap]) -> str:
    """The gaps as they lie in the journal."""
    return json.dumps(gaps) if gaps else "[]"


def gaps_of(text: str) -> tuple[Gap, ...]:
    """The gaps that were written. Raises ValueError or TypeError if they are none."""
    return tuple(Gap(*gap) for gap in json.loads(text))


def _fill(gaps: tuple[Gap, ...], seq: int) -> tuple[Gap, ...] | None:
    """The gaps with that frame taken out, or None if it is in none of them."""
    for at, gap in enumerate(gaps):
        if gap.first <= seq <= gap.last:
            return gaps[:at] + gap.without(seq) + gaps[at + 1 :]
    return None
