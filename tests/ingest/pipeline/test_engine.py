"""The engine: what the journal holds is judged once, and a restart goes on as if nothing had happened."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.model.alarm import AlarmState
from ingest.state.errors import StateUnavailable
from tests.ingest.pipeline.bench import PATIENCE_S, Bench
from tests.small_plant import TEXT, small_roster


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    made.engine.start()
    yield made
    assert made.engine.stop(PATIENCE_S)
    assert made.failures == []


def test_a_limit_crossed_raises_one_alarm_and_tells_the_inspector(bench: Bench) -> None:
    bench.send("CO-01", [5, 30, 31, 32])
    bench.settle()
    (alarm,) = bench.found()
    assert (alarm.point, alarm.rule, alarm.level, alarm.value, alarm.limit) == ("CO-01", "H", 1, 30.0, 24.0)
    assert alarm.state is AlarmState.UNACKNOWLEDGED
    (message,) = bench.outbox.due("inspector", time.time_ns(), 10)
    assert message.body["alarm"]["id"] == str(alarm.id)
    assert message.body["enterprise"]["uscc"] == "91350100M000100Y43"
    assert message.body["reason"] == {
        "zh": "数值达到或高于 24 ppm：高报", "en": "The value is at or above 24 ppm: high",
    }  # fmt: skip


def test_readings_are_reported_to_the_platform_once_an_interval(bench: Bench) -> None:
    bench.send("CO-01", [5.0] * 25)
    bench.settle()
    (message,) = bench.outbox.due("platform", 1 << 62, 10)
    assert message.kind == "readings"
    assert [(r["point"], r["value"]) for r in message.body["readings"]] == [("CO-01", 5.0)]


def test_an_alarm_is_acknowledged_once_by_name(bench: Bench) -> None:
    bench.send("CO-01", [30])
    bench.settle()
    (alarm,) = bench.found()
    acked = bench.engine.acknowledge(alarm.id, by="张三", comment="已到现场").result(PATIENCE_S)
    assert (acked.state, acked.acked_by, acked.comment) == (AlarmState.ACKNOWLEDGED, "张三", "已到现场")
    assert bench.found() == [acked]
    with pytest.raises(ValueError, match="acknowledged"):
        bench.engine.acknowledge(alarm.id, by="李四", comment=None).result(PATIENCE_S)
    with pytest.raises(KeyError):
        bench.engine.acknowledge(alarm.id.__class__(int=7), by="李四", comment=None).result(PATIENCE_S)


@pytest.mark.parametrize("clean", [True, False], ids=["clean stop", "crash"])
def test_a_restart_in_the_middle_changes_nothing(bench: Bench, *, clean: bool) -> None:
    """An alarm that stands is not raised again, and one that was about to return still returns."""
    bench.send("CO-01", [5, 30, 170])
    bench.settle()
    before = bench.found()
    bench.restart(clean=clean)
    bench.send("CO-01", [171, 172], start_s=3)
    bench.settle()
    assert bench.found() == before
    bench.restart(clean=clean)
    bench.send("CO-01", [5], start_s=5)
    bench.settle()
    assert [a.state for a in bench.found()] == [AlarmState.RETURNED, AlarmState.RETURNED]


def test_what_was_journaled_while_the_engine_was_away_is_judged(bench: Bench) -> None:
    assert bench.engine.stop(PATIENCE_S)
    bench.send("CO-01", [30])
    bench.engine = bench.build(bench.engine.roster)
    bench.engine.start()
    bench.settle()
    assert [a.rule for a in bench.found()] == ["H"]


def test_a_late_reading_never_clears_a_live_alarm(bench: Bench) -> None:
    bench.send("CO-01", [30, 31], start_s=100)
    bench.settle()
    bench.send("CO-01", [1, 1, 1], start_s=0)
    bench.settle()
    (alarm,) = bench.found()
    assert alarm.state is AlarmState.UNACKNOWLEDGED


def test_a_point_that_falls_silent_is_alarmed_without_any_message(bench: Bench) -> None:
    quick = TEXT.replace('id = "CO-02"', 'id = "CO-02"\nsilence_s = 0.2')
    bench.engine.adopt(small_roster(bench.folder, bench.journal.number_points, quick))
    deadline = time.monotonic() + PATIENCE_S
    while not bench.found():
        assert time.monotonic() < deadline, "silence was not noticed"
        time.sleep(0.01)
    (alarm,) = bench.found()
    assert (alarm.point, alarm.rule, alarm.value) == ("CO-02", "SILENT", None)


def test_a_changed_plant_file_keeps_alarms_whose_rules_stay_and_ends_those_whose_rules_go(bench: Bench) -> None:
    bench.send("CO-01", [30, 170])
    bench.settle()
    fewer = TEXT.replace(
        'disabled_rules = ["STUCK"]\n[points.rules.H]', 'disabled_rules = ["STUCK", "HH"]\n[points.rules.H]'
    )
    fewer = fewer.replace("[points.rules.HH]\non = 160\noff = 140\non_delay_s = 0\n", "")
    roster = small_roster(bench.folder, bench.journal.number_points, fewer)
    bench.engine.adopt(roster)
    deadline = time.monotonic() + PATIENCE_S
    while not any(a.returned for a in bench.found()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    states = {a.rule: a.state for a in bench.found()}
    assert states == {"H": AlarmState.UNACKNOWLEDGED, "HH": AlarmState.RETURNED}
    told = [message.body for message in bench.outbox.due("inspector", 1 << 62, 10)]
    reasons = {(body["alarm"]["rule"], body["event"]): body["reason"] for body in told}
    assert reasons["HH", "raised"]["en"] == "The value is at or above 160 ppm: high-high"
    assert reasons["HH", "returned"] is None  # the rule is gone


def test_an_alarm_whose_rule_was_taken_away_while_the_service_was_off_does_not_stand_for_ever(bench: Bench) -> None:
    bench.send("CO-01", [170])
    bench.settle()
    assert bench.engine.stop(PATIENCE_S)
    without = TEXT[: TEXT.index('[[points]]\nid = "CO-01"')] + TEXT[TEXT.index('[[points]]\nid = "CO-02"') :]
    bench.engine = bench.build(small_roster(bench.folder, bench.journal.number_points, without))
    bench.engine.start()
    deadline = time.monotonic() + PATIENCE_S
    while {a.state for a in bench.found()} != {AlarmState.RETURNED}:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_comment_that_cannot_be_stored_never_reaches_the_engine(bench: Bench) -> None:
    bench.send("CO-01", [30])
    bench.settle()
    (alarm,) = bench.found()
    with pytest.raises(UnicodeEncodeError):
        bench.engine.acknowledge(alarm.id, by="op", comment="\ud800")
    assert bench.engine.acknowledge(alarm.id, by="op", comment="好").result(PATIENCE_S).comment == "好"


def test_what_could_not_be_committed_before_a_stop_is_judged_after_the_next_start(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database comes back just as the service stops: its memory must not be kept ahead of its cursor."""
    commit, refused = bench.store.commit, threading.Event()

    def refuse_until_the_stop(*arguments: Any) -> None:
        if not bench.engine._stopping.is_set():
            refused.set()
            raise StateUnavailable("disk full")
        commit(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(bench.store, "commit", refuse_until_the_stop)
        bench.send("CO-01", [30])
        assert refused.wait(PATIENCE_S)
        assert bench.engine.stop(PATIENCE_S)
    bench.engine = bench.build(bench.engine.roster)
    bench.engine.start()
    bench.settle()
    assert [a.rule for a in bench.found()] == ["H"]


def test_an_acknowledgement_whose_caller_gave_up_does_not_end_the_engine(bench: Bench) -> None:
    bench.send("CO-01", [30])
    bench.settle()
    (alarm,) = bench.found()
    assert bench.engine.stop(PATIENCE_S)
    bench.engine = bench.build(bench.engine.roster)
    given_up = bench.engine.acknowledge(alarm.id, by="op", comment=None)
    assert given_up.cancel()
    bench.engine.start()
    acked = bench.engine.acknowledge(alarm.id, by="张三", comment=None).result(PATIENCE_S)
    assert acked.acked_by == "张三"


@pytest.mark.parametrize("restart", ["none", "clean stop", "crash"])
def test_an_acknowledged_latched_alarm_returns_even_if_the_service_ends_right_after(bench: Bench, restart: str) -> None:
    """It holds after its condition is gone until somebody has seen it, and no longer."""
    latched = TEXT.replace("[points.rules.H]\n", "[points.rules.H]\nlatch = true\n")
    bench.engine.adopt(small_roster(bench.folder, bench.journal.number_points, latched))
    bench.send("CO-01", [5])
    bench.settle()
    bench.send("CO-01", [30, 5, 5], start_s=1)
    bench.settle()
    (alarm,) = bench.found()
    assert (alarm.state, alarm.returned) == (AlarmState.UNACKNOWLEDGED, None)
    bench.engine.acknowledge(alarm.id, by="张三", comment=None).result(PATIENCE_S)
    if restart != "none":
        bench.restart(clean=restart == "clean stop")
    bench.send("CO-01", [5], start_s=4)
    bench.settle()
    (alarm,) = bench.found()
    assert (alarm.state, alarm.acked_by) == (AlarmState.NORMAL, "张三")


def test_an_acknowledged_latched_alarm_stands_while_its_condition_does(bench: Bench) -> None:
    latched = TEXT.replace("[points.rules.H]\n", "[points.rules.H]\nlatch = true\n")
    bench.engine.adopt(small_roster(bench.folder, bench.journal.number_points, latched))
    bench.send("CO-01", [30])
    bench.settle()
    (alarm,) = bench.found()
    bench.engine.acknowledge(alarm.id, by="张三", comment=None).result(PATIENCE_S)
    bench.send("CO-01", [31], start_s=1)
    bench.settle()
    assert [a.state for a in bench.found()] == [AlarmState.ACKNOWLEDGED]
