"""A finding contains the value that was judged, in the unit of its limit."""

from __future__ import annotations

import numpy as np
import pytest

from detectors import Bank, Readings
from tests.detectors.rule_tables import SECOND, specimen, table

START = 1_700_000_000 * SECOND


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("limit", [0.0, 7.5], 7.5),
        ("range", [0.0, 9.0], 9.0),
        ("rate", [0.0, 1.0, 2.0], 60.0),  # one a second is sixty a minute
        ("stuck", [4.0, 4.0, 4.0, 4.0], 3.0),  # seconds without moving, whatever the value
        ("bad", [1.0, float("nan")], float("nan")),
    ],
)
def test_it_is_the_value_or_the_rate_or_the_time(kind: str, values: list[float], expected: float) -> None:
    detector = Bank({kind: table([specimen(kind)])})
    time = START + np.arange(len(values)) * SECOND
    point = np.zeros(len(values), np.int32)
    found = detector.update(Readings(point, time, np.array(values), time, point), START)
    assert found.raised.tolist() == [True]
    assert np.array_equal(found.value, [expected], equal_nan=True)
