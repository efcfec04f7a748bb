"""A reading equal to a sentinel of its point is a quality; every other reading is untouched."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ingest.domain.model.batch import Batch
from ingest.domain.model.flags import Flag
from ingest.domain.model.plant import Point, Sentinels
from ingest.domain.model.text import Text
from ingest.domain.quality.check import check_quality
from ingest.domain.quality.sentinels import sentinel_table

VALUES = (-999.9, 0.0, 5.0, 7777.0, 9988.0)
"""0 and 5 lie within every range below."""
LISTS = st.frozensets(st.sampled_from(VALUES))


def batch(rows: list[tuple[int, float]]) -> Batch:
    n = len(rows)
    point, value = np.array([at for at, _ in rows], np.int32), np.array([value for _, value in rows], float)
    return Batch(point, np.arange(n), value, np.zeros(n, np.uint16), np.arange(n))


def point(sentinels: Sentinels | None) -> Point:
    return Point(
        0, "p", "CO", "STL_CO", Text("炉前", "Furnace"), "ppm", None, "GW-1", -10.0, 100.0, 15.0, None, (), (),
        sentinels=sentinels,
    )  # fmt: skip


@given(
    st.lists(st.tuples(LISTS, LISTS), min_size=1, max_size=4),
    st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from([*VALUES, float(np.float32(-999.9)), 7776.9, 500.0, np.nan])),
        max_size=30,
    ),
)
def test_flags_are_those_of_a_plain_check_of_each_reading(
    lists: list[tuple[frozenset[float], frozenset[float]]], rows: list[tuple[int, float]]
) -> None:
    """Any lists, any ranges around them, also points numbered later than the configuration knows."""
    sentinels = [Sentinels(tuple(a), tuple(b - a)) if a or b else None for a, b in lists]
    of = [point(sentinels_of) for sentinels_of in sentinels]
    low, high = (np.array([end] * 6) for end in (-10.0, 100.0))
    readings = batch(rows)
    at = readings.point
    flags = check_quality(readings, low[at], high[at], np.ones(len(at), bool), sentinel_table(of)).flags
    for (index, value), found in zip(rows, flags.tolist(), strict=True):
        own = sentinels[index] if index < len(sentinels) else None
        near = own is not None and [s for s in own.values() if abs(value - s) <= 1e-6 * abs(s)]
        if own is not None and near:
            spare = near[0] in own.not_connected
            assert found == Flag.BAD | (Flag.NOT_CONNECTED if spare else Flag.FAILURE)
        else:
            failed = value <= -10 - 0.4 / 16 * 110 or value >= 100 + 110 / 16
            outside = value < -10 or value > 100
            assert found == (Flag.OUT_OF_RANGE * outside | Flag.FAILURE * failed)


def test_without_a_sentinel_in_a_range_a_batch_within_its_ranges_is_left_as_it_is() -> None:
    """The usual batch is neither searched nor copied."""
    table = sentinel_table([point(Sentinels((7777.0,), (9988.0,)))])
    readings = batch([(0, 5.0), (0, 99.0)])
    low, high = np.full(2, -10.0), np.full(2, 100.0)
    assert check_quality(readings, low, high, np.zeros(2, bool), table) is readings
