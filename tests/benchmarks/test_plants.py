"""The benchmark of the sample plants runs and prints what it promises; what it measures is not asserted."""

from __future__ import annotations

import json

from benchmarks.judged_plant import copied_configuration, sample_configuration
from benchmarks.plants import measure
from gateway_sim.faults import FAULTS


def test_the_plants_benchmark_gives_every_figure() -> None:
    figures = measure(seeds=1, days=0.005, lead_s=30)
    assert json.loads(json.dumps(figures)) == figures
    assert figures["points"] == 49
    assert figures["days"] == 0.005
    assert figures["step_s"] == 1.0
    assert set(figures["faults"]) == {fault.id for fault in FAULTS}
    for fault in figures["faults"].values():
        assert (fault["status"] == "missing rule") == (fault["missing_rules"] == fault["rules"])
        assert 0 <= fault["recall"] <= 1
        assert (fault["median_delay_s"] is None) == (fault["recall"] == 0)
    for judged in (figures, figures["plain_limit"], figures["always_alarm"]):
        assert 0 <= judged["event_recall"] <= 1
        assert judged["false_alarms_per_100_points_day"] >= 0
    assert "forecast_lead_s" in figures


def test_copies_are_judged_by_the_rules_of_the_plant_they_copy() -> None:
    copies, plant = copied_configuration("demo-steel", 3), sample_configuration().plants["demo-steel"]
    assert len(copies.enterprises()) == 3
    for copy in copies.enterprises():
        assert [(p.id, [rule.code for rule in p.rules]) for p in copy.points] == [
            (p.id, [rule.code for rule in p.rules]) for p in plant.points
        ]
