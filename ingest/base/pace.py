"""How soon a part that works in cycles begins the next: the one rule for all of them.

A cycle has a fixed cost, however little there is for it to do: a commit and its sync, a pass through every stage, a
request. Whoever begins one for each frame pays that for each frame. So a cycle that took `c` is followed by the next no
sooner than `MULTIPLE` times `c` after it began, and no later than the part's `longest`: what comes meanwhile shares the
next one. A lone frame after a pause is taken at once; steady frames cost a bounded share of a core; and a part that has
all hands full never waits, since its cycles take longer than the rest.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from pydantic import Field

from ingest.base.config import Config

MULTIPLE: Final = 40
"""A part that works for 1 ms begins again 40 ms after it began: one fortieth of a core."""


class PaceConfig(Config):
    """How long each part lets the next cycle wait, counted from the beginning of the one before. 0: not at all.

    What arrives steadily is judged later by the sum of the first two at the most, and seen in trends later by the last.
    """

    broker_ms: float = Field(default=40, ge=0, le=1000)  # always between reads, each of which makes a commit
    engine_ms: float = Field(default=20, ge=0, le=1000)  # at most; less than between the commits it follows
    history_ms: float = Field(default=2000, ge=0, le=60_000)  # always between writes: nobody waits for them

    def reads(self) -> Pace:
        """Of reads from the broker."""
        return Pace(self.broker_ms / 1e3, self.broker_ms / 1e3)

    def cycles(self) -> Pace:
        """Of the engine's cycles."""
        return Pace(self.engine_ms / 1e3)

    def writes(self) -> Pace:
        """Of the history's writes."""
        return Pace(self.history_ms / 1e3, self.history_ms / 1e3)


class Pace:
    """When the next cycle of one part may begin. For one thread.

    Args:
        longest_s: at most so long after the last one began.
        least_s: at least so long, however little it took.
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
        """A cycle begins that has something to do."""
        self._began = self._clock()

    def end(self) -> None:
        """It is done."""
        took = self._clock() - self._began
        self._next = self._began + min(max(MULTIPLE * took, self._least), self._longest)

    def rest_s(self) -> float:
        """So long from now until the next may begin; 0: at once."""
        return max(0.0, self._next - self._clock())

    def hurry(self) -> None:
        """The next may begin at once: somebody waits for it."""
        self._next = 0.0
