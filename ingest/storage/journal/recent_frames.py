"""Checksums of a gateway's last frames, by which a repeated frame is distinguished from one that reuses its number."""

from __future__ import annotations

from struct import Struct
from typing import Final
from zlib import crc32

import msgspec

KEPT: Final = 64
"""Frames whose checksums are kept: more than an honest gateway has uncommitted, and 256 bytes of a row."""

_MARK: Final = 4
_NONE: Final = bytes(_MARK)
_SET: Final = 946_684_800_000  # ms, the year 2000: a clock that shows less was not set, and gives no order
_STEP: Final = 60_000  # ms
UNDATED: Final = -(1 << 62)
"""The time of a frame that gives none."""
_HEAD: Final = Struct("<q?")


def mark_of(payload: bytes) -> bytes:
    """A checksum (CRC-32) of a frame's bytes; two different frames share one with a probability of 1 in 4 * 10^9."""
    return crc32(payload).to_bytes(_MARK, "little")


class RecentFrames(msgspec.Struct, gc=False):
    """Checksums of the last frames of one gateway.

    Attributes:
        boot: their boot.
        newest: newest time received from the gateway, of any boot, ms by its device.
        reused: whether a sequence number of this boot was found to be used twice.
        marks: by `seq % KEPT`, the checksum of the last frame with such a number.
    """

    boot: str
    newest: int
    reused: bool = False
    marks: bytearray = msgspec.field(default_factory=lambda: bytearray(_MARK * KEPT))

    def copy(self) -> RecentFrames:
        """A copy that can be changed independently."""
        return RecentFrames(self.boot, self.newest, self.reused, self.marks[:])

    def is_another(self, boot: str, seq: int, newest: int, mark: bytes, committed: int) -> bool:
        """Whether a frame whose number is on disk differs from the frame stored under that number.

        Where the stored frame's checksum is not known any more, times decide: frames are numbered in the order of their
        times, so no repeated frame is newer than the newest. Once a boot was found to reuse numbers, only a known
        checksum makes a frame a repeat.

        >>> known = RecentFrames("b", 1000)
        >>> known.add("b", 1, 1000, mark_of(b"one"), 0)
        >>> [known.is_another("b", 1, 1000, mark_of(bytes), 1) for bytes in (b"one", b"other")]
        [False, True]
        >>> known.is_another("b", 2, 1000, mark_of(b"two"), 500), known.is_another("b", 2, 1001, mark_of(b"two"), 500)
        (False, True)

        Args:
            boot: the frame's.
            seq: the frame's.
            newest: its newest time, ms; `UNDATED` if it gives none.
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
        """Add a frame that is now on disk; `committed` was the newest number of its boot there before."""
        if boot != self.boot:
            self.newest = max(newest, self.newest)
            return
        if seq >= committed and newest != self.newest:
            self.newest = newest if newest > self.newest else self.following(newest)
        if committed - seq < KEPT:  # a frame that fills an old gap has no slot any more
            self._put(seq, mark)

    def following(self, newest: int) -> int:
        """The newest time after a frame that continues its gateway's order.

        It goes back only if the clock was set back: frames of another group of points, or of the boot before, may be a
        little older.
        """
        return newest if newest > self.newest or UNDATED < newest < self.newest - _STEP else self.newest

    def add_another(self, boot: str, seq: int, newest: int, mark: bytes) -> None:
        """Add a frame that reuses the number of another."""
        if boot != self.boot:
            self.marks = bytearray(_MARK * KEPT)
        self.boot, self.newest, self.reused = boot, max(newest, self.newest), True
        self._put(seq, mark)

    def packed(self) -> bytes:
        """The bytes stored in the row of its boot."""
        return _HEAD.pack(self.newest, self.reused) + self.marks

    def _mark(self, seq: int) -> bytearray:
        at = seq % KEPT * _MARK
        return self.marks[at : at + _MARK]

    def _put(self, seq: int, mark: bytes) -> None:
        at = seq % KEPT * _MARK
        self.marks[at : at + _MARK] = mark


def unpack_recent(boot: str, packed: bytes) -> RecentFrames:
    """Decode the bytes stored for that boot. Raises ValueError if they are of the wrong length."""
    if len(packed) != _HEAD.size + KEPT * _MARK:
        raise ValueError(f"{len(packed)} bytes; expected {_HEAD.size + KEPT * _MARK}")
    newest, reused = _HEAD.unpack_from(packed)
    return RecentFrames(boot, newest, reused, bytearray(packed[_HEAD.size :]))
