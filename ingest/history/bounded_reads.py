"""Reads of the history that end in time, whatever the store does: nothing else waits for a store that hangs.

A query runs in a daemon thread of its own, few at a time, and is awaited until a deadline. While the circuit breaker
is open, queries fail at once; the trial that may close it is one of them, carried out while its caller has gone on.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from ingest.history.breaker import Breaker
from ingest.history.errors import HistoryUnavailable
from ingest.history.store import Trend, TrendQuery
from ingest.telemetry import Event, emit

IN_FLIGHT: Final = 4
"""Queries at the same moment; others wait their turn, until their deadline."""


@dataclass(frozen=True, slots=True)
class HistoryQueriesSuspended(Event, level="warning"):
    """The history store does not answer queries: they fail at once until a trial is answered."""

    reason: str


@dataclass(frozen=True, slots=True)
class HistoryQueriesResumed(Event):
    """The history store answers queries again."""


class Trends(Protocol):
    """What is read of a history store; see `HistoryStore`. Blocking."""

    def trends(self, queries: Sequence[TrendQuery]) -> Sequence[Trend]:
        """The trend of each query. Raises HistoryError."""


class BoundedReads:
    """Fills `ingest.api.ports.Readings`; to be used in one event loop.

    Args:
        store: what is asked.
        deadline_s: seconds a caller waits at most.
        clock: a steady clock, in seconds.
    """

    def __init__(self, store: Trends, deadline_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._deadline_s = deadline_s
        self._clock = clock
        self._breaker = Breaker()
        self._free = asyncio.Semaphore(IN_FLIGHT)

    async def trends(self, queries: Sequence[TrendQuery]) -> Sequence[Trend]:
        """The trend of each query, in that order.

        Raises:
            HistoryUnavailable: the store failed, or did not answer by the deadline, or lately did not.
            HistoryRejected: it refuses the queries.
        """
        if not queries:
            return ()
        if (reason := self._breaker.reason) is not None:
            wait = self._breaker.trial_in_s(self._clock())
            if not self._free.locked() and self._breaker.trial(self._clock()):
                await self._start(queries)
            raise HistoryUnavailable(reason, retry_after_s=wait)
        try:
            async with asyncio.timeout(self._deadline_s):
                answer = await self._start(queries)
                return await asyncio.shield(answer)
        except TimeoutError as error:
            reason = f"no answer within {self._deadline_s:g} s"
            self._failed(reason)
            raise HistoryUnavailable(reason) from error

    async def _start(self, queries: Sequence[TrendQuery]) -> asyncio.Future[Sequence[Trend]]:
        """Ask in a thread, as soon as one is free; how it ends is remembered, whether or not anybody waits for it."""
        due = self._clock() + self._deadline_s
        await self._free.acquire()
        answer: Future[Sequence[Trend]] = Future()
        # A daemon: a store that hangs does not keep the process from ending.
        threading.Thread(target=_ask, args=(self._store, queries, answer), name="history-query", daemon=True).start()
        awaited = asyncio.wrap_future(answer)
        awaited.add_done_callback(partial(self._ended, due))
        return awaited

    def _ended(self, due: float, answer: asyncio.Future[Sequence[Trend]]) -> None:
        self._free.release()
        error = answer.exception()
        if self._clock() > due:  # whoever waited has counted it already, and a trial that takes so long is none
            return
        if isinstance(error, HistoryUnavailable):
            self._failed(str(error))
        elif self._breaker.answered():
            emit(HistoryQueriesResumed())

    def _failed(self, reason: str) -> None:
        if self._breaker.failed(reason, self._clock()):
            emit(HistoryQueriesSuspended(reason))


def _ask(store: Trends, queries: Sequence[TrendQuery], answer: Future[Sequence[Trend]]) -> None:
    try:
        answer.set_result(store.trends(queries))
    except BaseException as error:  # noqa: BLE001  raised where it is awaited
        answer.set_exception(error)
