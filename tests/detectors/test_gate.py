"""What happens while a gate is closed does not count once it opens."""

from __future__ import annotations

import numpy as np
import pytest

from detectors import Bank, Readings
from tests.detectors.rule_tables import SECOND, specimen, table

START = 1_700_000_000 * SECOND
MACHINE, SENSOR = 1, 0


def found(kind: str, sensor: list[float], running: list[float]) -> list[tuple[bool, int]]:
    """Findings (tripped, second) of a rule on the sensor, judged while the machine runs; one reading a second each."""
    detector = Bank({kind: table([specimen(kind, 0, SENSOR, gate=(MACHINE, ">=", 1.0))])})
    n = len(sensor)
    point = np.tile(np.array([MACHINE, SENSOR], np.int32), n)
    time = np.repeat(START + np.arange(n) * SECOND, 2)
    value = np.array([running, sensor]).T.ravel()
    findings = detector.update(Readings(point, time, value, time, point), START)
    seconds = ((findings.time - START) // SECOND).tolist()
    return list(zip(findings.raised.tolist(), seconds, strict=True))


def test_a_sensor_that_stood_still_while_the_machine_stood_still_is_not_stuck_when_it_starts() -> None:
    idle, running = [7.0] * 20, [0.0] * 10 + [1.0] * 10
    assert found("stuck", idle, running) == [(True, 12)], "three seconds counted from the last closed reading"


def test_a_movement_through_a_closed_gate_is_no_change_that_is_judged() -> None:
    climbing = [float(s) for s in range(8)] + [8.0] * 8
    assert found("rate", climbing, [0.0] * 8 + [1.0] * 8) == []
    assert found("rate", climbing, [1.0] * 16)[0] == (True, 2)


@pytest.mark.parametrize("kind", ["limit", "bad", "range"])
def test_a_gate_that_closes_ends_what_it_guards(kind: str) -> None:
    wrong = [float("nan") if kind == "bad" else 9.0] * 6
    assert found(kind, wrong, [1.0] * 3 + [0.0] * 3) == [(True, 0), (False, 3)]


def test_nothing_is_judged_before_the_gates_point_was_seen() -> None:
    assert found("limit", [9.0] * 4, [float("nan")] * 2 + [1.0] * 2) == [(True, 2)]
