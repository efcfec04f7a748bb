"""An accident is played by the fleet from shortly before it begins, with a label of the time when it is too late."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway_sim.accidents import ACCIDENTS, Accident
from gateway_sim.accidents.performance import HEALTHY_S, performance
from gateway_sim.fleet import Fleet, Run
from gateway_sim.gateway import Link
from ingest.demo.summary import Label, read_labels
from tests.ingest.storage.history.made_up import alarm_event

S = 1_000_000_000


@pytest.mark.parametrize("accident", ACCIDENTS.values(), ids=ACCIDENTS)
def test_the_plant_is_healthy_shortly_before_the_accident_and_has_all_its_points(accident: Accident) -> None:
    played = performance(accident, 1)
    assert played.slot.start_s == min(HEALTHY_S, accident.begins_s)
    assert played.no_return_s - played.slot.start_s == accident.no_return_s - accident.begins_s
    assert set(played.plant.sample(1.0)) == played.plant.site.points
    assert set(played.slot.fault.points) <= played.plant.site.points


def test_the_fleet_plays_it_by_its_plant_alone_and_labels_it(tmp_path: Path) -> None:
    labels = tmp_path / "faults.jsonl"
    fleet = Fleet(Link("127.0.0.1", 1), Run(accident="haian-2024", labels=labels))
    assert [*fleet.plants] == ["casting-hydraulic"]
    fleet._inject_faults(HEALTHY_S - 1, 0)
    assert not labels.exists()
    fleet._inject_faults(HEALTHY_S, 0)
    accident = ACCIDENTS["haian-2024"]
    (label,) = read_labels(labels)
    assert (label.plant, label.fault) == ("casting-hydraulic", "haian-2024")
    assert label.no_return == label.start + (accident.no_return_s - accident.begins_s) * S
    assert json.loads(labels.read_text(encoding="utf-8"))["name"] == accident.name.zh


@pytest.mark.parametrize(("at", "delay"), [(S, 1.0), (60 * S, 60.0), (61 * S, None)])
def test_an_alarm_after_the_point_of_no_return_detects_nothing(at: int, delay: float | None) -> None:
    raised = alarm_event(1, at=at)
    alarm = raised.alarm
    label = Label(
        alarm.plant, "haian-2024", frozenset({alarm.point}), frozenset({alarm.rule}), 0, 90 * S, no_return=60 * S
    )
    assert label.detection_delay([raised]) == delay
