"""What is shown and what is judged agree: a sender's single precision hides no limit that is reached, nor one left."""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors import Bank, Readings, build, compile_expression
from detectors.detector import ScoringDetector
from detectors.gate import intervals
from detectors.precision import above, below
from detectors.rules import GATE_OPS, GateTable
from ingest.domain.model.plant import Gate, GateOp
from tests.detectors.rule_tables import SECOND, rule, table
from tests.reference.plain import OPS, PlainRule, run
from tests.reference.scores import SCORES

WRITTEN = st.floats(1e-4, 1e6).map(lambda value: float(f"{value:.6g}"))  # six digits are what single precision keeps
LIMITS = WRITTEN | WRITTEN.map(lambda value: -value) | st.sampled_from([0.0, 0.1, 60.1, 997e-6, 1013.25])


def single(value: float) -> float:
    """The value as a controller with single precision sends it."""
    return float(np.float32(value))


def judged(rules: list[PlainRule], rows: Sequence[tuple[float, ...]]) -> list[tuple[int, bool]]:
    """(second, tripped) of one rule, in batches of every size; the points of a row come together, the last first."""
    readings = [
        (point, second * SECOND, row[point]) for second, row in enumerate(rows) for point in reversed(range(len(row)))
    ]
    plain = [(number, raised, time) for number, raised, time, _ in run(deepcopy(rules), readings, SCORES)]
    for size in (1, 3, len(readings)):
        bank, found = Bank({rules[0].kind: table(rules)}), list[tuple[int, bool, int]]()
        for begin in range(0, len(readings), size):
            point, time, value = (np.array(column) for column in zip(*readings[begin : begin + size], strict=True))
            findings = bank.update(Readings(point.astype(np.int32), time, value, time, point.astype(np.int32)), 0)
            found += zip(findings.rule.tolist(), findings.raised.tolist(), findings.time.tolist(), strict=True)
        assert found == plain
    return [(time // SECOND, raised) for _, raised, time in plain]


@given(limit=LIMITS)
def test_a_limit_as_a_controller_sends_it_is_at_the_limit_and_the_next_shorter_number_is_not(limit: float) -> None:
    assert below(np.array(limit)) <= limit <= above(np.array(limit))
    assert below(np.array(limit)) <= single(limit) <= above(np.array(limit))
    for digits in range(1, 7):  # no number of up to six digits that is another one
        shown = float(f"{limit:.{digits}g}")
        assert shown == limit or not below(np.array(limit)) <= shown <= above(np.array(limit))


@pytest.mark.parametrize("side", [1.0, -1.0])
@pytest.mark.parametrize("limit", [60.1, 0.28, 1013.2, 24.3, -5.7])
def test_a_limit_is_reached_and_left_by_what_people_see(side: float, limit: float) -> None:
    back = limit - side * 0.2
    high = rule("limit", 0, 0, side * limit, side * back, side=side)
    rows = [(limit - side,), (single(limit),), (single(back),), (limit,), (limit - side * 0.1,), (back,)]
    assert judged([high], rows) == [(1, True), (2, False), (3, True), (5, False)]
    two_of_three = rule("limit", 0, 0, side * limit, side * back, side=side, need=2, of=3)
    assert judged([two_of_three], [(single(limit),), (back,), (single(limit),)]) == [(2, True)]


KINDS: list[tuple[str, dict[str, Any], tuple[float, ...], tuple[float, ...]]] = [
    ("deviation", {"side": 1.0, "relative": 0.0, "setpoint": 50.0, "fresh_s": 9.0, "on": 5.1}, (50.0,), (55.1,)),
    ("deviation", {"side": -1.0, "relative": 1.0, "setpoint": 40.0, "fresh_s": 9.0, "on": 0.25}, (40.0,), (39.9,)),
    ("deviation", {"side": 0.0, "relative": 0.0, "setpoint": math.nan, "fresh_s": 9.0, "on": 0.2, "inputs": (1,)},
     (60.0, 60.1), (60.3, 60.1)),
    ("current", {"low": 0.0, "high": 1.6, "on": 9.0}, (0.8,), (1.7,)),
    ("votes", {"level": 60.1, "bad_votes": 0.0, "fresh_s": 9.0, "on": 2.0, "inputs": (1,)}, (0.0, 0.0), (60.1, 60.1)),
    ("first_out", {"level": 60.1, "on": 2.0, "inputs": (1,)}, (0.0, 0.0), (60.1, 60.1)),
    ("count", {"above": 60.1, "window_s": 9.0, "edges": 1.0, "on": 1.0}, (0.0,), (60.1,)),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "param", "well", "at"), KINDS, ids=[f"{k}-{p['on']:g}" for k, p, _, _ in KINDS])
def test_every_kind_with_a_fixed_limit_sees_it_reached_as_people_do(
    kind: str, param: dict[str, Any], well: tuple[float, ...], at: tuple[float, ...]
) -> None:
    more = dict(param)
    plain_rule = rule(kind, 0, 0, more.pop("on"), **more)
    sent = tuple(map(single, at))
    assert judged([plain_rule], [well, at]) == [(1, True)]
    assert judged([plain_rule], [well, sent]) == [(1, True)]


@pytest.mark.parametrize(("low", "high"), [(0.0, 16.1), (-40.1, 85.3), (900.0, 1000.2), (0.1, 5.1)])
def test_the_end_of_an_instruments_range_is_within_it_however_it_was_sent(low: float, high: float) -> None:
    out = rule("range", 0, 0, math.nextafter(1.0, 2.0), 1.0, low=low, high=high)
    beyond = high + (high - low) / 1000
    assert judged([out], [(high,), (single(high),), (low,), (single(low),), (beyond,), (single(high),)]) == [
        (4, True),
        (5, False),
    ]


@pytest.mark.parametrize(("low", "high"), [(0.0, 16.1), (-40.1, 85.3), (900.0, 1000.2), (0.1, 5.1), (0.0, 1.0)])
def test_a_value_at_the_end_of_its_range_is_passed_over_like_one_in_its_midst(low: float, high: float) -> None:
    """Most gas detectors show 0 and most contacts 0 or 1 all their life: no change, no evaluation."""
    out = rule("range", 0, 0, math.nextafter(1.0, 2.0), 1.0, low=low, high=high)
    detector = build("range", table([out]))
    assert isinstance(detector, ScoringDetector)
    for value in (low, high, single(low), single(high)):
        first, last = (float(end[0]) for end in detector.steady(np.zeros(1, np.intp), np.array([value])))
        assert first <= value <= last
        assert judged([out], [(first,), (last,)]) == []


@given(limit=LIMITS, op=st.sampled_from(GATE_OPS), factor=st.sampled_from([0.0, 1e-9, -1e-9, 1e-6, -1e-6, 0.1, -0.1]))
def test_a_condition_holds_of_what_people_see_in_the_engine_and_outside_of_it(
    limit: float, op: GateOp, factor: float
) -> None:
    value = single(limit) + factor * limit
    shown = limit if abs(factor) < 1e-7 else value
    gate = GateTable(np.zeros(1, np.int32), np.array([GATE_OPS.index(op)], np.int8), np.array([limit]))
    (low,), (high,), (outside,) = intervals(gate)
    assert ((low <= value <= high) != outside) == OPS[op](shown, limit)
    assert Gate("P", op, limit).holds(value) == OPS[op](shown, limit)
    found = compile_expression(f"P {op} {limit!r}".replace("-", "0 - ")).evaluate([np.array([value])])
    assert found.tolist() == [float(OPS[op](shown, limit))]
