"""A step that is entered from one that does not lead to it is found; what nobody saw is not judged."""

from __future__ import annotations

import pytest

from detectors.rules import RuleTable
from tests.detectors.histories import Rows, found_in
from tests.detectors.rule_tables import SECOND, specimen, table
from tests.detectors.scored import START

NAN = float("nan")
IDLE, PREPARING, BEGUN, STEADY = 0, 1, 2, 3


def rules() -> dict[str, RuleTable]:
    """Casting begins after preparing, and is steady after its start."""
    begun = specimen("sequence", 0, enters=BEGUN, after=1 << PREPARING, within_s=60.0)
    steady = specimen("sequence", 1, enters=STEADY, after=1 << BEGUN, within_s=60.0)
    return {"sequence": table([begun, steady])}


def steps(*shown: tuple[int, float]) -> Rows:
    """Readings (second, step)."""
    return [(0, START + second * SECOND, value) for second, value in shown]


@pytest.mark.parametrize("cuts", [[], [1], [2, 3], [1, 2, 3, 4, 5]])
@pytest.mark.parametrize(
    ("shown", "found"),
    [
        ([(0, IDLE), (5, PREPARING), (10, BEGUN), (15, STEADY), (20, IDLE)], []),
        ([(0, IDLE), (5, BEGUN), (10, BEGUN), (15, STEADY), (20, IDLE)], [(0, True, 5), (0, False, 15)]),
        ([(0, IDLE), (5, STEADY), (10, NAN), (15, STEADY), (20, IDLE)], [(1, True, 5), (1, False, 20)]),
        ([(0, IDLE), (5, NAN), (10, STEADY), (15, STEADY)], [(1, True, 10)]),
        ([(0, IDLE), (61, STEADY), (66, STEADY)], []),
        ([(0, STEADY), (5, STEADY), (10, BEGUN), (15, STEADY)], [(0, True, 10), (0, False, 15)]),
        ([(0, IDLE), (5, PREPARING), (10, IDLE), (15, BEGUN)], [(0, True, 15)]),
    ],
    ids=("in order", "unprepared", "leap", "soon after", "long unseen", "back", "prepared before"),
)
def test_only_an_entry_from_elsewhere_that_was_seen_is_found(
    shown: list[tuple[int, float]], found: list[tuple[int, bool, float]], cuts: list[int]
) -> None:
    assert found_in(rules(), steps(*shown), cuts) == found
