"""What an InfluxDB answers while it takes readings is a trend, whatever it does not know yet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ingest.storage.history.influxql import Buckets, Rows

Answer = list[list[Any]]


UNKNOWN, PARTLY = [60, None, None, None, 2, 0], [120, None, None, 3.0, 2, 1]
KNOWN = [120, 0.0, 4.0, 4.0, 2, 0]


@pytest.mark.parametrize("in_parts", [False, True])
@pytest.mark.parametrize("what", [Rows.VALUES, Rows.ROLLUPS])
@pytest.mark.parametrize("answers", [([UNKNOWN, PARTLY], [KNOWN]), ([KNOWN], [UNKNOWN, PARTLY])])
def test_readings_that_are_counted_but_not_aggregated_yet_are_counted(
    answers: tuple[Answer, Answer], what: Rows, in_parts: bool
) -> None:
    buckets = Buckets()
    for rows in answers:
        buckets.add(rows, what, 0, in_parts=in_parts)
    trend = buckets.trend()
    assert trend.time.tolist() == [60, 120]
    assert trend.count.tolist() == [2, 5 if what is Rows.ROLLUPS else 4]
    assert np.isnan(trend.mean).all(), "half of what was counted says nothing of the other half"
    assert np.isnan([trend.low[0], trend.high[0]]).all()
    assert (trend.low[1], trend.high[1]) == (0.0, 4.0)
