"""What tells a frame that comes again from another one under its number: marks of the last frames' bytes."""

from __future__ import annotations

from struct import Struct
from typing import Final
from zlib import crc32

import msgspec

KEPT: Final = 64
"""Frames whose marks are kept: more than wait for their `committed` in an honest gateway, and 256 bytes of a row."""

_MARK: Final = 4
_NONE: Final = bytes(_MARK)
_SET: Final = 946_684_800_000  # ms, the year 2000: a clock that shows less was not set, and tells of no order
_STEP: Final = 60_000  # ms
UNDATED: Final = -(1 << 62)
"""The time of a frame that tells none."""
_HEAD: Final = Struct("<q?")


def mark_of(payload: bytes) -> bytes:
    """A checksum (CRC-32) of what a frame says; two frames that differ have the same with a chance of 1 in 4 * 10^9."""
    return crc32(payload).to_bytes(_MARK, "little")


class RecentFrames(msgspec.Struct, gc=False):
    """The frames a gateway sent last.

    Attributes:
        boot: their boot.
        newest: newest time that came of the gateway, of any boot, ms as its device has it.
        reused: whether a frame of this boot was found to bear the number of another.
        marks: by `seq % KEPT`, the mark of the last frame with such a number.
    """

    boot: str
    newest: int
    reused: bool = False
    marks: bytearray = msgspec.field(default_factory=lambda: bytearray(_MARK * KEPT))

    def copy(self) -> RecentFrames:
        """The same, to be changed."""
        return RecentFrames(self.boot, self.newest, self.reused, self.marks[:])

    def is_another(self, boot: str, seq: int, newest: int, mark: bytes, committed: int) -> bool:
        """Whether a frame whose number is on disk is not the frame that is.

        Where the bytes of that one are no longer known, its time decides: frames are numbered in the order of their
        times, so nothing that comes again is newer than the newest. Of a boot that was found reused no frame is a
        repeat unless its bytes are known.

        >>> known = RecentFrames("b", 1000)
        >>> known.add("b", 1, 1000, mark_of(b"one"), 0)
        >>> [known.is_another("b", 1, 1000, mark_of(bytes), 1) for bytes in (b"one", b"other")]
        [False, True]
        >>> known.is_another("b", 2, 1000, mark_of(b"two"), 500), known.is_another("b", 2, 1001, mark_of(b"two"), 500)
        (False, True)

        Args:
            boot: the frame's.
            seq: the frame's.
            newest: its newest time, ms; `UNDATED` if it tells none.
            mark: its own.
            committed: the newest number of its boot on disk.
        """
        if boot != self.boot:
            return newest > self.newest > _SET
        kept = self._mark(seq)
        if kept == mark:
            return False
        if kept != _NONE and committed - seq < KEPT:
            return True
        return self.reused or newest > self.newest

    def add(self, boot: str, seq: int, newest: int, mark: bytes, committed: int) -> None:
        """Note a frame that is on disk now, `committed` having been the newest number of its boot there before."""
        if boot != self.boot:
            self.newest = max(newest, self.newest)
            return
        if seq >= committed and newest != self.newest:
            self.newest = newest if newest > self.newest else self.following(newest)
        if committed - seq < KEPT:  # what fills an old gap has no place of its own any more
            self._put(seq, mark)

    def following(self, newest: int) -> int:
        """The newest time there is after a frame that goes on with the order of its gateway's.

        It goes back only if the clock was set back: frames of another group of points, or of the boot before, may be a
        little older.
        """
        return newest if newest > self.newest or UNDATED < newest < self.newest - _STEP else self.newest

    def add_another(self, boot: str, seq: int, newest: int, mark: bytes) -> None:
        """Note a frame under the number of another."""
        if boot != self.boot:
            self.marks = bytearray(_MARK * KEPT)
        self.boot, self.newest, self.reused = boot, max(newest, self.newest), True
        self._put(seq, mark)

    def packed(self) -> bytes:
        """As it lies in the row of its boot."""
        return _HEAD.pack(self.newest, self.reused) + self.marks

    def _mark(self, seq: int) -> bytearray:
        at = seq % KEPT * _MARK
        return self.marks[at : at + _MARK]

    def _put(self, seq: int, mark: bytes) -> None:
        at = seq % KEPT * _MARK
        self.marks[at : at + _MARK] = mark


def unpack_recent(boot: str, packed: bytes) -> RecentFrames:
    """What was written of that boot. Raises ValueError if it is not that long."""
    if len(packed) != _HEAD.size + KEPT * _MARK:
        raise ValueError(f"{len(packed)} bytes; expected {_HEAD.size + KEPT * _MARK}")
    newest, reused = _HEAD.unpack_from(packed)
    return RecentFrames(boot, newest, reused, bytearray(packed[_HEAD.size :]))
