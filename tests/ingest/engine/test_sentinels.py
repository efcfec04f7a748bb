"""A sentinel reading says what state a channel is in: no limit sees it, it is kept, and its point counts as bad."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ingest.domain.model.alarm import AlarmEventKind
from ingest.domain.model.batch import Batch
from ingest.domain.model.flags import Flag
from tests.ingest.engine.test_historical import START, Bench
from tests.ingest.engine.test_instrument_failure import changes
from tests.small_plant import PLANT, TEXT

LISTED = TEXT.replace(
    'name_en = "Gateway 1"\n', 'name_en = "Gateway 1"\nsentinels = { not_connected = [7777], failure = [9988] }\n', 1
)
"""Of gateway 1, which carries CO-01; CO-02 is on the other."""
SENTINELS = {7777.0: Flag.BAD | Flag.NOT_CONNECTED, 9988.0: Flag.BAD | Flag.FAILURE}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path, LISTED)
    made.take([(1000, 5)], at=1000)
    return made


@pytest.mark.parametrize("value", SENTINELS)
def test_a_sentinel_trips_no_rule_but_that_on_bad_signals(bench: Bench, value: float) -> None:
    assert changes(bench, value, 1001, AlarmEventKind.RAISED) == {"BAD"}
    assert (bench.cycle.batch.value.tolist(), bench.cycle.batch.flags.tolist()) == ([value], [SENTINELS[value]])


@pytest.mark.parametrize("value", SENTINELS)
def test_a_second_and_a_third_time_are_as_the_first(bench: Bench, value: float) -> None:
    for start in (1001, 1041, 1081):
        assert changes(bench, value, start, AlarmEventKind.RAISED) - {"SILENT"} == {"BAD"}  # nobody hears CO-02
        assert changes(bench, 5.0, start + 20, AlarmEventKind.RETURNED) == {"BAD"}


@pytest.mark.parametrize("value", SENTINELS)
def test_an_alarm_of_the_process_goes_on_while_the_channel_says_so(bench: Bench, value: float) -> None:
    assert "H" in changes(bench, 150.0, 1001, AlarmEventKind.RAISED)
    assert changes(bench, value, 1030, AlarmEventKind.RETURNED) == set()
    assert {"H", "BAD"} <= changes(bench, 5.0, 1060, AlarmEventKind.RETURNED)


def test_a_late_sentinel_is_no_excursion(bench: Bench) -> None:
    assert bench.take([(900, 9988), (901, 9988)], at=1001) == []
    assert bench.wait(1100) == []


def test_the_same_number_of_a_neighbour_that_lists_none_is_a_measurement(bench: Bench) -> None:
    other = bench.configuration.find(PLANT, "CO-02")
    assert other is not None
    reading = Batch(
        np.array([other.index], np.int32), np.array([START]), np.array([9988.0]), np.zeros(1, np.uint16),
        np.array([START]),
    )  # fmt: skip
    assert not bench.configuration.checked(reading).flags[0] & Flag.BAD


def test_a_sentinel_is_judged_as_before_where_none_is_listed(tmp_path: Path) -> None:
    bench = Bench(tmp_path, TEXT.replace('disabled_rules = ["STUCK"]', 'disabled_rules = ["STUCK", "CURRENT"]', 1))
    bench.take([(1000, 5)], at=1000)
    assert {"H", "HH"} <= changes(bench, 9988.0, 1001, AlarmEventKind.RAISED)
