"""An excursion that was over when it became known is sent as such: once, and never as an outstanding alarm."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ingest.domain.alarms.retrospective_alarms import HELD, KEPT
from ingest.domain.model.alarm import Alarm, AlarmEvent, AlarmEventKind, AlarmState
from ingest.domain.model.batch import Batch, empty_batch
from ingest.domain.model.flags import Flag
from ingest.engine.engine_state import EngineState
from ingest.engine.late_data import HOLD_BACK, SETTLE_AFTER
from ingest.engine.order import Cycle, Policy, advance
from ingest.plants.configuration import PlantConfiguration
from tests.small_plant import PLANT, TEXT, small_configuration

SECOND = 10**9
START = 1_763_884_800 * SECOND
DELAYED = TEXT.replace("on = 160\noff = 140\non_delay_s = 0", "on = 160\noff = 140\non_delay_s = 10")


class Bench:
    """The stages, fed readings of CO-01 by hand. Times and arrivals in s from the start."""

    def __init__(self, folder: Path, text: str = DELAYED) -> None:
        self.configuration: PlantConfiguration = small_configuration(folder, text=text)
        self.engine_state = EngineState(self.configuration)
        self.terms = Policy(lambda kind, _plant, _level: ("inspector",) if kind == "alarm" else ())
        self.cycle = Cycle(0, empty_batch(), self.configuration, self.terms)

    def take(self, rows: Sequence[tuple[float, float]], at: float, flags: int = 0) -> list[AlarmEvent]:
        """(time, value), arriving together."""
        known = self.configuration.find(PLANT, "CO-01")
        assert known is not None
        n = len(rows)
        batch = Batch(
            np.full(n, known.index, np.int32),
            np.array([START + int(time * SECOND) for time, _ in rows], np.int64),
            np.array([value for _, value in rows], float),
            np.full(n, int(flags), np.uint16),
            np.full(n, START + int(at * SECOND), np.int64),
        )
        return self._advance(batch, at)

    def outstanding_states(self) -> list[AlarmState]:
        """States of the point's outstanding limit alarms."""
        return [alarm.state for alarm in self.engine_state.alarms.values() if alarm.rule in {"H", "HH"}]

    def wait(self, until: float) -> list[AlarmEvent]:
        """Nothing arrives."""
        return self._advance(empty_batch(), until)

    def _advance(self, batch: Batch, at: float) -> list[AlarmEvent]:
        now = START + int(at * SECOND)
        self.cycle = advance(Cycle(now, batch, self.configuration, self.terms, now), self.engine_state)
        return [event for event in self.cycle.events if event.alarm.rule in {"H", "HH"}]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    made.take([(1000, 5)], at=1000)
    return made


def spans(events: Sequence[AlarmEvent]) -> list[tuple[str, float, float]]:
    """(rule, onset, end) of historical alarms, s from the start."""
    alarms: list[Alarm] = [event.alarm for event in events]
    assert all(event.kind is AlarmEventKind.RECORDED and event.alarm.historical for event in events)
    return [(a.rule, (a.onset - START) / SECOND, ((a.returned or 0) - START) / SECOND) for a in alarms]


def test_late_readings_beyond_a_limit_are_one_historical_alarm_once_they_stop_coming(bench: Bench) -> None:
    assert bench.take([(100, 5), (101, 30), (102, 40), (103, 5)], at=1001) == []
    assert bench.take([(90, 50)], at=1010) == []
    assert bench.wait(1039) == []
    (event,) = bench.wait(1041)
    assert spans([event]) == [("H", 90, 102)]
    alarm = event.alarm
    assert (alarm.state, alarm.value, alarm.limit, alarm.level) == (AlarmState.NORMAL, 50.0, 24.0, 1)
    assert bench.outstanding_states() == [], "nobody has to acknowledge it"
    assert bench.cycle is not None
    (message,) = bench.cycle.messages
    assert (message.body["event"], message.body["alarm"]["historical"]) == ("recorded", True)
    assert bench.wait(5000) == []


def test_what_comes_still_later_makes_the_same_alarm_longer(bench: Bench) -> None:
    bench.take([(100, 30)], at=1001)
    (first,) = bench.wait(1040)
    bench.take([(110, 35), (95, 99)], at=1050)
    (second,) = bench.wait(1090)
    assert second.alarm.id == first.alarm.id
    assert second.id != first.id
    assert spans([second]) == [("H", 95, 110)]
    assert second.alarm.value == 99.0
    assert bench.take([(100, 40), (105, 60)], at=1100) == []
    assert bench.wait(2000) == [], "nothing new lies within it"


def test_excursions_further_apart_than_the_point_may_be_silent_are_two(bench: Bench) -> None:
    bench.take([(100, 30), (131, 30)], at=1001)
    assert spans(bench.wait(1040)) == [("H", 100, 100), ("H", 131, 131)]


def test_the_delay_of_the_rule_holds_for_the_past_as_well(bench: Bench) -> None:
    bench.take([(100, 170), (109.9, 170)], at=1001)
    assert {rule for rule, _, _ in spans(bench.wait(1100))} == {"H"}
    bench.take([(111, 170)], at=1101)
    assert ("HH", 100, 111) in spans(bench.wait(1200))


def test_an_excursion_within_a_live_alarm_is_not_sent_again(bench: Bench) -> None:
    (raised,) = bench.take([(1010, 30)], at=1010)
    (returned,) = bench.take([(1020, 30), (1030, 5)], at=1030)
    assert (raised.kind, returned.kind) == (AlarmEventKind.RAISED, AlarmEventKind.RETURNED)
    bench.take([(1015, 90), (1025, 90)], at=1031)
    assert bench.wait(1100) == []
    bench.take([(1005, 90), (1029, 90)], at=1101)
    assert spans(bench.wait(1200)) == [("H", 1005, 1005)]
    assert bench.outstanding_states() == [AlarmState.RETURNED], "it still waits to be seen"


def test_a_backfilled_reading_raises_nothing_and_moves_nothing_that_is_live(bench: Bench) -> None:
    assert bench.take([(1500, 170)], at=1001, flags=Flag.HISTORICAL) == []
    index = next(point.index for point in bench.configuration.plants[PLANT].points if point.id == "CO-01")
    assert bench.engine_state.newest[index] == START + 1000 * SECOND
    assert bench.engine_state.value[index] == 5
    assert [event.kind for event in bench.take([(1400, 30)], at=1400)] == [AlarmEventKind.RAISED]
    assert bench.wait(1590) == [], "held back"
    assert [event.kind for event in bench.take([(1490, 5)], at=1595)] == [AlarmEventKind.RETURNED]
    assert spans(bench.wait(1001 + (HOLD_BACK + SETTLE_AFTER) / SECOND)) == [("H", 1500, 1500)]


def test_readings_without_a_usable_value_and_rules_with_a_condition_are_left_out(tmp_path: Path) -> None:
    bench = Bench(tmp_path, DELAYED.replace("[points.rules.H]\n", '[points.rules.H]\nwhen = "CO-02 > 0"\n'))
    bench.take([(1000, 5)], at=1000)
    bench.take([(100, 90), (101, 90)], at=1001)
    bench.take([(200, 900)], at=1001, flags=Flag.BAD)
    bench.take([(215, 900)], at=1001, flags=Flag.BAD)
    assert bench.wait(2000) == []


def test_memory_is_bounded_and_what_can_no_longer_be_judged_is_reported(bench: Bench) -> None:
    for time in range(1001, 1001 + 300 * KEPT, 100):
        bench.take([(time, 30), (time + 1, 5)], at=time)
    assert len(bench.engine_state.excursions) == KEPT
    assert bench.take([(1500.5, 90)], at=20_000) == []
    assert [(late.reason, late.gateway) for late in bench.cycle.not_evaluated] == [
        ("before what is remembered", "GW-01")
    ]
    assert bench.wait(21_000) == []


def test_what_is_held_back_is_bounded_and_judged_rather_than_dropped(bench: Bench) -> None:
    bench.take([(2000 + 40.0 * number, 30) for number in range(HELD + 5)], at=1001, flags=Flag.HISTORICAL)
    assert spans(bench.wait(1001 + SETTLE_AFTER / SECOND)) == [
        ("H", 2000 + 40.0 * n, 2000 + 40.0 * n) for n in range(5)
    ]


def test_an_excursion_whose_rule_was_removed_meanwhile_is_reported(bench: Bench, tmp_path: Path) -> None:
    bench.take([(100, 30)], at=1001)
    without = DELAYED.replace("[points.rules.H]\non = 24\noff = 20\non_delay_s = 0\n", "")
    bench.configuration = small_configuration(tmp_path, text=without.replace('["STUCK"]', '["STUCK", "H"]'))
    bench.engine_state = bench.engine_state.successor(bench.configuration)
    assert bench.wait(1100) == []
    assert [late.reason for late in bench.cycle.not_evaluated] == ["its rule is gone"]
