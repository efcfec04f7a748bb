"""Detects when resting between two reads is useless, because the broker waits for acknowledgements; pure.

A broker lets only so many messages be unacknowledged: Mosquitto 20 unless told otherwise, and no more than
`mqtt.window`. No broker announces how many. After a commit it sends that many at once and then waits for the next
commit, so resting would cost throughput and save nothing: a backlog of an hour would take hours.
"""

from __future__ import annotations

from typing import Final

_FEWEST: Final = 1 << 10
"""Bytes. A rest in which fewer came tells nothing."""

_LONGEST: Final = 64
"""Most reads without a rest before one is tried again."""

_UNWATCHED: Final = 8
"""Most unmeasured rests in a row, so that a useless one is noticed within a third of a second."""


class HeldBack:
    """Allows rests while they gather messages; otherwise skips them, ever more in a row."""

    def __init__(self) -> None:
        self._without = 0  # reads without a rest after the newest useless one
        self._left = 0  # how many of them are left
        self._unmeasured = 0  # rests that need not be measured, since the newest measured one gathered messages
        self._unmeasured_left = 0  # how many of them are left

    def rest_s(self, wanted_s: float) -> float:
        """How long to rest before the next read: the wanted time, or 0 where resting is useless."""
        if wanted_s > 0 and self._left:
            self._left -= 1
            return 0.0
        return wanted_s

    def measured(self) -> bool:
        """Whether the rest that begins is to be measured for `rested`; measuring costs more, so ever fewer are."""
        if self._unmeasured_left:
            self._unmeasured_left -= 1
            return False
        return True

    def rested(self, early: int, late: int) -> None:
        """Learn from a rest: bytes that had come when half of it was over, and at its end."""
        useless = late >= _FEWEST and early == late
        self._without = min(max(2 * self._without, 1), _LONGEST) if useless else 0
        self._unmeasured = 0 if useless else min(max(2 * self._unmeasured, 1), _UNWATCHED)
        self._left, self._unmeasured_left = self._without, self._unmeasured
