"""Whether a rest between two reads is in vain because the broker waits for us; pure.

A broker lets only so many messages be unacknowledged: Mosquitto 20 unless told otherwise, and no more than
`mqtt.window`. None of them says how many. After a commit it sends that many at once and then waits for the next commit,
so resting would cost throughput and save nothing: a backlog of an hour would come in for hours.
"""

from __future__ import annotations

from typing import Final

_FEWEST: Final = 1 << 10
"""Bytes. A rest in which fewer came says nothing."""

_LONGEST: Final = 64
"""Reads without a rest at most, until one is tried again."""

_UNWATCHED: Final = 8
"""Rests at most of which nobody sees whether they are in vain: that is seen within a third of a second all the same."""


class HeldBack:
    """Lets a rest be while it gathers messages; else the next reads follow at once, ever more of them."""

    def __init__(self) -> None:
        self._without = 0  # reads without a rest that the newest rest in vain led to
        self._left = 0  # how many of them are left
        self._unwatched = 0  # rests that need not be watched, since the newest that was gathered something
        self._unwatched_left = 0  # how many of them are left

    def rest_s(self, wanted_s: float) -> float:
        """How long to rest before the next read, which is to rest for so long."""
        if wanted_s > 0 and self._left:
            self._left -= 1
            return 0.0
        return wanted_s

    def watched(self) -> bool:
        """Whether the rest that begins is to be watched, for `rested`: it costs more, so ever fewer are."""
        if self._unwatched_left:
            self._unwatched_left -= 1
            return False
        return True

    def rested(self, early: int, late: int) -> None:
        """Learn from a rest: so many bytes had come when half of it was over, and so many at its end."""
        in_vain = late >= _FEWEST and early == late
        self._without = min(max(2 * self._without, 1), _LONGEST) if in_vain else 0
        self._unwatched = 0 if in_vain else min(max(2 * self._unwatched, 1), _UNWATCHED)
        self._left, self._unwatched_left = self._without, self._unwatched
