"""Every accident that is replayed names rules its plant has, and the benchmark gives every figure it promises."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks.accidents import Run, measure, measured_by, replay, write_plot
from gateway_sim.accidents import ACCIDENTS, PLANTS, Accident
from gateway_sim.physics.aluminium import MOULD_LEVEL
from ingest.plants.load import load_configuration
from ingest.plants.numbering import MemoryNumbering

every_accident = pytest.mark.parametrize("accident", ACCIDENTS.values(), ids=ACCIDENTS)
QUICK = 0, 1, 2
"""Seeds of gateways that sample every 1, 2 and 5 s."""


@every_accident
def test_the_rules_an_accident_names_judge_the_points_it_names(accident: Accident) -> None:
    configuration = load_configuration(PLANTS, MemoryNumbering(), 1)
    rules = {point.id: {rule.code for rule in point.rules} for point in configuration.plants[accident.plant].points}
    assert accident.says
    for point, codes in accident.says.items():
        assert set(codes) <= rules[point]


@every_accident
def test_a_replay_runs_from_health_over_the_accident_to_where_nothing_helps(accident: Accident) -> None:
    assert 0 < accident.begins_s < accident.no_return_s <= accident.ends_s
    assert [moment.at_s for moment in accident.course] == sorted(moment.at_s for moment in accident.course)
    assert all(accident.begins_s <= moment.at_s <= accident.ends_s for moment in accident.course)
    first, again, other = (accident.physics(seed).run(30, 1.0) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


@every_accident
def test_the_accident_is_detected_in_time(accident: Accident) -> None:
    """A minute ahead where the physics leaves one; sampled every 5 s or faster, within what the accident asks for."""
    once = replay(accident, [Run(seed) for seed in range(4)])
    found = [at for at in once.first_s(once.says) if at is not None]
    assert len(found) == 4
    assert max(found[seed] for seed in QUICK) - accident.begins_s <= (accident.needed_s or accident.most_lead_s)
    assert accident.no_return_s - max(found) >= (60.0 if accident.physical_lead else 0.0)


@pytest.mark.parametrize(("name", "band", "codes"), [("", 0.1, ("LL",)), ("-steady", 0.05, ("L", "LL", "RATE"))])
def test_the_level_alone_says_so_within_15_s_of_leaving_its_band(
    name: str, band: float, codes: tuple[str, ...]
) -> None:
    accident = ACCIDENTS[f"qingyuan-2022{name}"]
    column = accident.physics(0).points.index("LVL_MOLD-01")
    once = replay(accident, [Run(seed) for seed in QUICK])
    detected_s = once.first_s(lambda alarm: alarm.point == "LVL_MOLD-01" and alarm.code in codes)
    for seed, at in zip(QUICK, detected_s, strict=True):
        level = measured_by(accident, seed, int(accident.no_return_s))[:, column]
        leaves = next(s for s in range(int(accident.begins_s), len(level)) if level[s] < MOULD_LEVEL * (1 - band))
        assert at is not None
        assert at <= leaves + 15


def test_the_next_pit_is_asked_to_evacuate_and_its_own_leak_is_not_taken_for_its_neighbours() -> None:
    accident = ACCIDENTS["qingyuan-2022"]
    once = replay(accident, [Run(seed) for seed in QUICK])
    for alarms in once.alarms:
        assert {alarm.point for alarm in alarms if alarm.code == "NEXT"} == {"LEAK-02"}


def test_the_benchmark_gives_every_figure() -> None:
    accident = ACCIDENTS["haian-2024"]
    found = measure([accident], seeds=1, healthy=0)[accident.id]
    assert json.loads(json.dumps(found)) == found
    for share in ("detected", "one_missing", "one_stuck", "plain_limits"):
        assert 0 <= found[share] <= 1
    assert found["detected"] == 0 or found["lead_worst_s"] <= found["most_lead_s"]


@every_accident
def test_a_picture_names_the_alarm_and_the_point_of_no_return(accident: Accident, tmp_path: Path) -> None:
    write_plot(accident, tmp_path)
    text = "".join(ET.parse(tmp_path / f"{accident.id}.svg").getroot().itertext())  # noqa: S314  our own picture
    for expected in ("无法挽回 · point of no return", "报警 · alarm", accident.name.zh, accident.name.en):
        assert expected in text
