"""What a reading is worth is one answer: to limits, to rules on signals, to what is shown, reported, called dead."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from ingest.domain.alarms.report import readings_body
from ingest.domain.cases.dead_points import dead_now
from ingest.domain.model.device_status import DeviceStatus
from ingest.domain.model.flags import Flag
from ingest.intake.wire.frame import QUALITIES
from tests.ingest.engine.test_function_check import GAS, PLAIN, START, Head
from tests.small_plant import PLANT


@dataclass(frozen=True)
class Worth:
    """What a quality means: is the value judged, does BAD say so, and which status is shown."""

    judged: bool
    bad: bool
    status: DeviceStatus


WORTH = {
    0: Worth(True, False, DeviceStatus.GOOD),
    1: Worth(True, False, DeviceStatus.OUT_OF_SPECIFICATION),
    2: Worth(False, True, DeviceStatus.FAILURE),
    3: Worth(False, True, DeviceStatus.FAILURE),
    4: Worth(False, False, DeviceStatus.FUNCTION_CHECK),
    5: Worth(True, False, DeviceStatus.OUT_OF_SPECIFICATION),
    6: Worth(True, False, DeviceStatus.MAINTENANCE_REQUIRED),
    7: Worth(False, True, DeviceStatus.FAILURE),
}
"""By the code that a gateway sends."""


def test_every_code_of_the_protocol_is_asked() -> None:
    assert WORTH.keys() == QUALITIES.keys()


@pytest.mark.parametrize("code", WORTH)
def test_each_quality_means_the_same_to_everybody(tmp_path: Path, code: int) -> None:
    """Engine, view, report to the province and automations."""
    head, worth, flags = Head(tmp_path, PLAIN), WORTH[code], int(QUALITIES[code])
    head.seconds(0, 5, 5.0)
    raised = {rule for event, rule in head.seconds(5, 60, GAS, flags) if event == "raised"}
    assert ("H" in raised) is worth.judged
    assert ("BAD" in raised) is worth.bad
    point = head.configuration.find(PLANT, "CO-01")
    assert point is not None
    now = START + int(head.now * 10**9)
    latest = head.engine_state.latest(point.index, now)
    assert latest.status is worth.status
    assert latest.trusted == (GAS if worth.judged else None)
    row = (point, latest.time, GAS, int(head.engine_state.flags[point.index]))
    (reading,) = readings_body(head.configuration.plants[PLANT], now, [row])["readings"]
    assert (reading["valid"], reading["status"]) == (worth.judged, worth.status)
    dead = dead_now([point], head.engine_state.alarms.values())
    assert bool(dead) is (worth.bad and point.mandatory)


@pytest.mark.parametrize("flags", [0, int(Flag.FUNCTION_CHECK), int(Flag.BAD)])
def test_what_is_stale_has_no_status_whatever_it_last_was(tmp_path: Path, flags: int) -> None:
    head = Head(tmp_path, PLAIN)
    head.seconds(0, 5, 5.0, flags)
    head.now = 3600
    assert head.status() is None
