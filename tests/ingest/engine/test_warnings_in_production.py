"""A lost point weighs by whether its equipment is in production, and only a value to trust says that it is not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from ingest.domain.alarms.config import AlarmsConfig
from ingest.domain.alarms.display import display
from ingest.domain.cases.config import CasesConfig
from ingest.domain.model.equipment_state import EquipmentState, Running
from ingest.domain.model.flags import Flag
from ingest.domain.model.warning import Colour, Trait
from ingest.intake.wire.frame import QUALITIES
from ingest.runtime.case_automation import CaseAutomation
from ingest.storage.state.alarm_load import AlarmLoad
from ingest.storage.state.case_store import CaseStore
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


STOPPED = {"CO-02": 0.0}
TRUSTED = {0: True, 1: True, 2: False, 3: False, 4: False, 5: True, 6: True, 7: False}
"""By the code that a gateway sends, whether a value says anything of the machine."""
SIGNALS: dict[str, tuple[dict[str, float], int, bool]] = {
    **{f"quality {code}": (STOPPED, int(QUALITIES[code]), trusted) for code, trusted in TRUSTED.items()},
    "no value": ({"CO-02": np.nan}, Flag.NO_VALUE, False),
    "not a number": ({"CO-02": np.nan}, 0, False),
    "silent": ({}, 0, False),
    "out of range": (STOPPED, Flag.OUT_OF_RANGE, True),
    "loop current of a failure": ({"CO-02": -500.0}, 0, False),  # NE 43
    "clock": (STOPPED, Flag.CLOCK, True),
    "late": (STOPPED, Flag.LATE, False),
    "historical": (STOPPED, Flag.HISTORICAL, False),
    "check overdue": (STOPPED, Flag.FUNCTION_CHECK | Flag.CHECK_OVERDUE, True),
    "good, and it runs": ({"CO-02": 5.0}, 0, False),
}
"""What the run signal says after it said that the furnace stands, with which flags; whether it is known to stand."""


@pytest.mark.parametrize("signal", SIGNALS)
def test_what_says_nothing_of_a_machine_says_nowhere_that_it_stands(tmp_path: Path, signal: str) -> None:
    """Engine, warnings, display and automations give one answer, that of the view: stopped only by a value to trust.

    A furnace with gas in the air (an alarm of the process) whose mandatory point then falls silent.
    """
    bench = Bench(tmp_path, RUNS)
    bench.read({"CO-01": 30.0, "CO-02": 0.0})
    values, flags, stands = SIGNALS[signal]
    for _ in range(60):
        bench.wait(15)
        bench.read(values, flags)
    now, view = bench.clock.wall(), bench.engine.engine_state.view(bench.clock.wall())
    running = Running.NO if stands else Running.YES if signal == "good, and it runs" else Running.UNKNOWN
    state = view.state(PLANT, "BF-01")
    assert state == EquipmentState(running)
    facts = bench.engine.engine_state.warnings.by_plant[PLANT].facts.values()
    weighed = {fact.rule: Trait.IN_PRODUCTION in fact.traits for fact in facts if fact.point == "CO-01"}
    assert weighed == {"H": state.in_production, "SILENT": state.in_production}
    grounds = {(ground.rule, fact.point) for ground in bench.warnings()[0].inputs for fact in ground.facts}
    assert (("LOST", "CO-01") in grounds) is state.in_production
    gas = next(alarm for alarm in bench.engine.engine_state.alarms.values() if alarm.rule == "H")
    load, find = AlarmLoad(bench.alarms, AlarmsConfig(), lambda: bench.configuration.plants), bench.configuration.find
    raises, stopped = load.recent({PLANT}, now), view.stopped([PLANT])
    (shown,) = display([gas], find=find, stopped=stopped, raises=raises, config=load.config, now=now)
    assert (shown.cover is None) is state.in_production
    cases = CaseStore(bench.database)
    automation = CaseAutomation(
        cases, bench.alarms, bench.book, lambda: bench.configuration, lambda: view, lambda _: None, CasesConfig(),
        lambda: now,
    )  # fmt: skip
    asyncio.run(automation.run_once())
    dead = next(dead for dead in cases.dead_points() if dead.point == "CO-01")
    assert (dead.since is not None) is state.in_production
    bench.close()


def test_every_quality_of_the_protocol_is_asked() -> None:
    assert TRUSTED.keys() == QUALITIES.keys()


def test_a_machine_that_stands_does_not_begin_to_run_because_the_service_was_away(tmp_path: Path) -> None:
    """After a start the last word holds until its point is silent by its own measure; then nobody knows."""
    bench = Bench(tmp_path, RUNS)
    bench.read({"CO-01": 5.0, "CO-02": 0.0})
    for _ in range(60):
        bench.wait(15)
        bench.read({"CO-02": 0.0})
    assert bench.warnings()[0].colour is Colour.BLUE
    bench.wait(3600, engine_runs=False)
    bench.start()
    bench.wait(1)
    assert bench.warnings()[0].colour is Colour.BLUE
    for _ in range(4):
        bench.wait(15)
    assert bench.warnings()[0].colour is Colour.YELLOW
    bench.close()


def test_an_alarm_raised_in_the_cycle_in_which_its_machine_stops_counts_as_of_a_stopped_machine(tmp_path: Path) -> None:
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
