"""A loop current that signals failure is no measurement: rules on instruments tell of it, limits do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.domain.model.alarm import AlarmEventKind
from ingest.domain.model.flags import Flag
from tests.ingest.engine.test_historical import Bench
from tests.small_plant import TEXT

RANGED = TEXT.replace('id = "CO-01"', 'id = "CO-01"\nrange = [0, 160]', 1)
"""10 ppm a mA above 4 mA; its limits are 24 and 160."""
HIGH = {"20.4 mA": 164.0, "20.8 mA": 168.0}
FAILING = {"21 mA": 170.0, "21.6 mA": 176.0, "open loop, 0 mA": -40.0, "3.6 mA": -4.0}
SECONDS = 20
"""Longer than every delay."""


def changes(bench: Bench, value: float, start: int, kind: AlarmEventKind, flags: int = 0) -> set[str]:
    """Take a value each second; return the rules whose alarms changed so."""
    found = set[str]()
    for at in range(start, start + SECONDS):
        bench.take([(at, value)], at=at, flags=flags)
        found |= {event.alarm.rule for event in bench.cycle.events if event.kind is kind}
    return found


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path, RANGED)
    made.take([(1000, 5)], at=1000)
    return made


@pytest.mark.parametrize("value", FAILING.values(), ids=FAILING)
def test_a_failing_loop_trips_no_limit_of_the_process(bench: Bench, value: float) -> None:
    """RANGE finds every failure, CURRENT those beyond 3 and 21 mA, BAD none: there is a reading."""
    codes = changes(bench, value, 1001, AlarmEventKind.RAISED)
    assert codes == ({"RANGE"} if value == FAILING["3.6 mA"] else {"RANGE", "CURRENT"})
    assert bench.cycle.batch.flags.tolist() == [Flag.OUT_OF_RANGE | Flag.FAILURE]


def test_a_failure_among_good_readings_of_one_batch_trips_no_limit(bench: Bench) -> None:
    assert bench.take([(1001, 5), (1002, 176), (1003, 176), (1004, 5)], at=1004) == []


@pytest.mark.parametrize("value", HIGH.values(), ids=HIGH)
def test_a_value_below_the_failure_band_is_a_measurement(bench: Bench, value: float) -> None:
    assert changes(bench, value, 1001, AlarmEventKind.RAISED) == {"H", "HH", "RANGE"}


@pytest.mark.parametrize("value", FAILING.values(), ids=FAILING)
def test_an_alarm_of_the_process_goes_on_while_the_loop_fails(bench: Bench, value: float) -> None:
    """The other order: danger first, then the instrument dies of it. Nothing says that the danger has gone."""
    assert "H" in changes(bench, 150.0, 1001, AlarmEventKind.RAISED)
    assert "H" not in changes(bench, value, 1030, AlarmEventKind.RETURNED)
    assert {"H", "RANGE"} <= changes(bench, 5.0, 1060, AlarmEventKind.RETURNED)


def test_without_a_rule_on_the_loop_every_value_is_a_measurement(tmp_path: Path) -> None:
    """An instrument on a bus has no loop current: its plant file disables CURRENT."""
    bench = Bench(tmp_path, RANGED.replace('disabled_rules = ["STUCK"]', 'disabled_rules = ["STUCK", "CURRENT"]', 1))
    bench.take([(1000, 5)], at=1000)
    assert {"H", "HH"} <= changes(bench, 176.0, 1001, AlarmEventKind.RAISED)


def test_what_the_gateway_calls_bad_is_bad_whatever_it_shows(bench: Bench) -> None:
    assert changes(bench, 176.0, 1001, AlarmEventKind.RAISED, Flag.BAD) == {"BAD"}


def test_a_rule_on_the_current_of_an_expression_makes_no_loop_of_its_point(tmp_path: Path) -> None:
    of = '[points.rules.CURRENT]\nof = "{CO-01} * 2"\n[points.rules.H]'
    bench = Bench(tmp_path, RANGED.replace("[points.rules.H]", of, 1))
    bench.take([(1000, 5)], at=1000)
    assert {"H", "HH"} <= changes(bench, 176.0, 1001, AlarmEventKind.RAISED)
