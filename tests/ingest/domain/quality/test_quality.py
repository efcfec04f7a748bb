"""Flags say what is known against a reading; the reading itself stays."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.domain.model.batch import Batch, concat
from ingest.domain.model.flags import Flag
from ingest.domain.quality import late
from ingest.domain.quality.check import check_quality
from ingest.domain.quality.late import flag_late, follow

SECOND = 10**9
LOW, HIGH = np.array([0.0, -10.0, np.nan]), np.array([100.0, 10.0, np.nan])


def batch(rows: list[tuple[int, int, float]], received: int) -> Batch:
    """Rows of (point, time in s, value)."""
    return Batch(
        np.array([r[0] for r in rows], np.int32),
        np.array([r[1] * SECOND for r in rows], np.int64),
        np.array([r[2] for r in rows], np.float64),
        np.zeros(len(rows), np.uint16),
        np.full(len(rows), received * SECOND, np.int64),
    )


def test_a_value_outside_the_instruments_range_is_flagged_and_kept() -> None:
    rows = [(0, 1, 50.0), (0, 2, 100.1), (1, 2, -10.5), (1, 3, float("nan")), (2, 3, 1e9)]
    readings = batch(rows, 9)
    checked = check_quality(readings, LOW[readings.point], HIGH[readings.point])
    assert checked.flags.tolist() == [0, Flag.OUT_OF_RANGE, Flag.OUT_OF_RANGE, 0, 0]
    assert checked.value[1] == 100.1


def test_a_reading_that_is_not_newer_than_one_before_it_is_late() -> None:
    newest = np.array([10 * SECOND, 0], np.int64)
    flagged = flag_late(
        batch([(0, 11, 1.0), (1, 5, 1.0), (0, 11, 1.0), (0, 9, 1.0), (0, 12, 1.0), (1, 4, 1.0)], 20), newest
    )
    assert [bool(f & Flag.LATE) for f in flagged.flags] == [False, False, True, True, False, True]
    assert newest.tolist() == [12 * SECOND, 5 * SECOND]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 20)), max_size=40),
    st.lists(st.integers(0, 40), max_size=4),
)
def test_lateness_is_the_same_however_the_stream_is_cut(rows: list[tuple[int, int]], cuts: list[int]) -> None:
    stream = batch([(point, time, 0.0) for point, time in rows], 99)
    edges = sorted({0, *(min(cut, len(rows)) for cut in cuts), len(rows)})
    newest = np.zeros(4, np.int64)
    parts = [flag_late(stream.take(np.arange(a, b)), newest) for a, b in pairwise(edges)]
    seen: dict[int, int] = {}
    expected = []
    for point, time in rows:
        expected.append(time <= seen.get(point, 0))
        seen[point] = max(seen.get(point, 0), time)
    assert [bool(f & Flag.LATE) for f in concat(parts).flags] == expected


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 20), st.sampled_from([0, 0, 8, 64])), max_size=12),
    st.lists(st.integers(0, 10), min_size=4, max_size=4),
    st.booleans(),
)
def test_readings_that_go_on_in_order_are_those_of_which_none_is_late(
    rows: list[tuple[int, int, int]], before: list[int], small: bool
) -> None:
    """The fast path equals the general one, however points are distinguished; what it does not take it leaves alone."""
    stream = batch([(point, time, 0.0) for point, time, _ in rows], 99)
    stream = stream.with_flags(np.array([flags for *_, flags in rows], np.uint16))
    known = np.array(before, np.int64) * SECOND
    short, long = known.copy(), known.copy()
    flagged = flag_late(stream, long)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(late, "_SMALL", 512 if small else 0)
        taken = follow(stream, short)
    assert taken == (not (flagged.flags & (Flag.LATE | Flag.HISTORICAL)).any())
    assert short.tolist() == (long if taken else known).tolist()
