"""Deviation, step, spike and count do what their documentation says."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from detectors.examples import evaluate
from tests.detectors.rule_tables import specimen
from tests.detectors.scored import scored

NAN, INF = math.nan, math.inf
AT_50: dict[str, Any] = {"side": 0.0, "relative": 0.0, "setpoint": 50.0, "fresh_s": INF}


def test_a_deviation_is_judged_from_the_side_that_was_asked_for() -> None:
    values = [50.0, 56.0, 50.0, 44.0, 50.0]
    trips = {
        side: [
            findings
            for findings in evaluate("deviation", values, on=5.0, **{**AT_50, "side": side})
            if "trips" in findings
        ]
        for side in (1.0, -1.0, 0.0)
    }
    assert trips == {
        1.0: ["trips at 1 s: 6"],
        -1.0: ["trips at 3 s: 6"],
        0.0: ["trips at 1 s: 6", "trips at 3 s: 6"],
    }


def test_ten_percent_of_a_negative_setpoint_are_ten_percent_too() -> None:
    below: dict[str, Any] = {"side": -1.0, "relative": 1.0, "setpoint": -20.0, "fresh_s": INF}
    assert evaluate("deviation", [-20.0, -21.9, -22.0], on=10.0, **below) == ["trips at 2 s: 10"]


def test_a_setpoint_that_moves_is_followed() -> None:
    """The value stays, the set-point leaves it: a fixed limit would see nothing."""
    from_point = {**AT_50, "setpoint": NAN}
    assert evaluate("deviation", [50.0] * 3, on=5.0, others=[[50.0, 54.0, 56.0]], **from_point) == ["trips at 2 s: 6"]


def test_a_fixed_setpoint_goes_before_the_setpoint_point() -> None:
    assert evaluate("deviation", [50.0, 50.0], on=5.0, others=[[90.0, 90.0]], **AT_50) == []


@pytest.mark.parametrize(
    ("fresh_s", "findings"), [(2.0, ["trips at 1 s: 9"]), (INF, ["trips at 1 s: 9", "returns at 4 s: nan"])]
)
def test_a_setpoint_that_is_too_old_is_not_used(fresh_s: float, findings: list[str]) -> None:
    """The verdict stays as it was, since nothing can be decided."""
    others = [[50.0, 50.0, NAN, NAN, NAN]]
    changes = evaluate(
        "deviation",
        [50.0, 59.0, 59.0, NAN, 50.0],
        on=5.0,
        others=others,
        **{**AT_50, "setpoint": NAN, "fresh_s": fresh_s},
    )
    assert changes == findings


def test_percent_of_a_setpoint_of_zero_say_nothing() -> None:
    percent: dict[str, Any] = {"side": 0.0, "relative": 1.0, "setpoint": 0.0, "fresh_s": INF}
    assert evaluate("deviation", [5.0, 500.0], on=1.0, **percent) == []


def test_a_shift_of_level_is_found_that_crosses_no_limit_and_a_slow_drift_is_not() -> None:
    noise = np.random.default_rng(3).normal(0, 0.5, 600)
    shifted, drifting = 50 + noise, 50 + noise + np.arange(600) * 0.01
    shifted[300:] += 4
    findings = evaluate("step", shifted.tolist(), on=3.0, off=1.0, side=0.0, window_s=60.0)
    assert [finding.split(" at ")[0] for finding in findings] == ["trips", "returns"]
    assert 300 < int(findings[0].split(" at ")[1].split()[0]) <= 360
    assert evaluate("step", drifting.tolist(), on=3.0, off=1.0, side=0.0, window_s=60.0) == []


@pytest.mark.parametrize(("side", "trips"), [(1.0, 1), (-1.0, 0), (0.0, 1)])
def test_a_step_up_is_no_step_down(side: float, trips: int) -> None:
    findings = evaluate("step", [1.0] * 20 + [5.0] * 20, on=3.0, off=1.0, side=side, window_s=8.0)
    assert sum("trips" in finding for finding in findings) == trips


def test_a_single_spike_is_no_step() -> None:
    values = [1.0] * 60
    values[30] = 100.0
    assert evaluate("step", values, on=1.0, off=0.5, side=0.0, window_s=12.0) == []


def test_a_spike_is_found_and_the_level_after_a_step_is_not() -> None:
    """The first five readings of a new level may be outliers; from the sixth on it is the normal one."""
    wave = [5.0, 5.1, 4.9] * 6
    spiked = [*wave, 9.0, *wave]
    stepped = [*wave, *(9.0 + x - 5.0 for x in wave)]
    assert evaluate("spike", spiked, on=6.0, off=3.0, floor=0.1) == ["trips at 18 s: 9", "returns at 19 s: 5"]
    findings = evaluate("spike", stepped, on=6.0, off=3.0, floor=0.1)
    assert findings == ["trips at 18 s: 9", "returns at 23 s: 8.9"]


def test_two_wild_readings_in_a_row_are_both_found() -> None:
    """They do not hide each other, as they would beside a mean and a standard deviation."""
    values = [5.0, 5.1, 4.9] * 5 + [80.0, 90.0]
    score = [reading.score for reading in scored(specimen("spike", floor=0.1), values)]
    assert score[-2] > 100
    assert score[-1] > 100


def test_the_last_digit_of_a_quiet_signal_is_no_spike() -> None:
    assert evaluate("spike", [5.0] * 15 + [5.01] + [5.0] * 5, on=6.0, floor=0.05) == []


def test_nothing_is_a_spike_before_eleven_readings() -> None:
    score = [reading.score for reading in scored(specimen("spike"), [0.4] * 9 + [NAN, 9.0, 0.4])]
    assert [math.isnan(reading) for reading in score] == [True] * 11 + [False]


def test_three_sparks_within_a_minute_trip_and_two_do_not() -> None:
    def sparks(*seconds: int) -> list[float]:
        return [float(second in seconds) for second in range(0, 150, 5)]

    spark: dict[str, Any] = {"above": 1.0, "window_s": 60.0, "edges": 1.0}
    three = evaluate("count", sparks(10, 40, 70), on=3.0, off=2.0, step_s=5.0, **spark)
    assert three == ["trips at 70 s: 3", "returns at 75 s: nan"]
    assert evaluate("count", sparks(10, 40, 75), on=3.0, step_s=5.0, **spark) == []
    assert evaluate("count", sparks(10, 40), on=3.0, step_s=5.0, **spark) == []


def test_a_contact_that_stays_on_is_one_event_unless_every_reading_counts() -> None:
    on = [0.0, 1.0, 1.0, NAN, 1.0, 1.0]
    edges = [reading.score for reading in scored(specimen("count", edges=1.0, window_s=60.0), on)]
    every = [reading.score for reading in scored(specimen("count", edges=0.0, window_s=60.0), on)]
    assert np.array_equal(edges, [0, 1, 1, NAN, 1, 1], equal_nan=True)
    assert np.array_equal(every, [0, 1, 2, NAN, 3, 4], equal_nan=True)


def test_sixteen_events_are_the_most_that_are_counted() -> None:
    score = [reading.score for reading in scored(specimen("count", window_s=600.0), [0.0, 1.0] * 30)]
    assert max(score) == 16


@pytest.mark.parametrize("kind", ["step", "spike", "count"])
def test_what_was_before_a_gate_closed_is_forgotten(kind: str) -> None:
    """A pump that was started anew is judged as if nothing had been seen of it before."""
    values = [0.4, 1.2, 0.4, 0.6, 1.2, 0.0, 2.5, 0.1] * 6
    gate = [1.0] * 20 + [-1.0] + [1.0] * 27
    gated = [reading.score for reading in scored(specimen(kind, gate=(1, ">=", 0.0)), values, [gate])]
    fresh = [reading.score for reading in scored(specimen(kind), values[21:], since=21)]
    assert np.array_equal(gated[21:], fresh, equal_nan=True)
    assert not np.isnan(fresh[-10:]).all()
