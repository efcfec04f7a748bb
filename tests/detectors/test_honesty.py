"""Pinned, noise, current and neighbour find instruments that lie, and leave honest ones alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from detectors.examples import evaluate, find, series, tables
from tests.detectors.rule_tables import specimen
from tests.detectors.scored import scored

NAN = math.nan
PIN: dict[str, Any] = {"at": 24.0, "band": 0.5, "window_s": 600.0}
ROOM: dict[str, Any] = {"floor": 2.0, "fresh_s": 60.0}


def test_a_co_sensor_that_shows_the_alarm_limit_is_pinned_though_it_moves() -> None:
    """24.0 +- 0.2 ppm all day long: `stuck` sees it move, and the limit sees it at or below."""
    faked = (24 + np.random.default_rng(1).uniform(-0.2, 0.2, 2000)).tolist()
    assert evaluate("pinned", faked, on=90.0, off=50.0, **PIN) == ["trips at 525 s: 100"]
    assert evaluate("stuck", faked, on=600.0, band=0.1, nonzero=1.0) == []


def test_a_co_sensor_that_passes_through_the_alarm_limit_is_not_pinned() -> None:
    honest = 15 + 12 * np.sin(np.arange(3000) / 200) + np.random.default_rng(2).normal(0, 1, 3000)
    assert honest.max() > 24
    assert evaluate("pinned", honest.tolist(), on=90.0, off=50.0, **PIN) == []


def test_a_sensor_let_go_is_no_longer_pinned() -> None:
    findings = evaluate("pinned", [24.0] * 1000 + [8.0] * 1000, on=90.0, off=50.0, **PIN)
    assert [finding.split(" at ")[0] for finding in findings] == ["trips", "returns"]


def test_few_readings_are_no_proof_of_pinning() -> None:
    assert evaluate("pinned", [24.0] * 20, on=90.0, step_s=150.0, **PIN) == []


def test_a_signal_whose_noise_collapses_is_found_while_its_level_stays_healthy() -> None:
    noise = np.random.default_rng(4).normal(0, 1, 4000)
    noise[2000:] *= 0.05
    findings = evaluate("noise", (50 + noise).tolist(), on=5.0, off=2.0, window_s=240.0)
    assert findings[0].startswith("trips at 2")
    assert 2000 < int(findings[0].split(" at ")[1].split()[0]) <= 2300


def test_a_steady_noise_is_no_collapse_nor_is_more_of_it() -> None:
    noise = np.random.default_rng(5).normal(0, 1, 4000)
    noise[2000:] *= 8
    assert evaluate("noise", noise.tolist(), on=5.0, off=2.0, window_s=240.0) == []


def test_a_calm_becomes_the_ordinary_state_after_four_to_five_windows() -> None:
    noise = np.random.default_rng(6).normal(0, 1, 6000)
    noise[2400:] *= 0.05
    findings = evaluate("noise", noise.tolist(), on=5.0, off=2.0, window_s=240.0)
    assert [finding.split(" at ")[0] for finding in findings] == ["trips", "returns"]
    returned = int(findings[1].split(" at ")[1].split()[0])
    assert 2400 + 4 * 240 <= returned <= 2400 + 5 * 240 + 60


def test_a_signal_that_goes_dead_flat_stays_found() -> None:
    """There is nothing to compare with once all that is remembered is flat, so the verdict stands."""
    noise = np.random.default_rng(7).normal(0, 1, 6000)
    noise[2400:] = 0.0
    assert len(evaluate("noise", noise.tolist(), on=5.0, off=2.0, window_s=240.0)) == 1
    score = [reading.score for reading in scored(specimen("noise", window_s=240.0), noise.tolist())]
    assert np.nanmax(score) == pytest.approx(1e6)


def test_nothing_was_ever_noisy_says_nothing() -> None:
    assert evaluate("noise", [5.0] * 2000, on=1.0, window_s=40.0) == []


@pytest.mark.parametrize(
    ("value", "trips"), [(-18.75, True), (-18.7, False), (0.0, False), (100.0, False), (118.75, True)]
)
def test_a_loop_at_one_or_twentythree_milliamperes_is_broken(value: float, *, trips: bool) -> None:
    """0..100 stands for 4..20 mA: 1 mA is -18.75, 23 mA is 118.75."""
    assert bool(evaluate("current", [50.0, value], on=11.0, low=0.0, high=100.0)) is trips


def test_a_scale_turned_round_changes_nothing_about_the_loop() -> None:
    assert evaluate("current", [50.0, 118.75], on=11.0, low=100.0, high=0.0) == ["trips at 1 s: 118.8"]


def test_a_sensor_that_shows_a_fifth_of_what_its_neighbours_do_is_named_itself() -> None:
    readings = series([10.0, 6.0, 6.0], others=[[11.0, 30.0, 31.0], [9.0, 32.0, 29.0], [10.0, 31.0, 500.0]])
    found = find(tables("neighbour", on=5.0, others=3, **ROOM), readings)
    assert (found.time // 10**9).tolist() == [1]
    assert found.cause.tolist() == [0]


def test_one_neighbour_of_three_that_lies_makes_nobody_else_a_liar() -> None:
    others = [[10.0] * 5, [11.0] * 5, [900.0] * 5]
    assert evaluate("neighbour", [10.0] * 5, on=5.0, others=others, **ROOM) == []


def test_clean_air_against_clean_air_says_nothing() -> None:
    """0.1 ppm beside 1.5 ppm is a ratio of fifteen and means nothing."""
    assert evaluate("neighbour", [0.1, 0.0, -0.2], on=5.0, others=[[1.5] * 3, [1.8] * 3], **ROOM) == []


def test_too_few_fresh_neighbours_say_nothing() -> None:
    silent = [[10.0, *[NAN] * 5], [10.0] * 6, [NAN] * 6]
    kept = evaluate("neighbour", [10.0, 90.0] * 3, on=5.0, others=silent, floor=2.0, fresh_s=2.0)
    assert kept == ["trips at 1 s: 9", "returns at 2 s: nan"]  # from second 3 on nobody can tell


@pytest.mark.parametrize("kind", ["pinned", "noise"])
def test_what_was_before_a_gate_closed_is_forgotten(kind: str) -> None:
    values = ([0.4, 1.2, 0.5, 0.6, 2.5, 0.0] * 50)[:200] + [0.5, 0.55] * 20
    gate = [1.0] * 100 + [-1.0] + [1.0] * 139
    gated = [reading.score for reading in scored(specimen(kind, gate=(1, ">=", 0.0)), values, [gate])]
    fresh = [reading.score for reading in scored(specimen(kind), values[101:], since=101)]
    assert np.array_equal(gated[101:], fresh, equal_nan=True)
    assert not np.isnan(fresh).all()
