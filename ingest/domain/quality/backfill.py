"""Recognizes back-fill frames: a gateway whose readings span more time than passes is catching up, any other is live.

A frame's age alone does not decide. A gateway behind a slow link, or with a wrong clock, sends old times for ever, and
they are the best that is known of its plant: they are evaluated as they come.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

FRESH: Final = 60 * 10**9
"""ns. A frame whose newest time is at most so old on arrival is live, whatever came before it."""

PACE: Final = 2
"""In a live gateway's frames, time may pass up to this many times as fast as between arrivals."""

BURST: Final = 60 * 10**9
"""ns of readings that a gateway may send at once before it counts as catching up: what a short outage leaves."""


@dataclass(slots=True)
class _Credit:
    left: int  # ns of readings that may come beyond the time that passes; negative counts as none
    newest: int
    received: int


@dataclass(slots=True)
class Backfill:
    """Distinguishes back-fill from live frames by how fast time passes in each gateway's frames.

    Kept in memory only: after a start every gateway begins with a full burst.
    """

    _credits: dict[tuple[str, str], _Credit] = field(default_factory=dict)

    def catches_up(self, gateway: tuple[str, str], first: int, newest: int, received: int) -> bool:
        """Whether this frame, which is not marked historical, is part of a backlog.

        >>> s, backlog = 10**9, Backfill()
        >>> [backlog.catches_up(("p", "g"), at * s, (at + 30) * s, 5000 * s) for at in (1000, 1030, 1060, 1090)]
        [False, False, False, True]
        >>> backlog.catches_up(("p", "g"), 4990 * s, 4990 * s, 5000 * s)
        False

        Args:
            gateway: (plant, gateway).
            first: the frame's oldest time as kept, ns.
            newest: its newest time as kept, ns.
            received: its arrival, ns.
        """
        credit = self._credits.get(gateway)
        if credit is None:
            self._credits[gateway] = _Credit(BURST, newest, received)
            return False  # a first frame does not decide
        span, before, passed = newest - first, credit.newest, received - credit.received
        if newest > before:
            if first < before:
                span = newest - before
            credit.newest = newest
        # Conditions where min() and max() would read better: this runs for every frame.
        due = PACE * passed if passed > 0 else 0  # all that passed since the frame before, however long that was
        kept = credit.left if credit.left < BURST - due else BURST - due
        credit.left = left = due + (kept if kept > 0 else 0) - span
        credit.received = received
        return left < 0 and received - newest > FRESH
