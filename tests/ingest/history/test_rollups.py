"""Which resolution answers a trend, and that every reading is then in its bucket, or next to it by a little."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.history.rollups import FINE, Kept, Part, Resolution, parts_of, wanted
from ingest.history.store import TrendQuery
from tests.ingest.history.made_up import NOON

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


def test_a_span_of_nothing_has_no_parts() -> None:
    assert parts_of(query(NOON, 0, 10), Kept(readings=NOON)) == []


TIMES = st.integers(NOON - 3 * DAY, NOON + 3 * DAY)


@given(TIMES, st.integers(1, 9 * DAY), st.integers(1, 2_000), TIMES, TIMES)
def test_every_reading_belongs_to_one_part_and_to_a_bucket_near_its_own(
    start: int, span: int, buckets: int, readings: int, minutes: int
) -> None:
    """Parts touch and cover the span; where readings are still there, none is drawn beyond an eighth of a bucket."""
    one = query(start, span, buckets)
    parts = parts_of(one, Kept(readings, min(readings, minutes)))
    edges = [start, *(part.end for part in parts)]
    assert [part.start for part in parts] == edges[:-1]
    assert edges[-1] == one.end
    assert [part.resolution for part in parts] == sorted({part.resolution for part in parts}, reverse=True)
    width, edge = wanted(one), one.start + one.width
    if width:
        rollup = edge // width * width
        bucket = (rollup + width.shift - one.start) // one.width
        furthest = edge - rollup if bucket else rollup + width - edge
        assert furthest == 0 or 2 * FINE * furthest <= one.width
