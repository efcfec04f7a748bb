"""Derived points: expressions over points, evaluated as the readings come."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import GATE_OPS, Bank, Derived, ExpressionError, Findings, Readings, compile_expression
from detectors.comparisons import ComparisonTable, truth, truths
from detectors.derive import Derivation, Derivations
from detectors.feed import Known, make_feed
from tests.detectors.rule_tables import SECOND, rule, table

A, B, RUN, CHANNEL = 0, 1, 2, 3
START = 1_700_000_000 * SECOND


def readings(rows: Sequence[tuple[int, int, float]]) -> Readings:
    """Rows (point, second, value) as arrays."""
    point = np.array([row[0] for row in rows], np.int32)
    time = START + np.array([row[1] for row in rows], np.int64) * SECOND
    return Readings(point, time, np.array([row[2] for row in rows], np.float64), time, point)


def bank(text: str, drivers: tuple[int, ...] = (A,), fresh_s: float = math.inf, **more: Any) -> Bank:
    """A high limit of 10 on an expression over A, B and RUN (those it names, in this order)."""
    inputs = tuple({"A": A, "B": B, "RUN": RUN}[name] for name in compile_expression(text).names)
    derived = Derived("d", text, inputs, drivers, CHANNEL, fresh_s)
    return Bank({"limit": table([rule("limit", 0, CHANNEL, 10.0, 9.0, side=1.0, **more)])}, [derived])


def seconds(found: Findings) -> list[tuple[bool, int]]:
    """Findings as (tripped, second)."""
    return list(zip(found.raised.tolist(), ((found.time - START) // SECOND).tolist(), strict=True))


def test_a_difference_of_two_points_is_judged_at_the_readings_of_its_own() -> None:
    rows = [(B, 0, 20.0), (A, 0, 25.0), (B, 1, 12.0), (A, 1, 25.0), (A, 2, 21.0)]
    found = bank("A - B").update(readings(rows), START)
    assert seconds(found) == [(True, 1), (False, 2)]
    assert found.value.tolist() == [13.0, 9.0]


def test_a_bad_reading_of_its_own_is_not_replaced_by_an_older_one() -> None:
    found = bank("A - B").update(readings([(B, 0, 0.0), (A, 0, 30.0), (B, 1, 50.0), (A, 1, math.nan)]), START)
    assert seconds(found) == [(True, 0)], "neither tripped nor returned by a value that was not measured"


def test_a_value_that_is_too_old_is_not_known_any_more() -> None:
    rows = [(B, 0, 0.0), (A, 20, 30.0)]
    assert seconds(bank("A - B").update(readings(rows), START)) == [(True, 20)]
    assert seconds(bank("A - B", fresh_s=10.0).update(readings(rows), START)) == []


def test_a_compound_gate_opens_by_any_of_its_points() -> None:
    derived = Derived("gate", "A >= 500 and A <= 6300", (A,), (A,), CHANNEL)
    rules = table([rule("limit", 0, B, 10.0, side=1.0, gate=(CHANNEL, ">=", 0.5))])
    rows = [(A, 0, 100.0), (B, 0, 20.0), (A, 1, 600.0), (B, 1, 20.0), (A, 2, 6400.0), (B, 2, 20.0)]
    assert seconds(Bank({"limit": rules}, [derived]).update(readings(rows), START)) == [(True, 1), (False, 2)]


def test_a_channel_that_moves_to_another_index_keeps_its_memory_and_a_point_that_takes_its_place_starts_anew() -> None:
    rules = table([rule("limit", 0, CHANNEL, 10.0, 9.0, side=1.0)])
    first = Bank({"limit": rules}, [Derived("d", "A / B", (A, B), (A,), CHANNEL)])
    first.update(readings([(B, 0, 1.0), (A, 0, 30.0)]), START)
    moved = table([rule("limit", 0, CHANNEL + 1, 10.0, 9.0, side=1.0), rule("limit", 1, CHANNEL, 10.0, side=1.0)])
    moved = replace(moved, key=("p3/r0", "new"))
    after = Bank({"limit": moved}, [Derived("d", "A / B", (A, B), (A,), CHANNEL + 1)])
    after.load(first.dump())
    for bank in (after, first.successor({"limit": moved}, [Derived("d", "A / B", (A, B), (A,), CHANNEL + 1)])):
        found = bank.update(readings([(A, 0, 50.0), (CHANNEL, 0, 11.0), (A, 1, 5.0)]), START)
        assert list(zip(found.rule.tolist(), found.raised.tolist(), strict=True)) == [(1, True), (0, False)]


@pytest.mark.parametrize("driver", [A, B])
@pytest.mark.parametrize("sizes", [(1, 1, 1, 4), (1, 1, 2, 2, 1), (2, 1, 1, 3), (7,)])
def test_several_frames_at_once_after_single_ones_are_all_judged(driver: int, sizes: tuple[int, ...]) -> None:
    """An engine that fell behind takes several frames of the same points in one cycle."""
    judge, found, second = bank("A - B", (driver,)), list[tuple[bool, int]](), 0
    values = [30.0, 31.0, 29.0, 50.0, 28.0, 60.0, 60.0]  # over 10 with B = 20 from the fourth on, but for the fifth
    for size in sizes:
        rows = [
            (point, at, value)
            for at in range(second, second + size)
            for point, value in ((A, values[at] - 5), (B, 20.0))
        ]
        found += seconds(judge.update(readings(rows), START))
        second += size
    assert found == [(True, 3), (False, 4), (True, 5)]


def test_lag_and_mean_look_back() -> None:
    ramp = [(A, second, 2.0 * second) for second in range(60)]
    assert seconds(bank("A - lag(A, 10)").update(readings(ramp), START))[0] == (True, 10)
    spike = [(A, second, 100.0 if second == 30 else 1.0) for second in range(60)]
    assert seconds(bank("mean(A, 16)").update(readings(spike), START)) == []
    assert seconds(bank("A").update(readings(spike), START)) == [(True, 30), (False, 31)]


ROWS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.sampled_from([0.0, 5.0, 12.0, 40.0, math.nan])))
TEXTS = ("A - B", "max(A, B, RUN) - min(A, B)", "A - lag(A, 5)", "mean(A - B, 8)", "A > B and not RUN > 0 or B > 30")


@pytest.mark.parametrize("text", TEXTS)
@settings(max_examples=40)
@given(steps=ROWS, cuts=st.lists(st.integers(0, 60), max_size=4))
def test_how_the_stream_is_cut_changes_nothing(text: str, steps: list[tuple[int, int, float]], cuts: list[int]) -> None:
    """As long as what came together stays together."""
    now, rows = 0, []
    for point, step, value in steps:
        now += step
        rows.append((point, now, value))
    whole, parts = bank(text), bank(text)
    expected = seconds(whole.update(readings(rows), START))
    between = sorted(cut for cut in cuts if 0 < cut < len(rows) and rows[cut - 1][1] != rows[cut][1])
    edges = [0, *between, len(rows)]
    found = [
        finding for begin, end in pairwise(edges) for finding in seconds(parts.update(readings(rows[begin:end]), START))
    ]
    assert found == expected
    assert parts.dump() == whole.dump()
    again = bank(text)
    again.load(whole.dump())
    assert again.dump() == whole.dump()


def gated(text: str) -> Bank:
    """A high limit of 10 on RUN, judged while an expression holds that each of its points drives."""
    inputs = tuple({"A": A, "B": B, "RUN": RUN}[name] for name in compile_expression(text).names)
    rules = table([rule("limit", 0, RUN, 10.0, 9.0, side=1.0, gate=(CHANNEL, ">=", 0.5))])
    return Bank({"limit": rules}, [Derived("d", text, inputs, inputs, CHANNEL)])


@pytest.mark.parametrize("text", ["A > 5 or B > 5", "A > 5 and not B > 5", "A > B or RUN > 30", "A - B > 0"])
@settings(max_examples=60)
@given(
    steps=st.lists(st.lists(st.sampled_from([0.0, 5.0, 12.0, 40.0, math.nan]), min_size=3, max_size=3), max_size=12),
    missing=st.lists(st.integers(0, 2), min_size=12, max_size=12),
    reverse=st.lists(st.booleans(), min_size=12, max_size=12),
)
def test_a_gate_over_several_points_of_a_frame_is_the_same_frame_by_frame_and_at_once(
    text: str, steps: list[list[float]], missing: list[int], reverse: list[bool]
) -> None:
    """Whatever comes bad or not at all, and, of frames whose values are all usable, in whatever order of columns."""
    frames, turned = list[list[tuple[int, int, float]]](), list[list[tuple[int, int, float]]]()
    for at, values in enumerate(steps):
        frame = [(point, at, value) for point, value in enumerate(values) if at % 3 or point != missing[at]]
        usable = not any(math.isnan(value) for _, _, value in frame)
        frames.append(frame)
        turned.append(frame[::-1] if usable and reverse[at] else frame)
    at_once, by_frame, by_turned = gated(text), gated(text), gated(text)
    expected = seconds(at_once.update(readings([row for frame in frames for row in frame]), START))
    assert [found for frame in frames for found in seconds(by_frame.update(readings(frame), START))] == expected
    assert [found for frame in turned for found in seconds(by_turned.update(readings(frame), START))] == expected
    assert by_frame.dump() == by_turned.dump() == at_once.dump()


def test_two_points_of_a_frame_tell_what_is_derived_from_them_once() -> None:
    """So that the frame stays one in which every point occurs once, whatever expressions are written over it."""
    derived = [Derived("d", "A > 5 or B > 5", (A, B), (A, B), CHANNEL)]
    frame = readings([(A, 0, 1.0), (B, 0, 9.0), (RUN, 0, 1.0)])
    feed = Derivations(derived, CHANNEL + 1).extend(make_feed(frame, Known(CHANNEL + 1)))
    assert feed.single
    assert feed.value[feed.point == CHANNEL].tolist() == [1.0]
    bad = readings([(A, 0, math.nan), (B, 0, 9.0)])
    feed = Derivations(derived, CHANNEL + 1).extend(make_feed(bad, Known(CHANNEL + 1)))
    assert len(feed.value[feed.point == CHANNEL]) == 2, "what a bad reading tells is not what a good one does"


SIDES = st.sampled_from([0.0, -1.0, 60.1, float(np.float32(60.1)), 60.0, 1e300, -1e300, math.inf, -math.inf, math.nan])


@given(pairs=st.lists(st.tuples(SIDES, SIDES, st.integers(0, len(GATE_OPS) - 1)), min_size=1))
def test_comparisons_made_at_once_give_what_each_gives(pairs: list[tuple[float, float, int]]) -> None:
    left, right = (np.array([pair[side] for pair in pairs]) for side in (0, 1))
    test = np.array([pair[2] for pair in pairs])
    with np.errstate(all="ignore"):
        known = not np.isnan(left + right).any()
        each = [truth(left[[at]], right[[at]], test[at], known=known).tolist() for at in range(len(pairs))]
        np.testing.assert_array_equal(truths(left, right, test, known=known), np.ravel(each))


@pytest.mark.parametrize(
    "text", [*TEXTS, "A > 5", "2 < A <= B and not A == RUN", "3 * (A > 5 or B > 1 - 2) + (RUN != 0)"]
)
@given(values=st.lists(st.tuples(SIDES, SIDES, SIDES), min_size=1, max_size=20))
def test_an_expression_gives_the_same_whether_its_comparisons_were_made_for_it_or_not(
    text: str, values: list[tuple[float, float, float]]
) -> None:
    """In a batch of few channels they are made for all at once, in one of many each by itself."""
    of = compile_expression(text)
    inputs = np.array(values).T[: len(of.names)]
    channels = [Derived(str(at), text, tuple(range(len(of.names))), (0,), 3 + at) for at in range(len(values))]
    part = Derivation(channels)
    known = not np.isnan(inputs).any() and not np.isinf(inputs).any()
    chosen = ComparisonTable([(len(channels), part.comparisons)], len(inputs)).choose(np.arange(len(channels)))
    with np.errstate(all="ignore"):
        made = chosen.by_channel(chosen.truths(inputs, known=known))
        past = lambda _call, now: now  # noqa: E731
        given, own = (of.worth([*inputs], past, [*part.number], each, known=known) for each in ([*made], None))
    np.testing.assert_array_equal(given, own)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("__import__('os').system('true')", "numbers, points"),
        ("A.real", "numbers, points"),
        ("A[0]", "numbers, points"),
        ("(lambda: A)()", "abs"),
        ("A if B else RUN", "numbers, points"),
        ("A ** 9", "numbers, points"),
        ("A in B", "one of <"),
        ("abs(A, B)", "abs"),
        ("lag(A, -5)", "lag"),
        ("lag(A, B)", "lag"),
        ("min(A)", "min"),
        ("'text'", "numbers"),
        ("True", "numbers"),
        ("1 + 2", "at least one point"),
        ("A +", "an expression"),
        ("{A B}", "the id of a point"),
        ("A + 1e999", "a finite number"),
        ("A + " * 300 + "A", "at most"),
        ("(" * 400 + "A" + ")" * 400, "an expression"),
    ],
)
def test_what_is_no_expression_is_named(text: str, names: str) -> None:
    with pytest.raises(ExpressionError, match=names):
        compile_expression(text)


def test_division_by_zero_is_not_known_and_truth_is_decided_early() -> None:
    nan, unity, zero = np.array([math.nan]), np.array([1.0]), np.array([0.0])
    assert np.isnan(compile_expression("A / B").evaluate([unity, zero]))
    assert compile_expression("A and B").evaluate([nan, zero]) == 0
    assert compile_expression("A or B").evaluate([nan, unity]) == 1
    assert np.isnan(compile_expression("A and B").evaluate([nan, unity]))
    assert np.isnan(compile_expression("not A").evaluate([nan]))
    assert compile_expression("1 < A < 3").evaluate([np.array([2.0])]) == 1


def test_what_a_point_showed_stays_known_when_its_time_is_forgotten_whatever_else_is_derived() -> None:
    """A value that may be of any age is not too old because another channel asks for a fresh one."""
    derived = [
        Derived("product", "A * B", (A, B), (A,), CHANNEL),
        Derived("rise", "A - B", (A, B), (A,), CHANNEL + 1, 10.0),
    ]
    tables = {"limit": table([rule("limit", 0, CHANNEL, 10.0, 9.0, side=1.0)])}
    before = Bank(tables, derived)
    before.update(readings([(B, 0, 2.0), (A, 0, 3.0)]), START)
    bank = before.successor(tables, derived, np.array([B], np.int32))
    assert seconds(bank.update(readings([(A, 1, 6.0)]), START)) == [(True, 1)]
