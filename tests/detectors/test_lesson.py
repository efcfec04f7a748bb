"""How finely a member of a group is known from its lesson."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.lesson import usual_of
from tests.detectors.test_multivariate import TRAIN, circuit, found, group


def test_a_member_written_with_few_digits_is_not_found_for_its_digits() -> None:
    """Whether its lesson was written with more of them, or the last one hardly ever changed in it."""
    rows, judge = circuit(TRAIN + 1500), group("mahalanobis", on=2.0, off=1.0, clip=10.0)
    second = np.arange(len(rows))
    finer = 2.985 + 0.0015 * (rows[:, 0] - 100.0)
    finer[TRAIN:] = np.round(finer[TRAIN:], 2)
    coarse = np.where(second == 50, 2.99, 2.98)
    coarse[TRAIN:] = np.where(second[TRAIN:] % 40 < 8, 2.99, 2.98)
    for head in (finer, coarse):
        rows[:, 3] = head
        assert not found([judge], rows)
        rows[TRAIN + 200 :, 3] += 0.2
        assert [cause for _, _, cause in found([judge], rows)] == [3]


@pytest.mark.parametrize(("stood", "scale"), [(3.0, 12**-0.5), (250.0, 2.5), (0.4, 0.1 * 12**-0.5)])
def test_the_scale_of_a_member_that_stood_still_is_no_finer_than_its_last_digit(stood: float, scale: float) -> None:
    usual = usual_of(np.full((TRAIN, 1), stood))
    assert usual.scale[0] == pytest.approx(scale)
