"""Results of delivery attempts, recorded in rounds: one transaction for many.

A transaction and its change of threads cost as much as sending a message does. What was accepted needs no record to go
on: until it is recorded, a crash delivers it again, under its id. So the record of a success waits for others, for
`RECORD_S` at most. A failure is recorded before its message is tried again, since tries are counted there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from ingest.delivery.outbox_access import PatientOutbox
from ingest.domain.model.outbox import Attempt

RECORD_S: Final = 1.0
"""The longest that a delivered message waits for its record, s: after a kill such messages are delivered again."""

ROUND: Final = 64
"""Results after which a round is recorded without waiting for more."""

MOST: Final = 256
"""Results without a record at which nothing more is sent: most messages that a kill repeats."""


class Outcomes:
    """The results of one connector's attempts that are not recorded yet. Belongs to one event loop."""

    def __init__(self, outbox: PatientOutbox, wait_s: float, recorded: Callable[[], None]) -> None:
        """`wait_s`: how long a success may wait for others; `recorded` is called after each round."""
        self._outbox = outbox
        self._wait_s = wait_s
        self._recorded = recorded
        self._waiting: list[Attempt] = []
        self._open = 0  # those of the round that is being recorded, too
        self._lock = asyncio.Lock()
        self._due: asyncio.TimerHandle | None = None
        self._round: asyncio.Task[None] | None = None
        self._again = False  # another round is due

    @property
    def full(self) -> bool:
        """Whether so many wait that nothing more should be sent."""
        return self._open >= MOST

    def add(self, attempts: Sequence[Attempt]) -> None:
        """Record these with the next round."""
        self._waiting += attempts
        self._open += len(attempts)
        if len(self._waiting) >= ROUND:
            self._begin()
        elif self._due is None:
            self._due = asyncio.get_running_loop().call_later(self._wait_s, self._begin)

    async def flush(self) -> None:
        """Record all of them now; returns once they are."""
        if self._due is not None:
            self._due.cancel()
            self._due = None
        async with self._lock:
            if not self._waiting:
                return
            attempts, self._waiting = self._waiting, []
            await self._outbox.record(attempts)
            self._open -= len(attempts)
        self._recorded()

    def _begin(self) -> None:
        """Begin a round; if one is being recorded, after it."""
        if self._due is not None:
            self._due.cancel()
            self._due = None
        self._again = True
        if self._round is None or self._round.done():
            self._round = asyncio.get_running_loop().create_task(self._rounds(), name="outbox-record")

    async def _rounds(self) -> None:
        while self._again:
            self._again = False
            await self.flush()
