"""Control charts find what no limit sees, and a spike, a gap or a stop does not fool them."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.examples import evaluate
from detectors.feed import Known, make_feed
from detectors.kinds.page_hinkley import PageHinkley
from detectors.kinds.zscore import ZScore
from detectors.readings import Readings
from detectors.runs import RuleIndex
from tests.detectors.many import first, seconds
from tests.detectors.rule_tables import SECOND, rule, table
from tests.detectors.test_gate import found as found_behind_gate

NOISE = np.random.default_rng(7).normal(50.0, 2.0, (100, 1000))
SHIFTED = NOISE + 2.0 * (np.arange(1000) >= 600)
"""A hundred points; a shift of one standard deviation at 600 s."""


def test_a_shift_of_one_sigma_that_no_limit_sees_is_found_by_cusum_within_eighty_readings() -> None:
    """Its average run length there is about (h + 1.2) / (1 - k) = 26 (Montgomery, Siegmund's approximation)."""
    at = [first(found) for found in seconds("cusum", SHIFTED, 12.0, 1.0, train=300.0, slack=0.5, floor=0.1)]
    assert min(at) > 600
    assert max(at) < 680
    assert np.median(at) < 630
    assert not any(seconds("limit", SHIFTED, 62.0, side=1.0))


def test_the_same_shift_is_found_by_ewma_within_forty_readings_mostly() -> None:
    at = [first(found) for found in seconds("ewma", SHIFTED, 5.0, 2.0, train=300.0, weight=0.05, floor=0.1)]
    assert min(at) > 600
    assert max(at) < 800
    assert np.median(at) < 640


@pytest.mark.parametrize(
    ("kind", "on", "param"),
    [
        ("cusum", 12.0, {"train": 300.0, "slack": 0.5, "floor": 0.1}),
        ("ewma", 6.0, {"train": 300.0, "weight": 0.1, "floor": 0.1}),
        ("page_hinkley", 200.0, {"delta": 1.0, "alpha": 0.999, "least": 100.0}),
        ("zscore", 7.0, {"least": 300.0, "floor": 0.1}),
        ("robust_z", 10.0, {"window_s": 320.0, "floor": 1.0}),
    ],
)
def test_steady_noise_gives_no_findings(kind: str, on: float, param: dict[str, float]) -> None:
    assert not any(seconds(kind, NOISE, on, **param))


def test_a_lone_spike_trips_neither_cusum_nor_ewma() -> None:
    spiky = NOISE.copy()
    spiky[:, 700] += 20.0  # ten standard deviations
    assert not any(seconds("cusum", spiky, 12.0, train=300.0, slack=0.5, floor=0.1))
    assert not any(seconds("ewma", spiky, 8.0, train=300.0, weight=0.1, floor=0.1))


def test_after_a_long_fault_cusum_returns_within_a_bounded_time() -> None:
    """The sum stops at 4 on, so on / slack times four healthy readings are enough, and their noise a few more."""
    fault = NOISE + 100.0 * ((np.arange(1000) >= 400) & (np.arange(1000) < 800))
    for found in seconds("cusum", fault, 12.0, 6.0, train=300.0, slack=0.5, floor=0.1):
        assert [raised for raised, _ in found] == [True, False]
        assert found[1][1] < 800 + 4 * 12 / 0.5 + 60


@pytest.mark.parametrize("kind", ["ewma", "cusum", "page_hinkley", "zscore", "robust_z"])
def test_what_happens_behind_a_closed_gate_neither_counts_nor_trains(kind: str) -> None:
    shift = [0.4, 0.5] * 10 + [9.0] * 10 + [0.4, 0.5] * 10
    running = [1.0] * 20 + [0.0] * 10 + [1.0] * 20
    assert found_behind_gate(kind, shift, running) == []
    assert found_behind_gate(kind, shift, [1.0] * 50) != []


def test_a_level_that_changed_behind_a_closed_gate_is_no_drift_for_page_hinkley() -> None:
    changed, closed = [0.4] * 20 + [0.9] * 30, [1.0] * 20 + [0.0] * 5 + [1.0] * 25
    assert found_behind_gate("page_hinkley", changed, closed) == []
    assert found_behind_gate("page_hinkley", changed, [1.0] * 50) != []


@pytest.mark.parametrize("kind", ["ewma", "cusum"])
def test_a_shift_half_summed_up_is_forgotten_behind_a_closed_gate(kind: str) -> None:
    """Two shifted readings before the stop and two after it do not trip; four in a row do."""
    shift = {"ewma": 0.38, "cusum": 0.45}[kind]
    before, after = [0.4] * 10 + [0.4 + shift] * 2, [0.4 + shift] * 2
    assert found_behind_gate(kind, [*before, 0.4, *after], [1.0] * 12 + [0.0] + [1.0] * 2) == []
    assert found_behind_gate(kind, [*before, *after], [1.0] * 14) != []


def test_wild_values_in_the_past_do_not_hide_the_next_one_from_robust_z() -> None:
    past = [500.0, 10.0, 11.0, 10.5] * 4
    assert evaluate("robust_z", [*past, 30.0], on=8.0, window_s=16.0, floor=0.5)[-1].startswith("trips at 16 s")
    assert evaluate("zscore", [*past, 30.0], on=8.0, least=16.0, floor=0.5) == []


def test_a_chart_trains_on_readings_however_long_they_take() -> None:
    values = [1.0, 3.0, float("nan"), 1.0, 3.0, 9.0, 9.0]
    assert evaluate("ewma", values, on=2.0, train=4.0, weight=0.5, floor=0.1, step_s=3600.0) == [
        "trips at 18000 s: 5.25"
    ]


def test_page_hinkley_gives_the_same_statistic_and_the_same_drifts_as_river() -> None:
    drift = pytest.importorskip("river.drift")
    theirs = drift.PageHinkley(min_instances=5, delta=0.05, threshold=6.0, alpha=0.99)
    values = SHIFTED[0] - 50 + 3.0 * (np.arange(1000) % 300 > 150)
    expected = np.full(1000, np.nan)
    for at, value in enumerate(values.tolist()):
        theirs.update(value)
        if theirs._x_mean.n >= 5:
            up, down = theirs._sum_increase - theirs._min_increase, theirs._max_decrease - theirs._sum_decrease
            expected[at] = max(up, down)
    rules = table([rule("page_hinkley", 0, 0, 6.0, delta=0.05, alpha=0.99, least=5.0)])
    ours = PageHinkley(rules).score(RuleIndex(rules.point, 1).runs(make_feed(_series(values), Known(1))))
    assert np.array_equal(ours, expected, equal_nan=True)
    assert np.count_nonzero(ours >= 6) > 5


def test_zscore_is_the_z_of_rivers_gaussian_scorer() -> None:
    anomaly = pytest.importorskip("river.anomaly")
    theirs = anomaly.GaussianScorer(grace_period=10)
    expected = []
    for value in NOISE[0].tolist():
        gauss = theirs.gaussian
        expected.append(abs(value - gauss.mu) / gauss.sigma if gauss.n_samples >= 10 else np.nan)
        theirs.learn_one(None, value)
    rules = table([rule("zscore", 0, 0, 9.0, least=10.0, floor=1e-9)])
    ours = ZScore(rules).score(RuleIndex(rules.point, 1).runs(make_feed(_series(NOISE[0]), Known(1))))
    assert ours == pytest.approx(np.array(expected), rel=1e-9, nan_ok=True)


def _series(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Readings:
    point, time = np.zeros(len(values), np.int32), np.arange(1, len(values) + 1) * SECOND
    return Readings(point, time, values, time, point)
