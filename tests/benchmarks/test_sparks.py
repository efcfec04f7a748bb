"""What an ordinary spark costs: one alarm, and none when the next shift begins."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest

from benchmarks.accidents import stay_healthy
from benchmarks.sparks import ACCIDENT, TRIPS, measure, plants_with
from gateway_sim.accidents.grinding import GrindingHall

EVENING = replace(ACCIDENT, healthy_s=11.5 * 3600.0)
"""From nine in the morning over the end of the first shift to the second one."""
SEED = 7
"""Of a hall whose sparks of that day came hours before the shift ended."""


@pytest.mark.parametrize(("trips", "false"), [("stop-300", 0), ("any", 2)])
def test_the_next_shift_begins_without_an_alarm_where_a_single_spark_is_no_trip(trips: str, false: int) -> None:
    with plants_with(TRIPS[trips]) as folder:
        alarms, _ = stay_healthy(EVENING, [GrindingHall(SEED, 3.0)], lambda _: None, folder)
    codes = Counter(alarm.code for alarm in alarms)
    assert codes.pop("ON") >= 1
    assert codes == ({"RESTART": false} if false else {})


def test_the_benchmark_gives_every_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.sparks.ACCIDENT", replace(ACCIDENT, healthy_s=600.0))
    monkeypatch.setattr("benchmarks.sparks.MISSING", ("IN_T-01",))
    found = measure([3.0], 1, 7, ["any"], accidents=2)
    assert json.loads(json.dumps(found)) == found
    row = found["any"]
    assert 0 <= row["seen_one_missing"] <= 1
    assert 0 <= row["seen"] <= 1
    assert row["rates"]["3"]["restarts_a_day"] >= 0
