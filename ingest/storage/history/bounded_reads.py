"""Reads the history with a deadline and a circuit breaker, so that a store that hangs blocks nothing else.

A query runs in a daemon thread of its own, few at a time, and is awaited until a deadline. While the circuit breaker
is open, queries fail at once, and a small query of ours probes the store now and then, so that recovery is noticed
without a failing request.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol, TypeVar

from ingest.base.telemetry import EmittedSeldom, Event, emit
from ingest.domain.model.phase_record import PhaseRecord
from ingest.domain.model.plant import SERVICE, ServicePoint
from ingest.storage.history.breaker import LONGEST_PAUSE_S, PAUSE_S, Breaker
from ingest.storage.history.errors import HistoryError, HistorySuspended, HistoryUnavailable
from ingest.storage.history.store import PhaseQuery, Trend, TrendQuery

IN_FLIGHT: Final = 4
"""Queries at the same time; others wait, until their deadline."""


T = TypeVar("T")

_PROBED_NS: Final = 60 * 10**9


@dataclass(frozen=True, slots=True)
class HistoryQueryFailed(Event, level="warning", amount="queries"):
    """So many queries the history did not answer, or refused: a line a minute, with the reason of the first."""

    reason: str
    queries: int = 1


@dataclass(frozen=True, slots=True)
class HistoryQueriesSuspended(Event, level="warning"):
    """The history store does not answer queries: they fail at once until a probe is answered."""

    reason: str


@dataclass(frozen=True, slots=True)
class HistoryQueriesResumed(Event):
    """The history store answers queries again."""


class HistoryReads(Protocol):
    """The reading side of a history store; see `HistoryStore`. Blocking."""

    def trends(self, queries: Sequence[TrendQuery]) -> Sequence[Trend]:
        """The trend of each query. Raises HistoryError."""

    def phases(self, query: PhaseQuery) -> Sequence[PhaseRecord]:
        """Records of the phases of one equipment. Raises HistoryError."""


class BoundedReads:
    """Implements `ingest.services.ports.Readings`; to be used in one event loop.

    Args:
        store: the store to query.
        deadline_s: most seconds a caller waits.
        pause_s: seconds between probes of a store that did not answer; doubled each time it answered a probe and no
            query after it.
        clock: a steady clock, in seconds.
    """

    def __init__(
        self,
        store: HistoryReads,
        deadline_s: float,
        pause_s: float = PAUSE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._deadline_s = deadline_s
        self._pause_s = self._shortest_pause_s = pause_s
        self._clock = clock
        self._breaker = Breaker()
        self._free = asyncio.Semaphore(IN_FLIGHT)
        self._failures = EmittedSeldom[None](clock=clock)
        self._probing: asyncio.Task[None] | None = None

    @property
    def suspended_s(self) -> float | None:
        """Seconds since the store stopped answering, while it is not queried; None while it is. Never blocks."""
        return self._breaker.open_s(self._clock())

    async def trends(self, queries: Sequence[TrendQuery]) -> Sequence[Trend]:
        """The trend of each query, in that order.

        Raises:
            HistorySuspended: the store recently did not answer.
            HistoryUnavailable: it failed, or did not answer by the deadline.
            HistoryRejected: it refuses the queries.
        """
        return await self._read(lambda: self._store.trends(queries)) if queries else ()

    async def phases(self, query: PhaseQuery) -> Sequence[PhaseRecord]:
        """Records of the phases of one equipment. Raises as `trends`."""
        return await self._read(lambda: self._store.phases(query))

    async def _read(self, ask: Callable[[], T]) -> T:
        if (reason := self._breaker.reason) is not None:
            away_s = self._breaker.open_s(self._clock()) or 0.0
            raise HistorySuspended(reason, retry_after_s=self._pause_s, away_s=away_s)
        found = await self._answer(ask)
        self._pause_s = self._shortest_pause_s
        return found

    async def _answer(self, ask: Callable[[], T]) -> T:
        """The store's answer by the deadline; the outcome is recorded."""
        try:
            async with asyncio.timeout(self._deadline_s):
                answer = await self._start(ask)
                return await asyncio.shield(answer)
        except TimeoutError as error:
            reason = f"no answer within {self._deadline_s:g} s"
            self._failed(reason)
            raise HistoryUnavailable(reason) from error

    async def _start(self, ask: Callable[[], T]) -> asyncio.Future[T]:
        """Query in a thread, as soon as one is free; the outcome is recorded even if nobody waits for it."""
        due = self._clock() + self._deadline_s
        await self._free.acquire()
        answer: Future[T] = Future()
        # A daemon: a store that hangs does not keep the process from ending.
        threading.Thread(target=_query, args=(ask, answer), name="history-query", daemon=True).start()
        awaited = asyncio.wrap_future(answer)
        awaited.add_done_callback(partial(self._ended, due))
        return awaited

    def _ended(self, due: float, answer: asyncio.Future[Any]) -> None:
        self._free.release()
        error = answer.exception()
        if self._clock() > due:  # counted already as a timeout, and a probe that takes so long is no answer
            return
        if isinstance(error, HistoryUnavailable):
            self._failed(str(error))
            return
        if error is not None:
            self._note(str(error))
        if self._breaker.answered():
            emit(HistoryQueriesResumed())

    def _failed(self, reason: str) -> None:
        self._note(reason)
        if self._breaker.failed(reason, self._clock()):
            emit(HistoryQueriesSuspended(reason))
            if self._probing is None or self._probing.done():
                self._probing = asyncio.create_task(self._probe(), name="history-probe")

    def _note(self, reason: str) -> None:
        self._failures.flush()
        self._failures.add(None, HistoryQueryFailed(reason))

    async def _probe(self) -> None:
        """Send the store a small query until it answers; not a caller's, which may be what it fails at."""
        while self._breaker.reason is not None:
            await asyncio.sleep(self._pause_s)
            now = time.time_ns()
            with suppress(HistoryError):
                probe = TrendQuery(SERVICE, ServicePoint.DISK, now - _PROBED_NS, now, 1)
                await self._answer(partial(self._store.trends, [probe]))
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)


def _query(ask: Callable[[], T], answer: Future[T]) -> None:
    try:
        answer.set_result(ask())
    except BaseException as error:  # noqa: BLE001  raised where it is awaited
        answer.set_exception(error)
