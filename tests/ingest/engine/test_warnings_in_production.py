"""A lost point weighs by whether its equipment is in production, and only a value to trust says that it is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ingest.domain.model.flags import Flag
from ingest.domain.model.warning import Colour, Trait
from tests.ingest.engine.warned import CALM, QUIET, Bench
from tests.small_plant import PLANT

RUNS = QUIET.replace(
    "[[points]]",
    """[[equipment]]
id = "BF-01"
name = "1号高炉"
name_en = "Furnace 1"
running = "CO-02 >= 3"

[[points]]""",
    1,
).replace('gateway = "GW-01"\n', 'gateway = "GW-01"\nequipment = "BF-01"\n', 1)


def test_a_lost_mandatory_point_counts_while_its_equipment_runs(tmp_path: Path) -> None:
    """Silent for 10 min: yellow in production, blue while the furnace stands; the change is seen without an alarm."""
    bench = Bench(tmp_path, RUNS)
    for _ in range(3):
        bench.read(CALM)
    for _ in range(60):
        bench.wait(15)
        bench.read({"CO-02": 5.0})
    assert bench.warnings()[0].colour is Colour.YELLOW
    assert "LOST" in {ground.rule for ground in bench.warnings()[0].inputs}
    for _ in range(45):
        bench.wait(15)
        bench.read({"CO-02": 0.0})
    assert bench.warnings()[0].colour is Colour.BLUE
    bench.close()


SIGNALS: dict[str, tuple[dict[str, float], int]] = {
    "stands": ({"CO-02": 0.0}, 0),
    "bad": ({"CO-02": 0.0}, Flag.BAD),
    "no value": ({"CO-02": np.nan}, Flag.NO_VALUE),
    "silent": ({}, 0),
}
"""What the furnace's run signal says, after it said that it stands."""


@pytest.mark.parametrize("signal", SIGNALS)
def test_what_says_nothing_of_a_machine_says_nowhere_that_it_stands(tmp_path: Path, signal: str) -> None:
    """Engine, warnings, display and casework give one answer: stopped only by a value to trust."""
    bench = Bench(tmp_path, RUNS)
    bench.read({"CO-01": 5.0, "CO-02": 0.0})
    values, flags = SIGNALS[signal]
    for _ in range(60):
        bench.wait(15)
        bench.read(values, flags)
    stands = signal == "stands"
    view = bench.engine.engine_state.view(bench.clock.wall())
    point = bench.configuration.find(PLANT, "CO-01")
    assert point is not None
    assert view.state_of(point).in_production is not stands  # casework asks so
    assert view.stopped([PLANT]) == ({(PLANT, "BF-01"): "CO-02"} if stands else {})  # and the display
    facts = {fact.point: fact for fact in bench.engine.engine_state.warnings.by_plant[PLANT].facts.values()}
    assert (Trait.IN_PRODUCTION in facts["CO-01"].traits) is not stands
    assert bench.warnings()[0].colour is (Colour.BLUE if stands else Colour.YELLOW)
    bench.close()


def test_a_machine_that_stands_does_not_begin_to_run_because_the_service_was_away(tmp_path: Path) -> None:
    """After a start the last word holds until its point is silent by its own measure; then nobody knows."""
    bench = Bench(tmp_path, RUNS)
    bench.read({"CO-01": 5.0, "CO-02": 0.0})
    for _ in range(60):
        bench.wait(15)
        bench.read({"CO-02": 0.0})
    assert bench.warnings()[0].colour is Colour.BLUE
    bench.wait(3600, look=False)
    bench.start()
    bench.wait(1)
    assert bench.warnings()[0].colour is Colour.BLUE
    for _ in range(4):
        bench.wait(15)
    assert bench.warnings()[0].colour is Colour.YELLOW
    bench.close()


def test_an_alarm_raised_in_the_turn_in_which_its_machine_stops_belongs_to_one_that_stands(tmp_path: Path) -> None:
    bench = Bench(tmp_path, RUNS)
    bench.read(CALM)
    bench.read({"CO-01": 30.0, "CO-02": 5.0})
    bench.read({"CO-01": 170.0, "CO-02": 0.0})
    facts = bench.engine.engine_state.warnings.by_plant[PLANT].facts.values()
    assert {(fact.rule, Trait.IN_PRODUCTION in fact.traits) for fact in facts if fact.point == "CO-01"} == {
        ("H", False),
        ("HH", False),
    }
    bench.close()
