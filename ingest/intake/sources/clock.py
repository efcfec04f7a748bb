"""The service's clock: the time of day, and by how much it was set."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

STEP: Final = 500_000_000
"""Ns by which the time of day must part from the steady clock between two reads to count as set; a clock that is
slewed parts by at most half a second in a quarter of an hour."""


class Clock:
    """Tells the time, and by how much it was set since the start. Safe to use from any thread.

    Times of arrival before and after a jump cannot be compared until the jump is undone.

    >>> wall, steady = iter([100, 200 + 10**9, 300 + 10**9]), iter([0, 100, 200])
    >>> clock = Clock(wall.__next__, steady.__next__)
    >>> clock.read(), clock.read()
    ((1000000200, 1000000000), (1000000300, 1000000000))
    """

    def __init__(self, wall: Callable[[], int] = time.time_ns, steady: Callable[[], int] = time.monotonic_ns) -> None:
        self._wall = wall
        self._steady = steady
        self._lock = threading.Lock()
        self._ahead = wall() - steady()
        self._set_by = 0

    def read(self) -> tuple[int, int]:
        """Now, ns since the epoch, and the sum of all clock jumps since the start, ns."""
        with self._lock:
            now = self._wall()
            ahead = now - self._steady()
            if abs(ahead - self._ahead) >= STEP:
                self._set_by += ahead - self._ahead
            self._ahead = ahead
            return now, self._set_by

    def steady_s(self) -> float:
        """The steady clock, s: for intervals, which jumps of the time of day must not change."""
        return self._steady() / 1e9
