"""The engine's clock: the service's time of day as the journal knows it, without its steps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from ingest.intake.sources.clock import STEP
from ingest.storage.journal.records import Entry

_AHEAD: Final = 10**9
"""Ns by which a time of arrival may be ahead of this clock; one further ahead was told by a clock that was wrong."""


class EngineClock:
    """Goes on steadily when somebody sets the service's clock, until the journal tells of that step.

    Times of arrival before and after a step cannot be compared. An entry tells by how much the clock was set before it;
    up to there the engine judges by the old time, from there on by the new one.
    """

    def __init__(
        self,
        pending: int = 0,
        *,
        wall: Callable[[], int] = time.time_ns,
        steady: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """`pending`: steps (ns) of which the journal tells only after where the engine stands."""
        self._wall, self._steady = wall, steady
        self._ahead = wall() - steady() - pending

    def now(self) -> int:
        """Ns since the epoch."""
        steady = self._steady()
        ahead = self._wall() - steady
        if abs(ahead - self._ahead) < STEP:  # the journal tells of no such step: a clock that is slewed, or set by less
            self._ahead = ahead
        return self._ahead + steady

    def of(self, received: int) -> int:
        """When something was received: never noticeably after now."""
        now = self.now()
        return received if received <= now + _AHEAD else now

    def step(self, by: int) -> None:
        """The journal has come to a step of the clock."""
        self._ahead += by


def split_at_clock_jumps(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    """The entries cut before each that tells of a step: within a portion, times of arrival can be compared."""
    start = 0
    for at, entry in enumerate(entries):
        if entry.step and at > start:
            yield entries[start:at]
            start = at
    if len(entries) > start:
        yield entries[start:]
