"""A warning comes before the alarm it foretells, and healthy movement foretells nothing."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors import Bank, Readings
from tests.detectors.many import first, seconds
from tests.detectors.rule_tables import SECOND, rule, table
from tests.reference.plain import run
from tests.reference.scores import SCORES

WINDOW = 320.0
CALM, RAMP, DISTANCE = 3200, 640, 30.0
"""Ten windows of calm, then a ramp of two windows to a limit thirty standard deviations away."""
RULE = {"limit": 100.0, "side": 1.0, "window_s": WINDOW, "lead_s": WINDOW}


def noise(many: int, seed: int = 5) -> NDArray[np.float64]:
    """Twenty points of white noise of standard deviation one."""
    return np.asarray(np.random.default_rng(seed).normal(0.0, 1.0, (20, many)))


def forecasts(values: NDArray[np.float64], **more: float) -> list[list[tuple[bool, float]]]:
    """As the rule compiler makes them: a window of warning, and two closings of a bucket in a row."""
    param = {**RULE, "on_delay": WINDOW / 20, **more}
    return seconds("forecast", values, -param["lead_s"], -2 * param["lead_s"], **param)


def ramps(side: float = 1.0) -> NDArray[np.float64]:
    """The ramp goes from 70 to 100 (to 40 with side -1) and on."""
    travel = np.clip(np.arange(CALM + RAMP + 200) - CALM, 0, None) * (DISTANCE / RAMP)
    return 70.0 + noise(len(travel)) + side * travel


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_a_forecast_comes_before_the_limit_it_foretells_by_a_third_of_the_ramp(side: float) -> None:
    values, limit = ramps(side), 70.0 + side * DISTANCE
    warned = [first(found) for found in forecasts(values, side=side, limit=limit)]
    alarmed = [first(found) for found in seconds("limit", values, side * limit, side=side)]
    gained = np.array(alarmed) - np.array(warned)
    assert min(warned) > CALM
    assert gained.min() > RAMP / 3


def test_it_tells_the_earliest_time_to_expect_and_is_not_far_off() -> None:
    values = ramps()
    param = {**RULE, "on_delay": WINDOW / 20}
    bank = Bank({"forecast": table([rule("forecast", row, row, -WINDOW, -2 * WINDOW, **param) for row in range(20)])})
    point = np.repeat(np.arange(20, dtype=np.int32), values.shape[1])
    time = np.tile(np.arange(values.shape[1]) * SECOND, 20)
    found = bank.update(Readings(point, time, values.ravel(), time, point), int(time[-1]))
    ratio = found.value / (CALM + RAMP - found.time / SECOND)
    assert len(ratio) == 20
    assert (ratio > 0.5).all()
    assert (ratio < 1.1).all()


@pytest.mark.parametrize("periods", [0.05, 0.11, 0.25, 0.5, 4.0, 8.0])
def test_a_healthy_sawtooth_foretells_nothing(periods: float) -> None:
    """The cleaning of a filter: ten up and back at once, the limit another ten above; periods a window."""
    time = np.arange(10_000)
    start = np.random.default_rng(4).uniform(0, 1, (20, 1))
    tooth = 80.0 + 10.0 * ((time / (periods * WINDOW) + start) % 1)
    assert not any(forecasts(tooth + 0.3 * noise(len(time))))


@pytest.mark.parametrize("periods", [0.05, 0.25, 0.5, 1.0, 4.0, 8.0])
def test_a_healthy_swing_foretells_nothing(periods: float) -> None:
    time = np.arange(10_000)
    start = np.random.default_rng(4).uniform(0, 1, (20, 1))
    swing = 85.0 + 5.0 * np.sin(2 * np.pi * (time / (periods * WINDOW) + start))
    assert not any(forecasts(swing + 0.3 * noise(len(time))))


@pytest.mark.parametrize("periods", [1.5, 3.0, 5.0])
def test_a_usual_swing_is_forecast_as_an_excursion_at_most_one_time_in_twenty(periods: float) -> None:
    """Slower than the window and two thirds of the way up to the limit: every rise is a trend, until it turns."""
    time, known = np.arange(16_000), (periods + 1) * WINDOW
    start = np.random.default_rng(4).uniform(0, 1, (20, 1))
    swing = 85.0 + 5.0 * np.sin(2 * np.pi * (time / (periods * WINDOW) + start)) + 0.3 * noise(len(time))
    later = [second for found in forecasts(swing, limit=93.0) for raised, second in found if raised and second > known]
    assert len(later) < 0.05 * 20 * (len(time) - known) / (periods * WINDOW)


def test_a_step_a_spike_and_a_pulse_foretell_nothing() -> None:
    for height, width in ((15.0, 3000), (25.0, 1), (25.0, 40)):
        values = 70.0 + noise(6000)
        values[:, 3000 : 3000 + width] += height
        assert not any(forecasts(values))


def test_a_healthy_wandering_value_foretells_nothing() -> None:
    """Slow weather of standard deviation one, ten below its limit, for twenty point-days of one-second readings."""
    random, keep = np.random.default_rng(9), np.exp(-1 / 300)
    values = np.empty((20, 20_000))
    values[:, 0] = random.normal(0, 1, 20)
    pushes = random.normal(0, np.sqrt(1 - keep**2), values.shape)
    for at in range(1, values.shape[1]):
        values[:, at] = keep * values[:, at - 1] + pushes[:, at]
    assert not any(forecasts(90.0 + values))


def test_beyond_the_limit_no_time_is_left_and_the_warning_stands_until_the_level_is_back() -> None:
    values = 70.0 + noise(9000)
    values[:, 3000:5000] += 40.0
    for found in forecasts(values):
        (trips, up), (returns, down) = found
        assert trips
        assert 3000 < up < 3000 + 0.6 * WINDOW
        assert not returns
        assert 5000 < down < 5000 + 0.6 * WINDOW


def test_what_lies_before_a_gap_or_a_stop_is_no_trend() -> None:
    values = ramps()[:, : CALM + RAMP // 2]
    point, time = np.zeros(values.shape[1], np.int32), np.arange(values.shape[1]) * SECOND
    gap = np.where(np.arange(len(time)) >= CALM + 100, time + 5000 * SECOND, time)
    bank = Bank({"forecast": table([rule("forecast", 0, 0, -WINDOW, -2 * WINDOW, **RULE)])})
    assert len(bank.update(Readings(point, gap, values[0], gap, point), int(gap[-1]))) == 0


def test_long_streams_give_the_findings_of_plain_loops() -> None:
    """Random walks with gaps, stops and spikes, in batches of any size."""
    random = np.random.default_rng(21)
    rules = [
        rule("forecast", n, 0, -20.0, -40.0, inputs=(), gate=gate, limit=side * 6.0, side=side, window_s=24.0)
        for n, (gate, side) in enumerate([(None, 1.0), (None, -1.0), ((1, ">=", 0.0), 1.0)])
    ]
    many = 8000
    walk = 7 * np.sin(np.arange(many) / 150) + np.cumsum(random.normal(0, 0.05, many)) + random.normal(0, 0.1, many)
    walk[random.random(many) < 0.01] = np.nan
    time = np.cumsum(random.choice([1, 1, 1, 1, 5], many)) * SECOND
    running = np.where(np.arange(many) % 1000 < 800, 1.0, -1.0)
    point = np.tile(np.array([1, 0], np.int32), many)
    times, values = np.repeat(time, 2), np.array([running, walk]).T.ravel()
    expected = run(rules, list(zip(point.tolist(), times.tolist(), values.tolist(), strict=True)), SCORES)
    bank, findings = Bank({"forecast": table(rules)}), []
    edges = [0, *np.sort(random.integers(0, len(point), 60)).tolist(), len(point)]
    for begin, end in pairwise(edges):
        part = slice(begin, end)
        found = bank.update(Readings(point[part], times[part], values[part], times[part], point[part]), 0)
        columns = (found.rule, found.raised, found.time, found.onset)
        findings += [tuple(row) for row in zip(*(column.tolist() for column in columns), strict=True)]
    assert sorted(findings, key=lambda f: (f[2], f[1], f[0])) == expected
    assert len(findings) > 30


def test_a_rule_keeps_at_most_600_bytes() -> None:
    (detector,) = Bank({"forecast": table([rule("forecast", 0, 0, -1.0, -2.0, **RULE)])}).detectors()
    assert sum(array.nbytes for array in detector.state().arrays.values()) <= 600
