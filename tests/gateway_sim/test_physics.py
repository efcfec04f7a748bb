from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from benchmarks.judged_plant import evaluate_healthy, sample_configuration
from benchmarks.plants import is_ordinary
from gateway_sim.physics import PHYSICS
from gateway_sim.physics.aluminium import CAST_S, FIRST_S, IDLE_S, CastingShop, Phase, phase_at
from gateway_sim.physics.dust import DustCollectors, working_at
from gateway_sim.physics.signals import DAY_S, Channels, Noise, accumulate
from gateway_sim.physics.steel import SERVICE_CONTACT, SteelWorks
from gateway_sim.sites import sample_sites
from ingest.domain.model.device_status import DeviceStatus

PLANTS = tuple(sample_sites())


@pytest.mark.parametrize("plant", PLANTS)
def test_simulator_and_plant_file_name_the_same_points(plant: str) -> None:
    site = sample_sites()[plant]
    assert set(PHYSICS[site.kind](1).points) == site.points
    assert set(PHYSICS[site.kind](1).advance(1.0)) == site.points


@pytest.mark.parametrize("plant", PLANTS)
def test_sample_plant_loads_and_every_rule_of_it_is_judged(plant: str) -> None:
    """Nothing is silently left out: the works count no people, and two places have one head only."""
    known = sample_configuration().plants[plant]
    lacking = {f"{point.id} {what}" for point in known.points for what in point.not_evaluated}
    people = {f"CO-0{head} PEOPLE: needs a point of STL_PERSON_GATHER" for head in range(1, 6)}
    alone = {"CO-03 SPREAD: needs another STL_CO on GH-01", "CO-04 SPREAD: needs another STL_CO on BF-01"}
    assert lacking == (people | alone if plant == "demo-steel" else set())
    assert {gateway.id for gateway in known.gateways} == set(sample_sites()[plant].gateways)


@pytest.mark.parametrize("plant", PLANTS)
def test_hours_of_healthy_running_raise_no_alarm(plant: str) -> None:
    """Longer than a whole casting cycle and past a break between shifts: end, idle time and next start are healthy."""
    verdicts = [verdict for minute in evaluate_healthy(plant, 15_000, [1, 2]) for verdict in minute]
    assert [verdict for verdict in verdicts if not is_ordinary(verdict)] == []


@pytest.mark.parametrize("kind", PHYSICS)
def test_a_block_is_its_samples_one_by_one(kind: str) -> None:
    at_once, stepped = PHYSICS[kind](3), PHYSICS[kind](3)
    for steps in (1, 7, 300):
        block = at_once.run(steps, 1.0)
        assert block == pytest.approx(np.array([list(stepped.advance(1.0).values()) for _ in range(steps)]), abs=2e-4)


@pytest.mark.parametrize("steps", [1, 2, 5, 64, 100])
def test_accumulating_in_passes_is_accumulating_step_by_step(steps: int) -> None:
    keep, pushes = np.array([0.0, 0.5, 0.99]), np.random.default_rng(1).normal(size=(steps, 3))
    plain = pushes.copy()
    for step in range(1, steps):
        plain[step] += keep * plain[step - 1]
    accumulate(pushes, keep)
    assert pushes == pytest.approx(plain)


def test_a_channel_has_its_noise_its_wandering_and_rare_spikes() -> None:
    channels = Channels({"a": Noise(1.0, low=-1e9), "b": Noise(0.0, 2.0, 10.0, low=-1e9)}, np.random.default_rng(1))
    shown = channels.measure(np.zeros((200_000, 2)), 1.0)
    assert np.median(np.abs(shown[:, 0])) == pytest.approx(0.674, abs=0.01)
    assert 4 <= (np.abs(shown[:, 0]) > 5.5).sum() <= 25
    assert shown[:, 1].std() == pytest.approx(2.0, rel=0.1)
    assert np.corrcoef(shown[:-10, 1], shown[10:, 1])[0, 1] == pytest.approx(np.exp(-1), abs=0.05)


@pytest.mark.parametrize("plant", PLANTS)
def test_healthy_values_stay_within_the_instrument_range(plant: str) -> None:
    physics = PHYSICS[sample_sites()[plant].kind](5)
    rows = [physics.advance(2.0) for _ in range(3600)]
    for point in sample_configuration().plants[plant].points:
        if point.gateway and not point.is_device:  # what people's records drive no gateway sends
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
        assert row["CW_OUT_T-01"] == pytest.approx(row["CW_IN_T-01"] + 8.0, abs=2.5)
        assert row["CW_IN_F-01"] / 180.0 == pytest.approx(np.sqrt(row["CW_IN_P-01"] / 0.35), abs=0.05)
    lost = [shop.advance(1.0, {"cooling-water-lost"}) for _ in range(15)]
    assert 40 < lost[-1]["CW_OUT_T-01"] < 50, "the emergency tank keeps it from boiling"
    assert lost[-1]["CW_IN_P-01"] < 0.08


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


def test_dust_is_made_in_shifts_and_the_fans_outlast_the_work() -> None:
    """At noon the lines stop, then the fans, and with them all air; after the break everything is as before."""
    collectors = DustCollectors(3)
    rows = [collectors.advance(1.0) for _ in range(5 * 3600)]
    noon = 3 * 3600
    assert working_at(noon - 2.0)
    assert not working_at(noon)
    assert [rows[noon + 60][point] for point in ("PROC-01", "FAN-01")] == [0.0, 1.0]
    assert rows[noon + 60]["DP-01"] > 500
    standing = rows[noon + 1200]
    assert standing["FAN-01"] == 0.0
    assert standing["DP-01"] < 60
    assert standing["DUCT_V-01"] < 2
    assert rows[-1]["FAN-01"] == rows[-1]["PROC-01"] == 1.0
    assert rows[-1]["DP-01"] > 500
    assert not [row for row in rows if row["PROC-01"] == 1.0 and row["FAN-01"] == 0.0], "no work without air"


def test_nights_are_colder_than_days() -> None:
    works = SteelWorks(3)
    hourly = works.run(24 * 60, 60.0)[:, works.points.index("CW_OUT_T-01")].reshape(24, 60).mean(axis=1)
    before_dawn, afternoon = hourly[17:21].mean(), hourly[5:9].mean()  # from nine in the morning
    assert 2.0 < afternoon - before_dawn < 5.0
    assert DAY_S == 24 * 60 * 60


def test_the_furnace_hour_shows_in_the_cooling_water() -> None:
    works = SteelWorks(3)
    rise = works.run(9000, 1.0)[:, works.points.index("CW_DT-01")]
    assert np.median(rise[1500:2300]) == pytest.approx(9.7, abs=0.3)
    assert np.median(rise[2800:3000]) < 6.0


def test_a_head_of_the_works_asks_for_maintenance_by_its_contact() -> None:
    """Soon after the start, so that a newcomer sees it, and for good: nobody comes."""
    works = SteelWorks(1)
    assert works.advance(1.0)[SERVICE_CONTACT] == 0
    later = works.run(3600, 1.0)[:, works.points.index(SERVICE_CONTACT)]
    assert later.min() == 0
    assert (later[30:] == 1).all()
    (head,) = (
        found for found in sample_configuration().instruments["demo-steel"] if SERVICE_CONTACT in found.contact_points
    )
    assert (head.points, [*head.contacts]) == (("CO-03",), [DeviceStatus.MAINTENANCE_REQUIRED])
