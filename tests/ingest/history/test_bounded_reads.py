"""Whoever reads the history is answered in time, whatever the store does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from structlog.testing import capture_logs

from ingest.history.bounded_reads import IN_FLIGHT, BoundedReads
from ingest.history.breaker import FAILURES, PAUSE_S
from ingest.history.errors import HistoryRejected, HistoryUnavailable
from ingest.history.store import Trend, TrendQuery
from tests.ingest.history.made_up import NOON, PLANT, SECOND

QUERY = TrendQuery(PLANT, "CW-01", NOON, NOON + SECOND, 1)
SOON_S = 0.05
PATIENT_S = 60.0


class Store:
    """A history store that hangs while a test says so."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.answers.set()
        self.asked = 0
        self.under_way = 0
        self.most = 0
        self.error: Exception | None = None
        self._lock = threading.Lock()

    def trends(self, queries: Sequence[TrendQuery]) -> Sequence[Trend]:
        with self._lock:
            self.asked += 1
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        self.answers.wait()
        with self._lock:
            self.under_way -= 1
        if self.error is not None:
            raise self.error
        number = np.zeros(1)
        return [Trend(np.array([one.start]), number, number, number, np.array([1])) for one in queries]


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.002)


async def fails(reads: BoundedReads) -> HistoryUnavailable:
    with pytest.raises(HistoryUnavailable) as caught:
        await reads.trends([QUERY])
    return caught.value


async def test_a_store_that_hangs_is_waited_for_no_longer_than_the_deadline(store: Store) -> None:
    store.answers.clear()
    reads = BoundedReads(store, SOON_S)
    assert "no answer within 0.05 s" in str(await fails(reads))
    store.answers.set()


async def test_after_two_failures_nobody_waits_until_a_trial_was_answered(store: Store, clock: Clock) -> None:
    """The trial is one of the queries that fail at once; it is made every pause, and not sooner."""
    store.answers.clear()
    reads = BoundedReads(store, SOON_S, clock)
    with capture_logs() as log:
        for _ in range(FAILURES):
            await fails(reads)
        for _ in range(50):
            error = await fails(reads)
            assert error.retry_after_s == PAUSE_S
        assert store.asked == FAILURES
        clock.now += PAUSE_S
        await fails(reads)
        await fails(reads)
        await until(lambda: store.asked == FAILURES + 1)
        store.answers.set()
        await until(lambda: any(line["event"] == "history_queries_resumed" for line in log))
    assert len(await reads.trends([QUERY, QUERY])) == 2
    assert [line["event"] for line in log] == ["history_queries_suspended", "history_queries_resumed"]


async def test_a_trial_that_takes_longer_than_the_deadline_is_no_answer(store: Store, clock: Clock) -> None:
    store.error = HistoryUnavailable("away")
    reads = BoundedReads(store, SOON_S, clock)
    for _ in range(FAILURES):
        await fails(reads)
    store.error = None
    store.answers.clear()
    clock.now += PAUSE_S
    await fails(reads)
    await until(lambda: store.under_way == 1)
    clock.now += 2 * SOON_S
    store.answers.set()
    await until(lambda: store.under_way == 0)
    assert str(await fails(reads)) == "away"


async def test_one_failure_between_answers_suspends_nothing(store: Store) -> None:
    reads = BoundedReads(store, PATIENT_S)
    for _ in range(3 * FAILURES):
        store.error = HistoryUnavailable("restarting", retry_after_s=7)
        assert (await fails(reads)).retry_after_s == 7
        store.error = None
        assert len(await reads.trends([QUERY])) == 1


async def test_a_query_that_is_refused_says_nothing_against_the_store(store: Store) -> None:
    reads = BoundedReads(store, PATIENT_S)
    store.error = HistoryRejected("no such field")
    for _ in range(3 * FAILURES):
        with pytest.raises(HistoryRejected):
            await reads.trends([QUERY])
    assert store.asked == 3 * FAILURES


async def test_few_queries_are_under_way_at_once_and_all_are_answered(store: Store) -> None:
    reads = BoundedReads(store, PATIENT_S)
    store.answers.clear()
    waiting = [asyncio.create_task(reads.trends([QUERY])) for _ in range(40)]
    await until(lambda: store.under_way == IN_FLIGHT)
    store.answers.set()
    assert [len(one) for one in await asyncio.gather(*waiting)] == [1] * 40
    assert store.most == IN_FLIGHT


async def test_threads_that_hang_stay_few(store: Store, clock: Clock) -> None:
    """However long it lasts, and however many trials are due."""
    store.answers.clear()
    reads = BoundedReads(store, SOON_S, clock)
    for _ in range(20):
        await fails(reads)
        clock.now += PAUSE_S
    assert store.asked == store.under_way == IN_FLIGHT
    store.answers.set()
