"""Where one boot of one gateway stands: which frames are on disk, which are missing."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Position:
    """Frames up to `committed` are on disk, but those in `missing` (first and last of each range included)."""

    committed: int = 0
    missing: tuple[tuple[int, int], ...] = ()

    def accept(self, seq: int) -> Position | None:
        """The position with frame `seq` added, or None if that frame is on disk already.

        >>> Position().accept(1).accept(4)
        Position(committed=4, missing=((2, 3),))
        >>> Position().accept(1).accept(4).accept(2)
        Position(committed=4, missing=((3, 3),))
        >>> Position(committed=4).accept(3) is None
        True
        """
        if seq > self.committed:
            gap = ((self.committed + 1, seq - 1),) if seq > self.committed + 1 else ()
            return Position(seq, self.missing + gap)
        for at, (first, last) in enumerate(self.missing):
            if first <= seq <= last:
                left = ((first, seq - 1),) if first < seq else ()
                right = ((seq + 1, last),) if seq < last else ()
                return replace(self, missing=self.missing[:at] + left + right + self.missing[at + 1 :])
        return None
