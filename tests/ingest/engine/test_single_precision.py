"""A controller with single precision has alarms at the limits people wrote, and its file is reported as doubtful."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ingest.domain.alarms.report import alarm_fields
from ingest.domain.model.alarm import AlarmEventKind
from ingest.domain.model.flags import Flag
from ingest.engine.late_data import SETTLE_AFTER
from tests.ingest.engine.test_historical import SECOND, Bench
from tests.small_plant import TEXT

LIMIT = 24.3
SENT = float(np.float32(LIMIT))
"""24.299999237: what a controller makes of the limit."""


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path, TEXT.replace("on = 24\noff = 20", f"on = {LIMIT}\noff = 20.1"))
    made.take([(1000, 5)], at=1000)
    return made


def test_a_live_alarm_is_raised_at_its_limit_and_ended_at_its_end_as_people_see_them(bench: Bench) -> None:
    assert SENT < LIMIT
    assert float(np.float32(20.1)) > 20.1
    (raised,) = bench.take([(1001, SENT)], at=1001)
    assert raised.kind is AlarmEventKind.RAISED
    assert alarm_fields(raised.alarm)["value"] == LIMIT, "the value told is not below the limit told"
    (back,) = bench.take([(1002, float(np.float32(20.1)))], at=1002)
    assert back.kind is AlarmEventKind.RETURNED


def test_an_excursion_known_only_from_late_readings_begins_at_the_same_value(bench: Bench) -> None:
    bench.take([(900, SENT), (901, np.nextafter(24.29, 25))], at=1001, flags=Flag.HISTORICAL | Flag.LATE)
    (recorded,) = bench.wait(1002 + SETTLE_AFTER / SECOND)
    assert recorded.kind is AlarmEventKind.RECORDED
    assert recorded.alarm.value == LIMIT
    assert recorded.alarm.returned == recorded.alarm.onset, "24.29 is not at the limit"


def test_a_reading_at_the_end_of_its_instruments_range_is_in_range(tmp_path: Path) -> None:
    bench = Bench(tmp_path, TEXT.replace('id = "CO-01"', 'id = "CO-01"\nrange = [0, 16.1]', 1))
    end = float(np.float32(16.1))
    assert end > 16.1
    bench.take([(1000, end)], at=1000)
    assert bench.cycle is not None
    assert bench.cycle.batch.flags.tolist() == [0]
    bench.take([(1001, 16.2)], at=1001)
    assert bench.cycle.batch.flags.tolist() == [Flag.OUT_OF_RANGE]
