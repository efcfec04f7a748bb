"""Every accident that is replayed names rules its plant has, and the benchmark gives every figure it promises."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks.accidents import measure, write_plot
from gateway_sim.accidents import ACCIDENTS, PLANTS, Accident
from ingest.plants.load import load_configuration
from ingest.plants.numbering import MemoryNumbering

pytestmark = pytest.mark.parametrize("accident", ACCIDENTS.values(), ids=ACCIDENTS)


def test_the_rules_an_accident_names_judge_the_points_it_names(accident: Accident) -> None:
    configuration = load_configuration(PLANTS, MemoryNumbering(), 1)
    rules = {point.id: {rule.code for rule in point.rules} for point in configuration.plants[accident.plant].points}
    assert accident.says
    for point, codes in accident.says.items():
        assert set(codes) <= rules[point]


def test_a_replay_runs_from_health_over_the_accident_to_where_nothing_helps(accident: Accident) -> None:
    assert 0 < accident.begins_s < accident.no_return_s <= accident.ends_s
    assert [moment.at_s for moment in accident.course] == sorted(moment.at_s for moment in accident.course)
    assert all(accident.begins_s <= moment.at_s <= accident.ends_s for moment in accident.course)
    first, again, other = (accident.physics(seed).run(30, 1.0) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_the_benchmark_gives_every_figure_and_a_picture(accident: Accident, tmp_path: Path) -> None:
    found = measure([accident], seeds=1, healthy=0)[accident.id]
    assert json.loads(json.dumps(found)) == found
    for share in ("detected", "one_missing", "one_stuck", "plain_limits"):
        assert 0 <= found[share] <= 1
    assert found["detected"] == 0 or found["lead_worst_s"] <= found["most_lead_s"]
    write_plot(accident, tmp_path)
    assert "point of no return" in "".join(ET.parse(tmp_path / f"{accident.id}.svg").getroot().itertext())  # noqa: S314
