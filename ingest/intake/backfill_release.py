"""Decides when staged back-fill may join the journal (pure: times of the steady clock are passed in)."""

from __future__ import annotations

import math
from typing import Final

STARVED_S: Final = 0.5
"""After this time a piece joins however much is live, so that back-fill never starves."""


REST: Final = 3
"""The pause after a piece, in multiples of the time it took."""


class BackfillRelease:
    """Lets a piece join once all is evaluated, after a pause of three times as long as the piece before took.

    So at most a quarter of the time goes into back-fill, however slow the machine is: live readings mostly meet an idle
    engine, and the threads that stage the back-fill and write it to the history have time of their own.
    """

    def __init__(self) -> None:
        self._fed = -math.inf  # when the newest piece joined
        self._evaluated: float | None = None  # when it was first seen to be evaluated
        self._starved = -math.inf

    @property
    def evaluating(self) -> bool:
        """Whether the newest piece is still being evaluated; ask again soon, since the pause depends on it."""
        return self._evaluated is None and self._fed > -math.inf

    def due(self, now: float, *, caught_up: bool) -> bool:
        """Whether a piece may join now. `caught_up`: everything in the journal was evaluated."""
        if now >= self._starved:
            return True
        if not caught_up:
            return False
        if self._evaluated is None:
            self._evaluated = now
        return now - self._evaluated >= REST * (self._evaluated - self._fed)

    def joined(self, readings: int, now: float) -> None:
        """Note that so many readings of back-fill began to join at `now`."""
        if readings:
            self._fed, self._evaluated, self._starved = now, None, now + STARVED_S
