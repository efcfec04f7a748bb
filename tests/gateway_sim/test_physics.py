from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from gateway_sim.physics import PHYSICS
from gateway_sim.physics.aluminium import CAST_S, FIRST_S, IDLE_S, WATER_IN_T, CastingShop, Phase, phase_at
from gateway_sim.sites import sample_sites
from tests.gateway_sim.judge import judged, sample_roster

PLANTS = tuple(sample_sites())


@pytest.mark.parametrize("plant", PLANTS)
def test_simulator_and_plant_file_name_the_same_points(plant: str) -> None:
    site = sample_sites()[plant]
    assert set(PHYSICS[site.kind](1).points) == site.points
    assert set(PHYSICS[site.kind](1).advance(1.0)) == site.points


@pytest.mark.parametrize("plant", PLANTS)
def test_sample_plant_loads_and_every_rule_of_it_is_judged(plant: str) -> None:
    """Nothing in a demonstration is silently left unjudged."""
    known = sample_roster().plants[plant]
    assert [point.unjudged for point in known.points if point.unjudged] == []
    assert {gateway.id for gateway in known.gateways} == set(sample_sites()[plant].gateways)


@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize("seed", [1, 2])
def test_hours_of_healthy_running_raise_no_alarm(plant: str, seed: int) -> None:
    """Longer than a whole casting cycle: its end, idle time and next start-up are healthy too."""
    assert judged(plant, 9000, seed) == []


@pytest.mark.parametrize("plant", PLANTS)
def test_healthy_values_stay_within_the_instrument_range(plant: str) -> None:
    physics = PHYSICS[sample_sites()[plant].kind](5)
    rows = [physics.advance(2.0) for _ in range(3600)]
    for point in sample_roster().plants[plant].points:
        if not point.is_device:
            values = [row[point.id] for row in rows]
            assert point.low <= min(values) <= max(values) <= point.high, point.id


@pytest.mark.parametrize("kind", PHYSICS)
def test_same_seed_gives_the_same_plant(kind: str) -> None:
    first, second, other = (PHYSICS[kind](seed) for seed in (4, 4, 5))
    ours = [first.advance(1.0) for _ in range(300)]
    assert ours == [second.advance(1.0) for _ in range(300)]
    assert ours != [other.advance(1.0) for _ in range(300)]


@pytest.mark.parametrize("kind", PHYSICS)
@pytest.mark.parametrize("dt_s", [0.05, 10.0])
def test_any_step_is_stable(kind: str, dt_s: float) -> None:
    """Sampling faster or slower does not make a plant run away."""
    coarse, fine = PHYSICS[kind](1), PHYSICS[kind](1)
    mean = {
        point: np.mean([row[point] for row in rows])
        for rows in [[coarse.advance(dt_s) for _ in range(300)]]
        for point in coarse.points
        if point != "CAST_LEN-01"
    }
    reference = [fine.advance(1.0) for _ in range(300)]
    for point, value in mean.items():
        assert value == pytest.approx(np.mean([row[point] for row in reference]), rel=0.25, abs=2.0), point


def test_a_cast_goes_through_its_phases_in_order() -> None:
    cycle = [phase_at(float(second)) for second in range(int(CAST_S + IDLE_S))]
    changes = [now for before, now in pairwise(cycle) if before is not now]
    assert cycle[0] is Phase.STEADY
    assert changes == [Phase.END, Phase.IDLE, Phase.STARTUP, Phase.STEADY]


def test_outlet_water_is_inlet_water_plus_heat_over_flow() -> None:
    """Temperature, flow and pressure are one physics, not three noises."""
    shop = CastingShop(3)
    steady = [shop.advance(1.0) for _ in range(600)]
    for row in steady[60:]:
        assert row["CW_OUT_T-01"] == pytest.approx(WATER_IN_T + 8.0, abs=2.5)
        assert row["CW_IN_F-01"] / 180.0 == pytest.approx(np.sqrt(row["CW_IN_P-01"] / 0.35), abs=0.05)
    lost = [shop.advance(1.0, {"cooling-water-lost"}) for _ in range(15)]
    assert lost[-1]["CW_OUT_T-01"] > 60
    assert lost[-1]["CW_IN_P-01"] < 0.05


def test_cast_length_is_what_the_platform_moved() -> None:
    shop = CastingShop(3)
    rows = [shop.advance(1.0) for _ in range(1000)]
    assert rows[-1]["CAST_LEN-01"] == pytest.approx(FIRST_S + sum(row["CAST_SPEED-01"] for row in rows) / 60, abs=1)


def test_between_casts_the_launders_are_empty_and_the_platform_stands() -> None:
    shop = CastingShop(3)
    rows = [shop.advance(1.0) for _ in range(int(CAST_S - FIRST_S) + 300)]
    assert rows[-1]["CAST_LEN-01"] == rows[-1]["CAST_SPEED-01"] == 0
    assert max(rows[-1]["LVL_FURN-01"], rows[-1]["LVL_MOLD-01"]) < 10
    assert rows[-1]["CW_IN_P-01"] < 0.2, "the water is throttled"
