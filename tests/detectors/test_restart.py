"""A process that starts again after a trip without a signed inspection is found, whatever came between its readings."""

from __future__ import annotations

import pytest

from detectors.rules import RuleTable
from tests.detectors.histories import Rows, found_in
from tests.detectors.rule_tables import SECOND, specimen, table
from tests.detectors.scored import START

WORK, SPARK, KEY = 0, 1, 2
HOUR = 3600


def rules() -> dict[str, RuleTable]:
    return {"restart": table([specimen("restart", inputs=(SPARK, KEY), hold_s=12.0 * HOUR)])}


def rows(*shown: tuple[int, float, float]) -> Rows:
    """Readings (point, second, value)."""
    return [(point, START + int(second * SECOND), value) for point, second, value in shown]


def verdicts(history: Rows, cuts: list[int]) -> list[tuple[bool, float]]:
    """What is found, and when."""
    return [(raised, at) for _, raised, at in found_in(rules(), history, cuts)]


FIRE = rows((KEY, 0, 0), (WORK, 0, 1), (SPARK, 0, 0), (SPARK, 10.2, 1), (SPARK, 10.4, 0), (WORK, 60, 0))
"""Work, a spark of a fifth of a second between two of its readings, a stop."""


@pytest.mark.parametrize("cuts", [[], [2], [4], [5], [1, 2, 3, 4, 5, 6, 7]])
def test_a_spark_too_short_for_the_process_to_notice_is_remembered_for_hours_and_over_restarts(cuts: list[int]) -> None:
    assert verdicts([*FIRE, *rows((WORK, 5 * HOUR, 1), (WORK, 5 * HOUR + 60, 1))], cuts) == [(True, 5 * HOUR)]


def test_after_a_signed_inspection_work_begins_again_without_an_alarm() -> None:
    assert verdicts([*FIRE, *rows((KEY, 900, 1), (KEY, 902, 0), (WORK, 1000, 1))], [6]) == []


def test_a_key_that_was_left_turned_signs_nothing() -> None:
    left = rows((KEY, 0, 0), (KEY, 1, 1), (WORK, 2, 1), (SPARK, 10, 1), (SPARK, 11, 0), (WORK, 60, 0), (KEY, 900, 1))
    assert verdicts([*left, *rows((WORK, 1000, 1))], []) == [(True, 1000)]


def test_it_returns_when_work_stops_or_an_inspection_is_signed_and_only_the_latter_ends_it() -> None:
    again = rows((WORK, 1000, 1), (WORK, 1100, 0), (WORK, 1200, 1), (KEY, 1300, 1), (WORK, 1360, 1), (WORK, 1400, 0))
    ends = rows((WORK, 1500, 1))
    assert verdicts([*FIRE, *again, *ends], []) == [(True, 1000), (False, 1100), (True, 1200), (False, 1360)]


def test_a_start_long_after_the_trip_and_a_process_that_never_stopped_are_no_restarts() -> None:
    assert verdicts([*FIRE, *rows((WORK, 13 * HOUR, 1))], []) == []
    assert verdicts([*FIRE[:-1], *rows((WORK, 60, 1), (WORK, 120, 1))], []) == []
