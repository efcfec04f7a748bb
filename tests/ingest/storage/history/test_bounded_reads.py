"""Readers of the history are answered in time, whatever the store does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, MutableMapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from structlog.testing import capture_logs

from ingest.domain.model.phase_record import PhaseRecord
from ingest.storage.history.bounded_reads import IN_FLIGHT, BoundedReads
from ingest.storage.history.breaker import FAILURES
from ingest.storage.history.errors import HistoryRejected, HistorySuspended, HistoryUnavailable
from ingest.storage.history.store import PhaseQuery, Trend, TrendQuery
from tests.ingest.storage.history.made_up import NOON, PLANT, SECOND

QUERY = TrendQuery(PLANT, "CW-01", NOON, NOON + SECOND, 1)
SOON_S = 0.05
PATIENT_S = 60.0
AT_ONCE_S = 0.005


class Store:
    """A history store that hangs while a test says so."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.answers.set()
        self.asked = 0
        self.under_way = 0
        self.most = 0
        self.error: Exception | None = None
        self.fails_at: TrendQuery | None = None
        self._lock = threading.Lock()

    def trends(self, queries: Sequence[TrendQuery]) -> Sequence[Trend]:
        with self._lock:
            self.asked += 1
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        error = HistoryUnavailable("overflow") if self.fails_at in queries else self.error
        self.answers.wait()
        with self._lock:
            self.under_way -= 1
        if error is not None:
            raise error
        number = np.zeros(1)
        return [Trend(np.array([query.start]), number, number, number, np.array([1])) for query in queries]

    def phases(self, query: PhaseQuery) -> Sequence[PhaseRecord]:
        if self.error is not None:
            raise self.error
        return [PhaseRecord(query.plant, query.equipment, query.start, "steady", 4)]


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


def of_suspension(log: Sequence[MutableMapping[str, Any]]) -> list[str]:
    return [line["event"] for line in log if line["event"] != "history_query_failed"]


async def suspend(reads: BoundedReads) -> None:
    for _ in range(FAILURES):
        await fails(reads)


async def test_after_two_failures_nobody_waits_nor_asks(store: Store, clock: Clock) -> None:
    store.answers.clear()
    reads = BoundedReads(store, SOON_S, PATIENT_S, clock)
    await suspend(reads)
    clock.now += 42
    for _ in range(50):
        error = await fails(reads)
        assert isinstance(error, HistorySuspended)
        assert (error.away_s, error.retry_after_s, reads.suspended_s) == (42, PATIENT_S, 42)
    assert store.asked == FAILURES
    store.answers.set()


async def test_phases_share_deadline_and_breaker_with_trends(store: Store, clock: Clock) -> None:
    reads, query = BoundedReads(store, PATIENT_S, PATIENT_S, clock), PhaseQuery("p", "E-1", 1, 2)
    assert [record.phase for record in await reads.phases(query)] == ["steady"]
    store.error = HistoryUnavailable("away")
    for _ in range(FAILURES):
        with pytest.raises(HistoryUnavailable):
            await reads.phases(query)
    assert isinstance(await fails(reads), HistorySuspended)


async def test_whoever_asks_first_after_the_store_is_well_again_is_answered(store: Store) -> None:
    """It is probed as long as it is ill, whether anybody asks or not; a second illness is like the first."""
    reads = BoundedReads(store, PATIENT_S, AT_ONCE_S)
    for _ in range(2):
        with capture_logs() as log:
            store.error = HistoryUnavailable("away")
            await suspend(reads)
            ill, still = store.asked, 3
            await until(lambda: store.asked >= ill + still)  # noqa: B023  this round's
            assert reads.suspended_s is not None
            assert of_suspension(log) == ["history_queries_suspended"]
            store.error = None
            await until(lambda: reads.suspended_s is None)
            assert len(await reads.trends([QUERY, QUERY])) == 2
        assert of_suspension(log) == ["history_queries_suspended", "history_queries_resumed"]
    asked = store.asked
    await asyncio.sleep(4 * AT_ONCE_S)
    assert store.asked == asked  # a store that is well is not probed


async def test_a_query_that_always_fails_does_not_keep_others_from_theirs(store: Store) -> None:
    reads = BoundedReads(store, PATIENT_S, AT_ONCE_S)
    store.fails_at = QUERY
    for _ in range(3):
        await suspend(reads)
        await until(lambda: reads.suspended_s is None)
        assert len(await reads.trends([TrendQuery(PLANT, "PIT_LVL", NOON, NOON + SECOND, 1)])) == 1


async def test_a_store_that_answers_probes_and_no_query_is_probed_ever_more_seldom(store: Store) -> None:
    """So that pages do not wait for it again and again; a query that is answered ends that."""
    reads = BoundedReads(store, PATIENT_S, AT_ONCE_S)

    async def pauses(times: int) -> list[float | None]:
        found = []
        for _ in range(times):
            store.fails_at = QUERY
            await suspend(reads)
            found.append((await fails(reads)).retry_after_s)
            await until(lambda: reads.suspended_s is None)
        return found

    assert await pauses(4) == [AT_ONCE_S * twice for twice in (1, 2, 4, 8)]
    store.fails_at = None
    assert len(await reads.trends([QUERY])) == 1
    assert await pauses(2) == [AT_ONCE_S, AT_ONCE_S * 2]


async def test_a_probe_that_takes_longer_than_the_deadline_is_no_answer(store: Store, clock: Clock) -> None:
    store.error = HistoryUnavailable("away")
    reads = BoundedReads(store, SOON_S, AT_ONCE_S, clock)
    late = store.answers
    late.clear()
    store.error = None
    await suspend(reads)
    await until(lambda: store.asked > FAILURES)
    store.answers = threading.Event()  # the probes after that hang as well
    hung = store.asked
    clock.now += 2 * SOON_S
    late.set()
    await until(lambda: store.under_way <= store.asked - hung)
    await asyncio.sleep(0)
    assert reads.suspended_s is not None
    store.answers.set()
    await until(lambda: reads.suspended_s is None)


async def test_why_queries_fail_is_logged_once_a_minute(store: Store, clock: Clock) -> None:
    """Callers do not see it: it may name the store's address, and is the store's own English."""
    reads = BoundedReads(store, PATIENT_S, PATIENT_S, clock)
    with capture_logs() as log:
        for error in (HistoryUnavailable("http://history:8086: refused"), None, HistoryRejected("no such field")) * 10:
            store.error = error
            with suppress(HistoryUnavailable, HistoryRejected):
                await reads.trends([QUERY])
        clock.now += 60
        store.error = HistoryRejected("no such field")
        with suppress(HistoryRejected):
            await reads.trends([QUERY])
    assert [(line["event"], line["reason"], line["queries"]) for line in log] == [
        ("history_query_failed", "http://history:8086: refused", 1),
        ("history_query_failed", "no such field", 19),
    ]


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
    assert [len(trends) for trends in await asyncio.gather(*waiting)] == [1] * 40
    assert store.most == IN_FLIGHT


async def test_threads_that_hang_stay_few(store: Store, clock: Clock) -> None:
    """However long it lasts, and however many trials are due."""
    store.answers.clear()
    reads = BoundedReads(store, SOON_S, AT_ONCE_S, clock)
    await suspend(reads)
    await until(lambda: store.asked == IN_FLIGHT)
    for _ in range(3):
        await asyncio.sleep(SOON_S)  # a probe is due, and gives up
    assert store.asked == store.under_way == IN_FLIGHT
    store.answers.set()
