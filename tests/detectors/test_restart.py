"""A process that starts again after a trip without a signed inspection is found, whatever came between its readings."""

from __future__ import annotations

from typing import Any

import pytest

from detectors.rules import RuleTable
from tests.detectors.histories import Rows, found_in
from tests.detectors.rule_tables import SECOND, specimen, table
from tests.detectors.scored import START

WORK, SPARK, KEY = 0, 1, 2
HOUR = 3600


ORDINARY = {"single": 1.0, "times": 3.0, "within_s": 60.0, "stop_s": 300.0}
"""A single spark is put out in ordinary work."""


def rules(**single: Any) -> dict[str, RuleTable]:
    return {"restart": table([specimen("restart", inputs=(SPARK, KEY), hold_s=12.0 * HOUR, **single)])}


def rows(*shown: tuple[int, float, float]) -> Rows:
    """Readings (point, second, value)."""
    return [(point, START + int(second * SECOND), value) for point, second, value in shown]


def verdicts(history: Rows, cuts: list[int], **single: float) -> list[tuple[bool, float]]:
    """What is found, and when."""
    return [(raised, at) for _, raised, at in found_in(rules(**single), history, cuts)]


def sparks(*seconds: float) -> Rows:
    """A contact that closes for a second at each of them."""
    return [row for second in seconds for row in rows((SPARK, second, 1), (SPARK, second + 1, 0))]


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


WORKING = rows((KEY, 0, 0), (WORK, 0, 1), (SPARK, 0, 0))


@pytest.mark.parametrize("cuts", [[], [4], [5], [6], [1, 2, 3, 4, 5, 6, 7]])
def test_an_ordinary_spark_that_was_put_out_lets_the_next_shift_begin(cuts: list[int]) -> None:
    """A single spark is no trip."""
    day = [*WORKING, *sparks(100), *rows((WORK, 4 * HOUR, 0), (WORK, 5 * HOUR, 1))]
    assert verdicts(day, cuts, **ORDINARY) == []
    assert verdicts(day, cuts) == [(True, 5 * HOUR)]


@pytest.mark.parametrize("cuts", [[], [4], [5], [6], [7], [1, 2, 3, 4, 5, 6, 7, 8, 9]])
@pytest.mark.parametrize("stopped", [100, 101, 160, 399])
def test_a_spark_after_which_people_or_an_interlock_stopped_the_process_is_a_trip(
    stopped: int, cuts: list[int]
) -> None:
    day = sorted([*WORKING, *sparks(100.5), *rows((WORK, stopped, 0), (WORK, HOUR, 1))], key=lambda row: row[1])
    assert verdicts(day, cuts, **ORDINARY) == [(True, HOUR)]


def test_it_stays_one_through_all_later_stops_until_somebody_has_signed() -> None:
    first = [*WORKING, *sparks(100), *rows((WORK, 160, 0), (WORK, HOUR, 1), (WORK, 2 * HOUR, 0), (WORK, 3 * HOUR, 1))]
    signed = rows((KEY, 3 * HOUR + 60, 1), (WORK, 3 * HOUR + 60, 1), (WORK, 4 * HOUR, 0), (WORK, 5 * HOUR, 1))
    found = verdicts([*first, *signed], [], **ORDINARY)
    assert found == [(True, HOUR), (False, 2 * HOUR), (True, 3 * HOUR), (False, 3 * HOUR + 60)]


def test_a_spark_while_nothing_works_is_a_trip() -> None:
    day = [*WORKING, *rows((WORK, HOUR, 0)), *sparks(2 * HOUR), *rows((WORK, 3 * HOUR, 1))]
    assert verdicts(day, [], **ORDINARY) == [(True, 3 * HOUR)]


@pytest.mark.parametrize(("seconds", "trips"), [([100, 120, 160], True), ([100, 120, 161], False), ([100, 160], False)])
def test_spark_after_spark_is_a_trip_however_long_work_goes_on(seconds: list[float], trips: bool) -> None:
    day = [*WORKING, *sparks(*seconds), *rows((WORK, 4 * HOUR, 0), (WORK, 5 * HOUR, 1))]
    for cuts in ([], [4, 6, 8], [5, 7, 9]):
        assert bool(verdicts(day, cuts, **ORDINARY)) is trips


def test_a_contact_that_stays_closed_while_the_water_runs_is_one_spark() -> None:
    held = rows(*((SPARK, second, 1) for second in range(100, 106)), (SPARK, 106, 0))
    assert verdicts([*WORKING, *held, *rows((WORK, 4 * HOUR, 0), (WORK, 5 * HOUR, 1))], [], **ORDINARY) == []
