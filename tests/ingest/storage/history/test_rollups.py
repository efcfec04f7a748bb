"""The resolution that answers a trend, and that every reading is counted once, in its bucket."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.storage.history.bucket_edges import floor_to
from ingest.storage.history.rollups import Kept, Part, Resolution, parts_of, wanted
from ingest.storage.history.store import TrendQuery
from tests.ingest.storage.history.made_up import NOON

MINUTE, HOUR = int(Resolution.MINUTE), int(Resolution.HOUR)
DAY = 24 * HOUR


def query(start: int, span: int, buckets: int) -> TrendQuery:
    return TrendQuery("p", "CW-01", start, start + span, buckets)


@pytest.mark.parametrize(
    ("start", "span", "buckets", "resolution"),
    [
        (NOON, HOUR, 240, Resolution.READINGS),  # the console's
        (NOON, DAY, 240, Resolution.MINUTE),
        (NOON + 1, HOUR, 240, Resolution.READINGS),
        (NOON + 1, HOUR, 61, Resolution.MINUTE),
        (NOON + 7 * MINUTE + 1, 12 * HOUR, 240, Resolution.MINUTE),
        (NOON + MINUTE, DAY, 25, Resolution.HOUR),
        (NOON + 1, 100 * DAY, 240, Resolution.HOUR),
        (NOON + 1, 365 * DAY, 240, Resolution.DAY),
    ],
)
def test_the_coarsest_resolution_that_is_fine_enough_answers(
    start: int, span: int, buckets: int, resolution: Resolution
) -> None:
    assert wanted(query(start, span, buckets)) is resolution


def test_only_where_the_ends_of_a_trend_cut_a_rollup_finer_ones_answer() -> None:
    """At any moment: of a year, but two hours and two minutes of it, hours."""
    start, end = NOON + 90 * MINUTE + 1, NOON + 365 * DAY - 1
    assert parts_of(query(start, end - start, 240), Kept()) == [
        Part(Resolution.READINGS, start, NOON + 91 * MINUTE),
        Part(Resolution.MINUTE, NOON + 91 * MINUTE, NOON + 2 * HOUR),
        Part(Resolution.HOUR, NOON + 2 * HOUR, NOON + 365 * DAY - HOUR),
        Part(Resolution.MINUTE, NOON + 365 * DAY - HOUR, NOON + 365 * DAY - MINUTE),
        Part(Resolution.READINGS, NOON + 365 * DAY - MINUTE, end),
    ]


def test_where_readings_were_deleted_their_rollups_answer_any_query() -> None:
    """Minutes before the first reading kept, hours before the first minute; no rollup is cut in two."""
    start = NOON - 3 * DAY + 1
    kept = Kept(readings=NOON - DAY - 1, minutes=NOON - 2 * DAY)
    assert parts_of(query(start, 3 * DAY, 100_000), kept) == [
        Part(Resolution.HOUR, start, NOON - 2 * DAY),
        Part(Resolution.MINUTE, NOON - 2 * DAY, NOON - DAY),
        Part(Resolution.READINGS, NOON - DAY, start + 3 * DAY),
    ]
    assert parts_of(query(start, 3 * DAY, 1_000), kept)[-2:] == [
        Part(Resolution.MINUTE, NOON - 2 * DAY, NOON),
        Part(Resolution.READINGS, NOON, start + 3 * DAY),
    ]
    assert parts_of(query(start, DAY // 2, 100_000), kept) == [Part(Resolution.HOUR, start, start + DAY // 2)]


def test_where_there_are_no_rollups_yet_the_finer_answer() -> None:
    """Readings of before the rollups were begun, and those of the last minutes; minutes of an hour under way."""
    begun, rolled = NOON - 40 * DAY, NOON - 17 * MINUTE
    kept = Kept(minutes=begun, hours=begun, rolled_to=rolled + 1)
    assert parts_of(query(NOON - 100 * DAY, 100 * DAY, 100), kept) == [
        Part(Resolution.READINGS, NOON - 100 * DAY, begun),
        Part(Resolution.HOUR, begun, NOON - HOUR),
        Part(Resolution.MINUTE, NOON - HOUR, rolled),
        Part(Resolution.READINGS, rolled, NOON),
    ]


def test_what_is_not_there_at_all_is_left_out() -> None:
    kept = Kept(readings=NOON, minutes=NOON, hours=NOON)
    assert parts_of(query(NOON - DAY, DAY, 100), kept) == []
    assert parts_of(query(NOON - DAY, 2 * DAY, 2), kept) == [Part(Resolution.HOUR, NOON, NOON + DAY)]


def test_a_span_of_nothing_has_no_parts() -> None:
    assert parts_of(query(NOON, 0, 10), Kept(readings=NOON)) == []


TIMES = st.integers(NOON - 3 * DAY, NOON + 3 * DAY)


@given(st.data(), TIMES, st.integers(1, 9 * DAY), st.integers(1, 2_000), TIMES, TIMES, TIMES, TIMES)
def test_every_reading_is_counted_once_in_its_bucket_and_none_outside_the_span(
    data: st.DataObject, start: int, span: int, buckets: int, readings: int, minutes: int, rolled_to: int, days_to: int
) -> None:
    """Parts touch and cover the span, as hours or readings are always there.

    Only where finer ones are gone, a rollup answers that is cut, or wider than was wanted, by its middle.
    """
    trend_query = query(start, span, buckets)
    kept = Kept(readings=min(readings, rolled_to // HOUR * HOUR), minutes=minutes, rolled_to=rolled_to, days_to=days_to)
    parts = parts_of(trend_query, kept)
    edges = [start, *(part.end for part in parts)]
    assert [part.start for part in parts] == edges[:-1]
    assert edges[-1] == trend_query.end
    assert all(kept.has(part.resolution, part.start) for part in parts)
    near = [edge + by for edge in edges for by in (-1, 0, 1)]
    time = data.draw(st.one_of(st.sampled_from(near), st.integers(start - HOUR, trend_query.end + HOUR)))
    counted = [part for part in parts if part.times[0] <= rollup(part, time) < part.times[1]]
    if counted == [part for part in parts if part.start <= time < part.end]:
        for part in counted:
            bucket = (rollup(part, time) + part.resolution.shift - trend_query.first) // trend_query.width
            assert bucket == (time - trend_query.first) // trend_query.width or part.resolution > wanted(trend_query)
    else:
        cut = [part for part in parts if part.start < floor_to(time, HOUR) + HOUR and part.end > floor_to(time, HOUR)]
        assert len(counted) <= 1
        assert any(
            part.resolution and not any(kept.has(finer, part.start) for finer in Resolution if finer < part.resolution)
            for part in cut
        )


def rollup(part: Part, time: int) -> int:
    """The time of what answers for a reading of that time in a part: itself, or its rollup's."""
    return floor_to(time, part.resolution) if part.resolution else time
