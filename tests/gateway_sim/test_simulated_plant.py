"""Instruments that stick, die, lie or fall asleep, over physics that go on."""

from __future__ import annotations

import numpy as np
import pytest

from gateway_sim.faults import FAULTS, Fault
from gateway_sim.simulated_plant import SimulatedPlant
from gateway_sim.sites import sample_sites

BY_ID = {fault.id: fault for fault in FAULTS}


def _rows(fault: Fault, seconds: int) -> tuple[list[dict[str, float]], list[dict[str, float]]]:
    """The same plant with and without the fault after a healthy minute."""
    site = sample_sites()[fault.plant]
    faulty, healthy = SimulatedPlant(site, 7), SimulatedPlant(site, 7)
    for _ in range(60):
        assert faulty.sample(1.0) == healthy.sample(1.0)
    return [faulty.sample(1.0, [fault]) for _ in range(seconds)], [healthy.sample(1.0) for _ in range(seconds)]


@pytest.mark.parametrize("name", ["stuck-sensor", "dead-sensor", "co-pinned", "transmitter-fault", "noise-lost"])
def test_an_instrument_fault_touches_its_own_points_only(name: str) -> None:
    fault = BY_ID[name]
    for shown, true in zip(*_rows(fault, 50), strict=True):
        assert {p: v for p, v in shown.items() if p not in fault.points} == {
            p: v for p, v in true.items() if p not in fault.points
        }


def test_a_stuck_instrument_repeats_itself_and_a_dead_one_is_missing() -> None:
    stuck, _ = _rows(BY_ID["stuck-sensor"], 20)
    assert len({row["TOP_P-01"] for row in stuck}) == 1
    dead, _ = _rows(BY_ID["dead-sensor"], 20)
    assert not [row for row in dead if "METAL_T-01" in row]


def test_faked_values_keep_just_below_the_limit_and_still_move() -> None:
    """A person reads 24; no limit of 24 is reached, and a test for stillness finds none."""
    shown = [row["CO-03"] for row in _rows(BY_ID["co-pinned"], 100)[0]]
    assert 23.7 < min(shown) < max(shown) < 24.0
    assert len(set(shown)) > 90


def test_a_transmitter_without_current_shows_a_quarter_of_its_span_below_zero() -> None:
    assert {row["TOP_T-01"] for row in _rows(BY_ID["transmitter-fault"], 20)[0]} == {0.0 - (600.0 - 0.0) * 4 / 16}


def test_a_smoothed_instrument_loses_its_noise_but_follows() -> None:
    shown, true = ([row["O2-01"] for row in rows] for rows in _rows(BY_ID["noise-lost"], 600))
    assert np.diff(shown).std() < 0.05 * np.diff(true).std()
    assert np.mean(shown) == pytest.approx(np.mean(true), abs=0.05)
    assert np.ptp(shown) > 0.02


def test_a_poisoned_sensor_says_less_while_its_neighbours_say_more() -> None:
    shown, true = _rows(BY_ID["co-neighbour"], 60)
    assert shown[-1]["CO-02"] < 3.0 < true[-1]["CO-02"]
    assert min(shown[-1]["CO-01"], shown[-1]["CO-05"]) > 11


def test_sparks_come_one_by_one() -> None:
    shown, _ = _rows(BY_ID["spark-burst"], 30)
    sparks = [second for second, row in enumerate(shown) if row["SPARK-01"] == 1.0]
    assert sparks == [0, 6, 12, 18, 24]


def test_a_slipping_belt_leaves_a_running_fan_without_air() -> None:
    shown, _ = _rows(BY_ID["fan-belt"], 20)
    assert shown[-1]["FAN-01"] == 1.0
    assert shown[-1]["DP-01"] < 60
    assert shown[-1]["DUCT_V-01"] < 5
