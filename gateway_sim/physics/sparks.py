"""Ordinary sparks of dust-producing work: the detector sees each, its water puts it out, and work goes on.

Found: makers say that the water runs for some 5 s and that production goes on meanwhile (GreCon BS 7,
directindustry.com 16294-46890; scribd.com 679500220). How many there are, nothing read says. Assumed: one in 24 h of
work, of a range from two a week to three a day; a fifth of them come with a second one within a minute.
"""

from __future__ import annotations

import random
from typing import Final

SPARKS_A_DAY: Final = 1.0
SPARKS_RANGE: Final = (0.3, 3.0)
"""Of a day of 24 h of work: two a week, three a day."""
WATER_S: Final = 5.0
"""As long the contact is closed, and the water runs."""
PAIRED: Final = 0.2
PAIR_S: Final = (10.0, 60.0)
_DAY_S: Final = 86_400.0


class OrdinarySparks:
    """The contact of one spark detector."""

    def __init__(self, seed: int, a_day: float = SPARKS_A_DAY) -> None:
        self._rng = random.Random(f"sparks {seed}")  # its own: more sparks change nothing else
        self._a_day = a_day
        self._wait_s = self._interval()  # s of work until the next one
        self._follows = False
        self._water_s = 0.0

    def advance(self, dt_s: float, *, working: bool) -> bool:
        """Whether the contact is closed `dt_s` seconds later; what does not work makes no sparks."""
        self._water_s = max(self._water_s - dt_s, 0.0)
        if working:
            self._wait_s -= dt_s
            if self._wait_s <= 0.0:
                self._water_s = WATER_S
                self._follows = not self._follows and self._rng.random() < PAIRED
                self._wait_s = self._rng.uniform(*PAIR_S) if self._follows else self._interval()
        return self._water_s > 0.0

    def _interval(self) -> float:
        return self._rng.expovariate(self._a_day / _DAY_S) if self._a_day > 0 else float("inf")
