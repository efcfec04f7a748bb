"""Buckets of whole units of time: at most as many as were asked for, and the narrowest of these."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.domain.model.payload import PLANT_TIME
from ingest.storage.history.bucket_edges import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    WEEK,
    WIDTHS,
    buckets_of,
    ceil_to,
    floor_to,
    whole_width,
)
from tests.ingest.storage.history.made_up import NOON

RAGGED = NOON + 7 * MINUTE + 1

SPANS = st.one_of(st.integers(0, HOUR), st.integers(0, 3 * DAY), st.integers(0, 200 * 365 * DAY))
TIMES = st.integers(0, 2**62)


def held(start: int, end: int, most: int) -> int:
    first, width = buckets_of(start, end, most)
    return -(-(end - first) // width)


@pytest.mark.parametrize(
    ("start", "span", "most", "width"),
    [
        (NOON, HOUR, 120, 30 * SECOND),
        (RAGGED, HOUR, 120, MINUTE),
        (RAGGED, HOUR, 240, 20 * SECOND),
        (RAGGED, 12 * HOUR, 240, 4 * MINUTE),
        (NOON, DAY, 240, 6 * MINUTE),
        (RAGGED, 365 * DAY, 240, 2 * DAY),
        (RAGGED, 5 * 365 * DAY, 240, 2 * WEEK),
        (NOON, 3 * SECOND, 2_000, 2_000_000),
    ],
)
def test_the_width_is_rounded_up_to_a_whole_unit(start: int, span: int, most: int, width: int) -> None:
    assert buckets_of(start, start + span, most)[1] == width


@given(TIMES, SPANS, st.integers(1, 2_000))
def test_at_most_the_buckets_asked_for_hold_the_span_and_narrower_ones_would_not(
    start: int, span: int, most: int
) -> None:
    end = start + span
    first, width = buckets_of(start, end, most)
    assert first <= start < first + width or start == end
    assert held(start, end, most) <= most
    assert width in WIDTHS or width % WEEK == 0
    for narrower in WIDTHS:
        if narrower < width:
            assert ceil_to(end, narrower) - floor_to(start, narrower) > most * narrower
    if width > WEEK and width - WEEK > WEEK:
        assert end - first > most * (width - WEEK)


@given(TIMES, st.sampled_from(WIDTHS))
def test_edges_are_those_of_minutes_hours_and_days_of_the_plant(time: int, width: int) -> None:
    """Whole weeks begin on Mondays; every edge of a wider unit is one of the narrower, but for some days and a week."""
    edge = floor_to(time, width)
    assert edge <= time < edge + width
    assert ceil_to(time, width) in {edge, edge + width}
    local = dt.datetime.fromtimestamp(edge // SECOND, PLANT_TIME)
    for unit, rest in ((MINUTE, local.second), (HOUR, local.minute), (DAY, local.hour)):
        assert rest == 0 or width % unit
    assert width != WEEK or local.weekday() == 0
    if width <= 8 * HOUR and 8 * HOUR % width == 0:
        assert edge % width == 0, "as by UTC"


def test_a_later_moment_has_the_same_edges() -> None:
    """What is drawn does not move as time goes on."""
    edges = [buckets_of(now - HOUR, now, 240) for now in range(RAGGED, RAGGED + 5 * MINUTE, 7 * SECOND)]
    assert {width for _, width in edges} == {20 * SECOND}
    assert {first % (20 * SECOND) for first, _ in edges} == {0}


@given(st.integers(1, 2**62))
def test_a_whole_width_is_no_less_than_what_was_asked(least: int) -> None:
    found = whole_width(least)
    assert least <= found <= max(3.5 * least, least + WEEK)
