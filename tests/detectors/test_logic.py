"""Votes trip on M of N, count what is bad to the safe side, and a first-out names the channel that began it."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import pytest

from detectors import Bank
from detectors.examples import evaluate, find, series, tables
from tests.detectors.rule_tables import POINTS, SECOND, rule, specimen, table
from tests.detectors.scored import START, as_readings, scored, side_by_side

NAN, INF = math.nan, math.inf
TRIPS: dict[str, Any] = {"level": 5.0, "bad_votes": 1.0, "fresh_s": 10.0}
ABSTAINS: dict[str, Any] = {**TRIPS, "bad_votes": 0.0}


def votes(values: list[float], others: list[list[float]], **param: Any) -> list[float]:
    return [reading.score for reading in scored(specimen("votes", inputs=(1, 2), **param), values, others)]


def test_two_of_three_trip_and_one_does_not() -> None:
    one_high, two_high = [[9.0] * 3, [1.0] * 3], [[9.0] * 3, [1.0, 9.0, 9.0]]
    assert evaluate("votes", [1.0] * 3, on=2.0, off=1.0, others=one_high, **TRIPS) == []
    assert evaluate("votes", [1.0] * 3, on=2.0, off=1.0, others=two_high, **TRIPS) == ["trips at 1 s: 2"]


@pytest.mark.parametrize(("param", "expected"), [(TRIPS, [1, 2, 1]), (ABSTAINS, [1, 1, 1])])
def test_a_bad_channel_votes_to_trip_unless_chosen_otherwise(param: dict[str, Any], expected: list[float]) -> None:
    """Bad is the newest reading, however good the one before it was."""
    assert votes([1.0] * 3, [[9.0] * 3, [1.0, NAN, 1.0]], **param) == expected


@pytest.mark.parametrize(("param", "expected"), [(TRIPS, [0, 1, 0]), (ABSTAINS, [0, 0, 0])])
def test_the_points_own_bad_reading_is_a_vote_like_any(param: dict[str, Any], expected: list[float]) -> None:
    assert votes([1.0, NAN, 1.0], [[1.0] * 3, [1.0] * 3], **param) == expected


@pytest.mark.parametrize("need", [1, 2, 3])
@pytest.mark.parametrize("kinds", [*product(["good", "high", "bad"], repeat=3)], ids="-".join)
def test_voting_degrades_as_documented_for_every_combination_of_bad_channels(kinds: tuple[str, ...], need: int) -> None:
    """MooN with b bad ones is (M-b)oo(N-b) by default, and Moo(N-b) where the bad abstain."""
    own, *others = [[{"good": 1.0, "high": 9.0, "bad": NAN}[kind]] for kind in kinds]
    high, bad = kinds.count("high"), kinds.count("bad")
    for param, trips in ((TRIPS, high >= need - bad), (ABSTAINS, high >= need)):
        found = evaluate("votes", own, on=float(need), off=need - 1.0, others=others, **param)
        assert bool(found) is trips


def test_a_channel_never_seen_or_not_heard_for_too_long_is_bad() -> None:
    score = [reading.score for reading in scored(specimen("votes", inputs=(1, 2), **TRIPS), [1.0] * 3)]
    assert score == [2, 2, 2]  # neither ever spoke
    rows = side_by_side([1.0], [[1.0], [1.0]]) + side_by_side([1.0] * 12, since=1)
    bank = Bank({"votes": table([rule("votes", 0, 0, 2.0, 1.0, inputs=(1, 2), **TRIPS)])})
    found = bank.update(as_readings(rows), 0)
    assert ((found.time - rows[0][1]) // 10**9).tolist() == [11]  # ten seconds old is fresh, eleven is not


def test_a_finding_names_the_first_channel_that_voted() -> None:
    readings = series([1.0, 1.0], others=[[1.0, 1.0], [1.0, 9.0], [1.0, 9.0]])
    found = find(tables("votes", on=2.0, off=1.0, others=3, **TRIPS), readings)
    assert found.cause.tolist() == [2]


def test_the_first_of_a_group_is_named_whatever_comes_after() -> None:
    """A nanosecond earlier is earlier, though all are on by the time the point itself reports."""
    rows = [(0, START, 0.0), (2, START + SECOND, 1.0), (1, START + SECOND + 1, 1.0), (0, START + 2 * SECOND, 1.0)]
    bank = Bank({"first_out": table([specimen("first_out")])})
    assert bank.update(as_readings(rows), 0).cause.tolist() == [2]


def test_it_stays_the_first_until_all_are_off_and_then_another_may_be() -> None:
    first = [0.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    second = [0.0, 0.0, 1.0, 1.0, 0.0, 1.0]
    findings = scored(specimen("first_out", inputs=(1, 2)), [0.0] * 6, [first, second])
    assert [reading.score for reading in findings] == [0, 1, 1, 1, 0, 1]
    # the second was on already when the first one was seen to clear, so the group never was off in between
    assert [reading.cause for reading in findings] == [-1, 1, 1, 1, -1, 2]


def test_of_two_at_one_time_the_first_in_order_is_named() -> None:
    findings = scored(specimen("first_out", inputs=(2, 1)), [0.0, 0.0], [[0.0, 1.0], [0.0, 1.0]])
    assert [reading.cause for reading in findings] == [-1, 2]


def test_a_closed_gate_makes_the_group_begin_anew() -> None:
    """Point 1 was first; after the gate had closed and opened, what is on counts from its newest reading."""
    gate = [1.0, 1.0, -1.0, 1.0, 1.0]
    on = scored(
        specimen("first_out", inputs=(1, 2), gate=(3, ">=", 0.0)),
        [0.0] * 5,
        [[1.0, 1.0, 1.0, 0.0, 0.0], [0.0, 1.0, 1.0, 1.0, 1.0], gate],
    )
    assert [reading.cause for reading in on] == [1, 1, -1, 2, 2]


def test_a_rule_with_more_inputs_beside_it_takes_nothing_from_the_memory_of_the_others() -> None:
    rows = side_by_side([0.0, 0.0], [[0.0, 1.0], [0.0, 1.0]])
    rules = [specimen("first_out", inputs=(2,), on_delay=1)]
    bank = Bank({"first_out": table(rules)})
    bank.update(as_readings(rows), 0)
    wider = [*rules, specimen("first_out", 1, 1, inputs=tuple(range(POINTS)))]
    later = side_by_side([1.0, 1.0], [[1.0, 1.0], [0.0, 0.0]], since=2)
    successor = bank.successor({"first_out": table(wider)})
    found = successor.update(as_readings(later), 0)
    assert found.cause[found.rule == 0].tolist() == [2]
