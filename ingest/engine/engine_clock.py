"""The engine's clock: the service's time of day, which jumps only where the journal records a jump."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from ingest.intake.sources.clock import STEP
from ingest.storage.journal.records import Entry

_AHEAD: Final = 10**9
"""Ns by which a time of arrival may be ahead of this clock; one further ahead comes from a clock that was wrong."""


class EngineClock:
    """Runs on steadily when somebody sets the service's clock, until the journal reaches that jump.

    Times of arrival before and after a jump cannot be compared. An entry records by how much the clock was set before
    it; up to there the engine uses the old time, from there on the new one.
    """

    def __init__(
        self,
        pending: int = 0,
        *,
        wall: Callable[[], int] = time.time_ns,
        steady: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """`pending`: sum of the jumps (ns) that the journal records after the engine's cursor."""
        self._wall, self._steady = wall, steady
        self._ahead = wall() - steady() - pending

    def now(self) -> int:
        """Ns since the epoch."""
        steady = self._steady()
        ahead = self._wall() - steady
        if abs(ahead - self._ahead) < STEP:  # too small to be recorded: a clock that is slewed, or set by little
            self._ahead = ahead
        return self._ahead + steady

    def of(self, received: int) -> int:
        """A time of arrival, limited to the present where it is noticeably ahead."""
        now = self.now()
        return received if received <= now + _AHEAD else now

    def step(self, by: int) -> None:
        """Follow a jump that the journal has reached."""
        self._ahead += by


def split_at_clock_jumps(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    """Split entries before each recorded clock jump; within a portion, times of arrival can be compared."""
    start = 0
    for at, entry in enumerate(entries):
        if entry.step and at > start:
            yield entries[start:at]
            start = at
    if len(entries) > start:
        yield entries[start:]
