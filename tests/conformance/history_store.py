"""What every history store promises. A new one subclasses both suites and gives their fixtures.

    class TestToyWrites(HistoryWrites):
        @pytest.fixture
        def kept(self, tmp_path): ...           # yields a `Kept`, empty

    class TestToyQueries(HistoryQueries, HistoryPhases):
        @pytest.fixture
        def kept(self, tmp_path): ...           # the same
        @pytest.fixture
        def unreachable(self, tmp_path): ...    # opens a store whose file or server cannot be used

A store that can refuse readings, or keeps them for a time only, passes `HistoryRefusals` (`history_refusals.py`) too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
import pytest
from structlog.testing import capture_logs

from ingest.domain.alarms.operator_load import OperatorLoad
from ingest.domain.alarms.slot import SLOT, AlarmSlot
from ingest.domain.model.alarm import AlarmEventKind
from ingest.domain.model.batch import Batch, empty_batch
from ingest.domain.model.flags import Flag
from ingest.domain.model.plant import GATEWAY_SIGNAL, SERVICE, GatewayPoint, ServicePoint
from ingest.storage.history.errors import HistoryUnavailable
from ingest.storage.history.store import HistoryStore, TrendQuery
from tests.ingest.storage.history.made_up import (
    NOON,
    PLANT,
    SECOND,
    alarm_event,
    batch,
    configuration,
    named,
    point,
    steady,
    trend_of,
    warning_events,
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A store, and what it holds as the server itself counts it.

    Attributes:
        readings, alarm_events, warning_events: how many are stored.
        raised: the figure of every slot of alarm metrics, in order; where nothing is replaced, how many there are.
        again: opens a store on the same file or server.
    """

    store: HistoryStore
    readings: Callable[[], int]
    alarm_events: Callable[[], int]
    warning_events: Callable[[], int]
    raised: Callable[[], list[int]]
    again: Callable[[], HistoryStore]


HOSTILE = [
    "x' OR 1=1 --",
    'x" OR "a"="a',
    "x\\",
    "x\\' OR 'a'='a",
    "a,b c=d",
    "x; DROP MEASUREMENT readings",
    "测点\n1",
]


class HistoryWrites:
    """What is written is kept, once, whatever is repeated; also by a store that is only written to."""

    def test_every_reading_is_kept(self, kept: Kept) -> None:
        """More than one request's worth, with nulls among them, counted by the server itself."""
        readings = steady(12_000)
        nulls = np.arange(12_000) % 7 == 0
        readings = replace(
            readings, value=np.where(nulls, np.nan, readings.value), flags=np.where(nulls, 4, 0).astype(np.uint16)
        )
        kept.store.write_readings(readings, configuration(), 1)
        kept.store.write_readings(steady(500, start=NOON + 20_000 * SECOND), configuration(), 2)
        assert kept.readings() == 12_500

    def test_the_same_entries_written_again_are_kept_once(self, kept: Kept) -> None:
        readings = steady(3_000)
        kept.store.write_readings(readings, configuration(), 1)
        kept.store.write_readings(readings, configuration(), 1)
        assert kept.readings() == 3_000

    def test_a_write_repeated_with_other_bounds_is_kept_once(self, kept: Kept) -> None:
        """After a crash the writer starts from the same cursor, but the write may end earlier or later."""
        readings = steady(1_000)
        kept.store.write_readings(_part(readings, 0, 400), configuration(), 1)
        kept.store.write_readings(_part(readings, 400, 800), configuration(), 5)
        kept.store.write_readings(_part(readings, 400, 600), configuration(), 5)
        kept.store.write_readings(_part(readings, 600, 1_000), configuration(), 7)
        kept.store.write_readings(_part(readings, 600, 1_000), configuration(), 7)
        assert kept.readings() == 1_000

    def test_a_gateway_is_not_counted_as_a_reading(self, kept: Kept) -> None:
        kept.store.write_readings(batch([3, 0], [NOON, NOON], [1.0, 0.3]), configuration(), 1)
        assert kept.readings() == 1

    def test_nothing_to_write_is_nothing_written(self, kept: Kept) -> None:
        kept.store.write_readings(empty_batch(), configuration(), 1)
        kept.store.write_alarm_events([])
        kept.store.write_warning_events([])
        assert kept.readings() == kept.alarm_events() == kept.warning_events() == 0

    def test_a_slot_of_alarm_metrics_written_again_takes_the_place_of_the_first(self, kept: Kept) -> None:
        """Also where less is known of it by then. VictoriaMetrics only counts them; it keeps each as it came."""
        known = OperatorLoad({1: 3, 2: 1}, unacknowledged=2, stale=1, hidden=0, chattering=1, raised=5, flood=False)
        first = [AlarmSlot("总控室 1", NOON + at * SLOT, at + 1, at + 1, 0, 0, 12.5, known) for at in range(3)]
        kept.store.write_alarm_slots([])
        kept.store.write_alarm_slots(first)
        if kept.raised() == [3]:
            return
        kept.store.write_alarm_slots([replace(first[1], raised=7, present=None)])
        assert kept.raised() == [1, 7, 3]

    def test_an_alarm_event_is_kept_once(self, kept: Kept) -> None:
        raised = alarm_event(1)
        returned = alarm_event(2, AlarmEventKind.RETURNED, at=NOON + SECOND)
        kept.store.write_alarm_events([raised, returned])
        kept.store.write_alarm_events([raised, returned])
        assert kept.alarm_events() == 2

    def test_a_warning_event_is_kept_once(self, kept: Kept) -> None:
        events = warning_events()
        for _ in range(2):
            kept.store.write_warning_events(events)
        assert kept.warning_events() == len(events)

    def test_alarm_events_differ_by_their_time_and_kind(self, kept: Kept) -> None:
        events = [
            named(alarm_event(n, kind, at=NOON + n * SECOND), n) for n, kind in enumerate(AlarmEventKind, start=1)
        ]
        kept.store.write_alarm_events(events)
        assert kept.alarm_events() == len(AlarmEventKind)


class HistoryQueries:
    """What is asked is answered as plain arithmetic would."""

    @pytest.fixture
    def store(self, kept: Kept) -> HistoryStore:
        return kept.store

    def test_what_was_written_is_there_after_a_restart_and_is_not_written_twice(self, kept: Kept) -> None:
        """The cursor moved on when the write returned, or the process died before it did."""
        readings = steady(3_000, points=1)
        kept.store.write_readings(readings, configuration(), 1)
        before = trend_of(kept.store, PLANT, "CW-01", NOON, NOON + 3_000 * SECOND, 7)
        kept.store.close()
        for _ in range(2):
            with closing(kept.again()) as store:
                store.write_readings(readings, configuration(), 1)
                after = trend_of(store, PLANT, "CW-01", NOON, NOON + 3_000 * SECOND, 7)
                assert store.count_readings() == before.count.sum() == 3_000
            for column in ("time", "low", "mean", "high", "count"):
                np.testing.assert_array_equal(getattr(after, column), getattr(before, column))

    def test_queries_of_several_threads_are_answered_while_readings_are_written(self, store: HistoryStore) -> None:
        part, parts = 1_000, 12
        writes = [steady(part, points=1, start=NOON + at * part * SECOND) for at in range(parts)]
        end = NOON + parts * part * SECOND
        written = threading.Event()

        def read_until_written() -> list[int]:
            found = []
            while not written.is_set():
                found.append(int(trend_of(store, PLANT, "CW-01", NOON, end, 7).count.sum()))
                assert store.count_readings() >= found[-1]
            return found

        with ThreadPoolExecutor(2) as pool:
            watching = [pool.submit(read_until_written) for _ in range(2)]
            try:
                for entry, readings in enumerate(writes, start=1):
                    store.write_readings(readings, configuration(), entry)
            finally:
                written.set()
            for counts in (watcher.result() for watcher in watching):
                assert counts == sorted(counts)
        assert store.count_readings() == part * parts

    def test_a_number_however_large_is_kept_as_it_came_where_it_harms_no_other(self, store: HistoryStore) -> None:
        with capture_logs() as log:
            store.write_readings(
                batch([0] * 3, [NOON + at * SECOND for at in range(3)], [50.25, 3.4e38, 0.351]), configuration(), 1
            )
        assert log == []
        trend = trend_of(store, PLANT, "CW-01", NOON, NOON + 3 * SECOND, 3)
        assert trend.high.tolist() == [50.25, 3.4e38, 0.351]

    def test_a_trend_shows_low_mean_high_and_count_of_each_bucket(self, store: HistoryStore) -> None:
        """Of every value, whatever is known against it: a trend shows what was measured, and hides nothing."""
        times = [NOON + s * SECOND for s in (0, 1, 9, 10, 25, 39)]
        flags = [0, Flag.UNCERTAIN, Flag.BAD, 0, Flag.BAD | Flag.OUT_OF_RANGE, Flag.LATE]
        store.write_readings(batch([0] * 6, times, [1, 2, 6, 5, 7, 8], flags), configuration(), 1)
        store.write_readings(batch([1, 1], [NOON, NOON + SECOND], [100, 100]), configuration(), 2)
        trend = trend_of(store, PLANT, "CW-01", NOON, NOON + 40 * SECOND, 4)
        assert trend.time.tolist() == [NOON + s * SECOND for s in (0, 10, 20, 30)]
        assert trend.low.tolist() == [1, 5, 7, 8]
        assert trend.mean.tolist() == [3, 5, 7, 8]
        assert trend.high.tolist() == [6, 5, 7, 8]
        assert trend.count.tolist() == [3, 1, 1, 1]

    def test_a_trend_of_a_renamed_point_has_what_was_kept_under_its_former_id(self, store: HistoryStore) -> None:
        times = [NOON, NOON + SECOND]
        store.write_readings(batch([0, 0], times, [1, 2]), configuration(), 1)
        store.write_readings(batch([1, 1], [NOON + s * SECOND for s in (2, 12)], [6, 7]), configuration(), 2)
        names = [point.id for point in configuration().points[:2] if point is not None]
        trend = trend_of(store, PLANT, names[1], NOON, NOON + 20 * SECOND, 2, was=names[0])
        assert (trend.low.tolist(), trend.mean.tolist(), trend.high.tolist()) == ([1, 7], [3, 7], [6, 7])
        assert trend.count.tolist() == [3, 1]

    def test_trends_queried_together_equal_those_queried_one_by_one(self, store: HistoryStore) -> None:
        """Of other plants, spans and names too, and of what there is nothing; twice the same is answered twice."""
        known = configuration(
            *(point(at, f"P-{at}") for at in range(4)),
            point(4, "P-1", plant="other"),
            point(5, "GW-01", signal=GATEWAY_SIGNAL),
            point(6, "DISK", signal=ServicePoint.DISK.signal, plant=SERVICE),
        )
        readings = batch(
            list(range(7)) * 30, [NOON + at * SECOND for at in range(210)], [float(at) for at in range(210)]
        )
        store.write_readings(readings, known, 1)
        span = (NOON, NOON + 210 * SECOND)
        queries = [
            *(TrendQuery(PLANT, f"P-{at}", *span, 21) for at in (3, 0, 2, 1, 0)),
            TrendQuery(PLANT, "P-1", NOON + 5, NOON + 99 * SECOND, 7, was="P-0"),
            TrendQuery(PLANT, "P-0", *span, 5, was="P-2"),
            TrendQuery("other", "P-1", *span, 21),
            TrendQuery(PLANT, "nobody", *span, 21),
            TrendQuery(PLANT, "GW-01", *span, 21),
            TrendQuery(SERVICE, "DISK", *span, 3),
        ]
        at_once = store.trends(queries)
        assert len(at_once) == len(queries)
        for query, found in zip(queries, at_once, strict=True):
            (alone,) = store.trends([query])
            for column in ("time", "low", "mean", "high", "count"):
                np.testing.assert_array_equal(getattr(found, column), getattr(alone, column))
            assert (query.point == "nobody") is (len(found.time) == 0)
        assert at_once[5].count.sum() == 28, "14 readings of each id lie within the span"
        assert not store.trends([])

    def test_a_trend_has_only_what_lies_within_its_window(self, store: HistoryStore) -> None:
        """From `start`, included, to `end`, not included, however odd they are; buckets have edges of whole units."""
        start = NOON + 123_456_789
        store.write_readings(
            batch([0] * 4, [start - 1, start, start + 999, start + 1_000], [1, 2, 3, 4]), configuration(), 1
        )
        trend = trend_of(store, PLANT, "CW-01", start, start + 1_000, 3)
        assert trend.time.tolist() == [NOON + 123_456_500, NOON + 123_457_500]
        assert trend.count.tolist() == [1, 1]
        assert trend.high.tolist() == [2, 3]

    @pytest.mark.parametrize("buckets", [1, 3, 7, 500])
    def test_a_trend_has_at_most_the_requested_buckets(self, store: HistoryStore, buckets: int) -> None:
        readings = steady(1_000, points=1)
        store.write_readings(readings, configuration(), 1)
        trend = trend_of(store, PLANT, "CW-01", NOON, NOON + 1_000 * SECOND, buckets)
        assert 0 < len(trend.time) <= buckets
        assert trend.count.sum() == 1_000
        assert len(set(np.diff(trend.time).tolist())) <= 1

    def test_a_bucket_of_nulls_counts_its_readings_and_has_no_value(self, store: HistoryStore) -> None:
        store.write_readings(batch([0, 0], [NOON, NOON + 1], [np.nan, np.nan], [4, 4]), configuration(), 1)
        trend = trend_of(store, PLANT, "CW-01", NOON, NOON + SECOND, 10)
        assert trend.count.tolist() == [2]
        assert np.isnan([trend.low, trend.mean, trend.high]).all()

    def test_a_trend_of_nothing_is_empty(self, store: HistoryStore) -> None:
        store.write_readings(steady(3), configuration(), 1)
        for where, start, end in (("nobody", NOON, NOON + SECOND), ("CW-01", 0, 1), ("CW-01", NOON, NOON)):
            trend = trend_of(store, PLANT, where, start, end, 10)
            assert [len(c) for c in (trend.time, trend.low, trend.mean, trend.high, trend.count)] == [0] * 5

    def test_a_gateway_has_a_trend_too(self, store: HistoryStore) -> None:
        store.write_readings(batch([3, 3], [NOON, NOON + SECOND], [1.0, 0.0]), configuration(), 1)
        trend = trend_of(store, PLANT, "GW-01", NOON, NOON + 2 * SECOND, 2)
        assert trend.mean.tolist() == [1, 0]

    def test_a_gateways_clock_and_the_service_have_trends_and_are_no_readings(self, store: HistoryStore) -> None:
        known = configuration(
            point(0, "GW-01", signal=GATEWAY_SIGNAL),
            point(1, "GW-01.clock", signal=GatewayPoint.CLOCK.signal),
            point(2, "DISK", signal=ServicePoint.DISK.signal, plant=SERVICE),
        )
        store.write_readings(batch([0, 1, 2], [NOON] * 3, [1.0, -0.25, 8192.0]), known, 1)
        trends = [(PLANT, "GW-01"), (PLANT, "GW-01.clock"), (SERVICE, "DISK")]
        assert [trend_of(store, *of, NOON, NOON + SECOND, 1).mean.tolist() for of in trends] == [[1], [-0.25], [8192]]
        assert store.count_readings() == 0

    @pytest.mark.parametrize("name", HOSTILE)
    def test_a_hostile_name_names_its_own_point_and_nothing_else(self, store: HistoryStore, name: str) -> None:
        readings = batch([0, 1], [NOON, NOON], [1.0, 2.0])
        store.write_readings(readings, configuration(point(0, "CW-01"), point(1, name)), 1)
        assert trend_of(store, PLANT, name, NOON, NOON + 1, 1).high.tolist() == [2.0]
        assert trend_of(store, name, name, NOON, NOON + 1, 1).high.tolist() == []
        assert store.count_readings() == 2

    def test_extreme_numbers_are_kept_exactly(self, store: HistoryStore) -> None:
        values = [0.1 + 0.2, 5e-324, 1.7976931348623157e308, -0.0, 1e16]
        store.write_readings(batch([0] * 5, [NOON + i for i in range(5)], values, [65_535] * 5), configuration(), 1)
        assert trend_of(store, PLANT, "CW-01", NOON, NOON + 5, 5).high.tolist() == values

    def test_readings_in_any_order_have_the_trend_of_plain_arithmetic(self, store: HistoryStore) -> None:
        """Written in parts that overlap in time, with nulls and every quality: against a loop over the readings."""
        dice = np.random.default_rng(7)
        times = NOON + dice.permutation(600) * SECOND
        values = np.where(dice.random(600) < 0.2, np.nan, np.round(dice.normal(0.3, 9, 600), 3))
        flags = np.where(np.isnan(values), 4, dice.integers(0, 2, 600))
        for entry, at in enumerate(np.array_split(np.arange(600), 5), start=1):
            store.write_readings(
                batch([0] * len(at), times[at].tolist(), values[at].tolist(), flags[at].tolist()),
                configuration(),
                entry,
            )
        for start, end, buckets in ((0, 600, 10), (37, 411, 6), (100, 101, 3), (0.5, 599.25, 240), (59.9, 420.1, 7)):
            query = TrendQuery(PLANT, "CW-01", NOON + int(start * SECOND), NOON + int(end * SECOND), buckets)
            (trend,) = store.trends([query])
            row = 0
            for begin in range(query.first, query.end, query.width):
                inside = (times >= max(begin, query.start)) & (times < min(begin + query.width, query.end))
                known = values[inside & ~np.isnan(values)]
                if not inside.any():
                    continue
                assert (trend.time[row], trend.count[row]) == (begin, inside.sum())
                plain = [known.min(), known.mean(), known.max()] if len(known) else [np.nan] * 3
                np.testing.assert_allclose([trend.low[row], trend.mean[row], trend.high[row]], plain, rtol=1e-12)
                row += 1
            assert row == len(trend.time)

    def test_what_was_refused_before_replaces_what_is_there_of_its_time(self, store: HistoryStore) -> None:
        """A person has it written again, without a journal entry; other readings stay."""
        store.write_readings(batch([0, 0], [NOON, NOON + SECOND], [1.0, 2.0]), configuration(), 1)
        for _ in range(2):
            store.write_readings(batch([0], [NOON], [7.0]), configuration(), None)
        trend = trend_of(store, PLANT, "CW-01", NOON, NOON + 2 * SECOND, 2)
        assert (trend.high.tolist(), trend.count.tolist()) == ([7.0, 2.0], [1, 1])

    def test_nothing_is_dropped_that_is_young(self, store: HistoryStore) -> None:
        assert store.write_readings(steady(10), configuration(), 1) == 0
        assert store.dropped_days() == 0

    def test_a_store_that_cannot_be_reached_is_unavailable(self, unreachable: Callable[[], HistoryStore]) -> None:
        """By the opening or by each use; never by an error of its library."""
        for _ in range(2):
            with pytest.raises(HistoryUnavailable, match=r".+"):
                use(unreachable())


def use(store: HistoryStore) -> None:
    """Write a reading, and let go of the store whatever becomes of that."""
    try:
        store.write_readings(steady(1), configuration(), 1)
    finally:
        store.close()


def _part(readings: Batch, start: int, end: int) -> Batch:
    return readings.take(np.arange(start, end))
