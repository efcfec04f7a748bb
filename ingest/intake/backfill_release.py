"""When staged back-fill may join the journal (pure: times of the steady clock are passed in)."""

from __future__ import annotations

import math
from typing import Final

STARVED_S: Final = 0.5
"""After so long a piece joins, however much is live: back-fill never starves."""


REST: Final = 3
"""Times as long as a piece took is rested from it."""


class BackfillRelease:
    """Lets a piece join once all is judged and the one before has been rested from for three times as long as it took.

    So at most a quarter of the time goes into back-fill, however slow the machine is and whatever else it does: what is
    live mostly meets an engine that waits for it, and threads that stage the back-fill and carry it into the history
    have time of their own.
    """

    def __init__(self) -> None:
        self._fed = -math.inf  # when the newest piece joined
        self._judged: float | None = None  # when that was seen to be judged
        self._starved = -math.inf

    @property
    def judging(self) -> bool:
        """Whether the newest piece was not seen to be judged yet: ask again soon, for it is rested from as long."""
        return self._judged is None and self._fed > -math.inf

    def due(self, now: float, *, caught_up: bool) -> bool:
        """Whether a piece may join now. `caught_up`: everything in the journal was judged."""
        if now >= self._starved:
            return True
        if not caught_up:
            return False
        if self._judged is None:
            self._judged = now
        return now - self._judged >= REST * (self._judged - self._fed)

    def joined(self, readings: int, now: float) -> None:
        """Note that so many readings of back-fill began to join at `now`."""
        if readings:
            self._fed, self._judged, self._starved = now, None, now + STARVED_S
