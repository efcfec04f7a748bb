"""Paces the parts that work in cycles: one rule for how soon the next cycle begins.

A cycle has a fixed cost, however little work there is: a commit and its sync, a pass through every stage, a request. A
cycle for each frame would pay it for each frame. So after a cycle that took `c`, the next begins no sooner than
`MULTIPLE` times `c` after the last one began, and no later than the part's `longest_s`: what arrives meanwhile shares
it. A lone frame after a pause is processed at once; steady frames cost a bounded share of a core; and a part under full
load never waits, since its cycles take longer than `longest_s`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from pydantic import Field

from ingest.base.config import Config

MULTIPLE: Final = 40
"""A part that worked for 1 ms begins again 40 ms after it began: one fortieth of a core."""


class PaceConfig(Config):
    """How long each part lets the next cycle wait, counted from the beginning of the one before. 0: not at all.

    What arrives steadily is judged later by the sum of the first two at the most, and seen in trends later by the last.
    """

    broker_ms: float = Field(default=40, ge=0, le=1000)  # always between reads, each of which makes a commit
    engine_ms: float = Field(default=20, ge=0, le=1000)  # at most; less than between the commits it follows
    history_ms: float = Field(default=2000, ge=0, le=60_000)  # always between writes: nobody waits for them

    def reads(self) -> Pace:
        """Return the pace of reads from the broker."""
        return Pace(self.broker_ms / 1e3, self.broker_ms / 1e3)

    def cycles(self) -> Pace:
        """Return the pace of the engine's cycles."""
        return Pace(self.engine_ms / 1e3)

    def writes(self) -> Pace:
        """Return the pace of the history's writes."""
        return Pace(self.history_ms / 1e3, self.history_ms / 1e3)


class Pace:
    """Tells when the next cycle of one part may begin. For one thread.

    Args:
        longest_s: the most time between the beginnings of two cycles.
        least_s: the least time between them.
        clock: seconds, steady.

    >>> times = iter([10.0, 10.0005, 10.0005])
    >>> pace = Pace(0.040, clock=times.__next__)
    >>> pace.begin()
    >>> pace.end()
    >>> round(pace.rest_s(), 6)
    0.0195
    """

    def __init__(self, longest_s: float, least_s: float = 0.0, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._longest = longest_s
        self._least = least_s
        self._clock = clock
        self._began = self._next = 0.0

    def begin(self) -> None:
        """Note that a cycle with work begins."""
        self._began = self._clock()

    def end(self) -> None:
        """Note that it has ended."""
        took = self._clock() - self._began
        self._next = self._began + min(max(MULTIPLE * took, self._least), self._longest)

    def rest_s(self) -> float:
        """Return seconds until the next cycle may begin; 0: at once."""
        return max(0.0, self._next - self._clock())

    def hurry(self) -> None:
        """Let the next cycle begin at once because somebody waits for it."""
        self._next = 0.0
