"""Which resolution answers a trend, and that every reading is then in its bucket, or next to it by a little."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.storage.history.rollups import FINE, Kept, Part, Resolution, parts_of, wanted
from ingest.storage.history.store import TrendQuery
from tests.ingest.storage.history.made_up import NOON

MINUTE, HOUR = int(Resolution.MINUTE), int(Resolution.HOUR)
DAY = 24 * HOUR


def query(start: int, span: int, buckets: int) -> TrendQuery:
    return TrendQuery("p", "CW-01", start, start + span, buckets)


@pytest.mark.parametrize(
    ("start", "span", "buckets", "resolution"),
    [
        (NOON, HOUR, 240, Resolution.READINGS),
        (NOON, DAY, 240, Resolution.MINUTE),  # the console's: buckets of 6 min, at edges of their own width
        (NOON + 1, DAY, 240, Resolution.MINUTE),
        (NOON, HOUR, 60, Resolution.MINUTE),
        (NOON + 1, HOUR, 60, Resolution.READINGS),
        (NOON, DAY, 24, Resolution.HOUR),
        (NOON + MINUTE, DAY, 24, Resolution.MINUTE),
        (NOON + 1, 365 * DAY, 2_000, Resolution.HOUR),
        (NOON + 1, 365 * DAY, 120, Resolution.HOUR),
    ],
)
def test_the_coarsest_resolution_that_is_fine_enough_answers(
    start: int, span: int, buckets: int, resolution: Resolution
) -> None:
    one = query(start, span, buckets)
    assert parts_of(one, Kept()) == [Part(resolution, start, start + span)]


def test_where_readings_are_gone_their_rollups_answer_whatever_was_wanted() -> None:
    """Minutes before the first reading kept, hours before the first minute; no rollup is cut in two."""
    start = NOON - 3 * DAY + 1
    kept = Kept(readings=NOON - DAY - 1, minutes=NOON - 2 * DAY)
    assert parts_of(query(start, 3 * DAY, 100_000), kept) == [
        Part(Resolution.HOUR, start, NOON - 2 * DAY),
        Part(Resolution.MINUTE, NOON - 2 * DAY, NOON - DAY),
        Part(Resolution.READINGS, NOON - DAY, start + 3 * DAY),
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


@given(TIMES, st.integers(1, 9 * DAY), st.integers(1, 2_000), TIMES, TIMES, TIMES)
def test_every_reading_belongs_to_one_part_and_to_a_bucket_near_its_own(
    start: int, span: int, buckets: int, readings: int, minutes: int, rolled_to: int
) -> None:
    """Parts touch and cover the span, as hours or readings are always there; an eighth of a bucket is the most.

    Only where finer ones are gone, a rollup answers that is coarser than was wanted.
    """
    one = query(start, span, buckets)
    kept = Kept(readings=min(readings, rolled_to // HOUR * HOUR), minutes=minutes, rolled_to=rolled_to)
    parts = parts_of(one, kept)
    edges = [start, *(part.end for part in parts)]
    assert [part.start for part in parts] == edges[:-1]
    assert edges[-1] == one.end
    for part in parts:
        assert part.start in {start, *kept.edges()}
        assert kept.has(part.resolution, part.start)
        if part.resolution > wanted(one):
            assert not any(kept.has(finer, part.start) for finer in Resolution if finer <= wanted(one))
    width, edge = wanted(one), one.start + one.width
    if width:
        rollup = edge // width * width
        bucket = (rollup + width.shift - one.start) // one.width
        furthest = edge - rollup if bucket else rollup + width - edge
        assert furthest == 0 or 2 * FINE * furthest <= one.width
