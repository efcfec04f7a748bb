"""The engine: what the journal holds is judged once, and a restart goes on as if nothing had happened."""

from __future__ import annotations

import threading
import time
from typing import Any
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from ingest.base.telemetry import REGISTRY
from ingest.domain.alarms.retrospective_alarms import KEPT
from ingest.domain.model.alarm import AlarmEventKind, AlarmState
from ingest.engine.commands import Acknowledge, Comment, Dispose, Person, Reset, SignedInspection
from ingest.storage.state.errors import StateUnavailable
from tests.ingest.delivery.stored import waiting_messages
from tests.ingest.engine.bench import INSPECTOR, OPERATOR, PATIENCE_S, Bench
from tests.small_plant import TEXT, small_configuration


def test_a_limit_crossed_raises_one_alarm_and_tells_the_inspector(bench: Bench) -> None:
    bench.send("CO-01", [5, 30, 31, 32])
    bench.settle()
    (alarm,) = bench.found()
    assert (alarm.point, alarm.rule, alarm.level, alarm.value, alarm.limit) == ("CO-01", "H", 1, 30.0, 24.0)
    assert alarm.state is AlarmState.UNACKNOWLEDGED
    (message,) = waiting_messages(bench.outbox, "inspector")
    assert message.body["alarm"]["id"] == str(alarm.id)
    assert message.body["enterprise"]["uscc"] == "91350100M000100Y43"
    assert message.body["reason"] == {
        "zh": "数值达到或高于 24 ppm：高报", "en": "The value is at or above 24 ppm: high",
    }  # fmt: skip


def test_readings_are_reported_to_the_platform_once_an_interval(bench: Bench) -> None:
    bench.send("CO-01", [5.0] * 25)
    bench.settle()
    (message,) = waiting_messages(bench.outbox, "platform")
    assert message.kind == "readings"
    assert [(r["point"], r["value"]) for r in message.body["readings"]] == [("CO-01", 5.0)]


def test_an_alarm_is_acknowledged_once_by_name(bench: Bench) -> None:
    bench.send("CO-01", [30])
    bench.settle()
    (alarm,) = bench.found()
    acked = bench.engine.submit(Acknowledge(alarm.id, Person("张三", "operator"), "已到现场")).result(PATIENCE_S)
    assert (acked.state, acked.acked_by, acked.comment) == (AlarmState.ACKNOWLEDGED, "张三", "已到现场")
    assert bench.found() == [acked]
    with pytest.raises(ValueError, match="acknowledged"):
        bench.engine.submit(Acknowledge(alarm.id, Person("李四", "operator"), None)).result(PATIENCE_S)
    with pytest.raises(KeyError):
        bench.engine.submit(Acknowledge(alarm.id.__class__(int=7), Person("李四", "operator"), None)).result(PATIENCE_S)


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
    bench.engine = bench.build(bench.engine.configuration)
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
    bench.engine.adopt(small_configuration(bench.folder, bench.journal.number_points, quick))
    bench.send("CO-02", [5])  # its gateway has connected
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
    configuration = small_configuration(bench.folder, bench.journal.number_points, fewer)
    bench.engine.adopt(configuration)
    deadline = time.monotonic() + PATIENCE_S
    while not any(a.state is AlarmState.REMOVED for a in bench.found()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    states = {a.rule: a.state for a in bench.found()}
    assert states == {"H": AlarmState.UNACKNOWLEDGED, "HH": AlarmState.REMOVED}
    assert [a.returned for a in bench.found()] == [None, None], "it was not seen to return"
    messages = [message.body for message in waiting_messages(bench.outbox, "inspector")]
    reasons = {(body["alarm"]["rule"], body["event"]): body["reason"] for body in messages}
    assert reasons["HH", "raised"]["en"] == "The value is at or above 160 ppm: high-high"
    assert reasons["HH", "removed"] is None  # the rule is gone


def test_an_alarm_whose_rule_was_taken_away_while_the_service_was_off_does_not_stand_for_ever(bench: Bench) -> None:
    bench.send("CO-01", [170])
    bench.settle()
    assert bench.engine.stop(PATIENCE_S)
    without = TEXT[: TEXT.index('[[points]]\nid = "CO-01"')] + TEXT[TEXT.index('[[points]]\nid = "CO-02"') :]
    bench.engine = bench.build(small_configuration(bench.folder, bench.journal.number_points, without))
    bench.engine.start()
    deadline = time.monotonic() + PATIENCE_S
    while {a.state for a in bench.found()} != {AlarmState.REMOVED}:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    (event,) = [e for a in bench.found() if a.rule == "HH" for e in bench.alarms.alarm_history(a.id)][-1:]
    assert (event.kind, event.detail) == (
        AlarmEventKind.REMOVED,
        {"comment": "测点已移出配置 point removed from configuration"},
    )
    bench.restart()
    assert bench.engine.engine_state.alarms == {}


def test_a_point_that_comes_back_to_the_configuration_raises_an_alarm_of_its_own(bench: Bench) -> None:
    """The one that was removed was not seen to return: it is not the same excursion for all anybody knows."""
    whole = bench.engine.configuration
    without = TEXT[: TEXT.index('[[points]]\nid = "CO-01"')] + TEXT[TEXT.index('[[points]]\nid = "CO-02"') :]
    bench.send("CO-01", [170])
    bench.settle()
    bench.engine.adopt(small_configuration(bench.folder, bench.journal.number_points, without))
    bench.engine.adopt(whole)
    deadline = time.monotonic() + PATIENCE_S
    while {a.state for a in bench.found()} != {AlarmState.REMOVED}:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    bench.send("CO-01", [171], start_s=5)
    bench.settle()
    states = [(a.rule, a.state) for a in bench.found()]
    assert sorted(states) == [
        ("H", AlarmState.REMOVED), ("H", AlarmState.UNACKNOWLEDGED),
        ("HH", AlarmState.REMOVED), ("HH", AlarmState.UNACKNOWLEDGED),
    ]  # fmt: skip


def test_a_comment_that_cannot_be_stored_never_reaches_the_engine(bench: Bench) -> None:
    bench.send("CO-01", [30])
    bench.settle()
    (alarm,) = bench.found()
    with pytest.raises(UnicodeEncodeError):
        bench.engine.submit(Acknowledge(alarm.id, Person("op", "operator"), "\ud800"))
    assert bench.engine.submit(Acknowledge(alarm.id, Person("op", "operator"), "好")).result(PATIENCE_S).comment == "好"


def test_what_could_not_be_committed_before_a_stop_is_judged_after_the_next_start(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database comes back just as the service stops: its memory must not be kept ahead of its cursor."""
    commit, refused = bench.store.commit, threading.Event()

    def refuse_until_the_stop(*arguments: Any, **more: Any) -> None:
        if not bench.engine._stopping.is_set():
            refused.set()
            raise StateUnavailable("disk full")
        commit(*arguments, **more)

    with monkeypatch.context() as patch:
        patch.setattr(bench.store, "commit", refuse_until_the_stop)
        bench.send("CO-01", [30])
        assert refused.wait(PATIENCE_S)
        assert bench.engine.stop(PATIENCE_S)
    bench.engine = bench.build(bench.engine.configuration)
    bench.engine.start()
    bench.settle()
    assert [a.rule for a in bench.found()] == ["H"]


def test_an_acknowledgement_whose_caller_gave_up_does_not_end_the_engine(bench: Bench) -> None:
    bench.send("CO-01", [30])
    bench.settle()
    (alarm,) = bench.found()
    assert bench.engine.stop(PATIENCE_S)
    bench.engine = bench.build(bench.engine.configuration)
    given_up = bench.engine.submit(Acknowledge(alarm.id, Person("op", "operator"), None))
    assert given_up.cancel()
    bench.engine.start()
    acked = bench.engine.submit(Acknowledge(alarm.id, Person("张三", "operator"), None)).result(PATIENCE_S)
    assert acked.acked_by == "张三"


LATCHED = TEXT.replace("[points.rules.H]\n", "[points.rules.H]\nlatch = true\n")


@pytest.mark.parametrize("restart", ["none", "clean stop", "crash"])
def test_a_latched_alarm_stays_until_it_was_seen_and_reset_also_over_a_restart(bench: Bench, restart: str) -> None:
    bench.engine.adopt(small_configuration(bench.folder, bench.journal.number_points, LATCHED))
    bench.send("CO-01", [5])
    bench.settle()
    bench.send("CO-01", [30, 5, 5], start_s=1)
    bench.settle()
    (alarm,) = bench.found()
    assert (alarm.state, alarm.active) == (AlarmState.LATCHED_UNACKNOWLEDGED, False)
    bench.engine.submit(Acknowledge(alarm.id, OPERATOR)).result(PATIENCE_S)
    if restart != "none":
        bench.restart(clean=restart == "clean stop")
    bench.send("CO-01", [5], start_s=4)
    bench.settle()
    assert [a.state for a in bench.found()] == [AlarmState.LATCHED_ACKNOWLEDGED]
    bench.engine.submit(Reset(alarm.id, OPERATOR)).result(PATIENCE_S)
    assert [(a.state, a.acked_by) for a in bench.found()] == [(AlarmState.NORMAL, "张三")]


def test_an_alarm_that_wants_a_signed_inspection_is_let_go_by_nothing_less(bench: Bench) -> None:
    """Who inspected, when and what was found stands in its history, beside who reset it."""
    signed = LATCHED.replace("latch = true\n", "latch = true\nsigned = true\n")
    bench.engine.adopt(small_configuration(bench.folder, bench.journal.number_points, signed))
    bench.send("CO-01", [5, 30, 5])
    bench.settle()
    (alarm,) = bench.found()
    bench.engine.submit(Acknowledge(alarm.id, OPERATOR)).result(PATIENCE_S)
    before = SignedInspection("陈志强", alarm.annunciated - 1, "无余烬")
    for inspection, wanted in ((None, "who inspected"), (before, "since the alarm was raised")):
        with pytest.raises(ValueError, match=wanted):
            bench.engine.submit(Reset(alarm.id, OPERATOR, None, inspection)).result(PATIENCE_S)
    bench.restart(clean=False)
    assert [a.state for a in bench.found()] == [AlarmState.LATCHED_ACKNOWLEDGED]
    made = SignedInspection("陈志强", alarm.annunciated, "无余烬", "已测温")
    assert bench.engine.submit(Reset(alarm.id, OPERATOR, None, made)).result(PATIENCE_S).state is AlarmState.NORMAL
    detail = bench.alarms.alarm_history(alarm.id)[-1].detail
    assert {detail["inspected_by"], detail["result"], detail["remark"]} == {"陈志强", "无余烬", "已测温"}


def test_a_latched_alarm_whose_condition_comes_back_calls_again(bench: Bench) -> None:
    bench.engine.adopt(small_configuration(bench.folder, bench.journal.number_points, LATCHED))
    bench.send("CO-01", [5])
    bench.settle()
    bench.send("CO-01", [30, 5], start_s=1)
    bench.settle()
    (alarm,) = bench.found()
    bench.engine.submit(Acknowledge(alarm.id, OPERATOR)).result(PATIENCE_S)
    bench.send("CO-01", [31], start_s=3)
    bench.settle()
    (again,) = bench.found()
    assert (again.id, again.state, again.raises, again.acked) == (alarm.id, AlarmState.UNACKNOWLEDGED, 2, None)


@pytest.mark.parametrize("restart", ["none", "clean stop", "crash"])
@pytest.mark.parametrize(("gap_s", "same"), [(595, True), (620, False)])
def test_an_alarm_that_comes_back_within_ten_minutes_is_the_same_alarm(
    bench: Bench, gap_s: int, restart: str, *, same: bool
) -> None:
    """Whether the service was restarted in between makes no difference."""
    bench.send("CO-01", [30, 5])
    bench.settle()
    (alarm,) = bench.found()
    bench.engine.submit(Acknowledge(alarm.id, OPERATOR)).result(PATIENCE_S)
    assert [a.state for a in bench.found()] == [AlarmState.NORMAL]
    if restart != "none":
        bench.restart(clean=restart == "clean stop")
    bench.send("CO-01", [30], start_s=gap_s)
    bench.settle()
    found = {a.rule: [b for b in bench.found() if b.rule == a.rule] for a in bench.found()}["H"]
    assert [(a.id == alarm.id, a.raises) for a in found] == ([(True, 2)] if same else [(True, 1), (False, 1)])
    assert found[-1].state is AlarmState.UNACKNOWLEDGED


def test_an_alarm_is_cleared_only_when_its_value_is_back_and_feedback_was_given(bench: Bench) -> None:
    bench.send("CO-01", [30])
    bench.settle()
    (alarm,) = bench.found()
    bench.engine.submit(Acknowledge(alarm.id, OPERATOR)).result(PATIENCE_S)
    bench.engine.submit(Dispose((alarm.id,), OPERATOR, uuid4())).result(PATIENCE_S)
    assert [(a.disposed is not None, a.cleared) for a in bench.found()] == [(True, None)]
    bench.send("CO-01", [5], start_s=1)
    bench.settle()
    (over,) = bench.found()
    assert over.cleared == over.returned
    kinds = [event.kind for event in bench.alarms.alarm_history(alarm.id)]
    assert kinds == ["raised", "acknowledged", "disposed", "returned", "cleared"]


def test_two_people_may_say_something_about_an_alarm_that_is_long_over(bench: Bench) -> None:
    bench.send("CO-01", [30, 5])
    bench.settle()
    (alarm,) = bench.found()
    bench.engine.submit(Acknowledge(alarm.id, OPERATOR)).result(PATIENCE_S)
    bench.restart()
    first = bench.engine.submit(Comment(alarm.id, OPERATOR, "传感器已校准"))
    second = bench.engine.submit(Comment(alarm.id, INSPECTOR, "已核实"))
    assert (first.result(PATIENCE_S).comment, second.result(PATIENCE_S).comment) == ("传感器已校准", "已核实")
    comments = [(e.by, e.detail["comment"]) for e in bench.alarms.alarm_history(alarm.id) if e.kind == "commented"]
    assert comments == [("张三", "传感器已校准"), ("李监察", "已核实")]


def test_late_readings_that_cannot_be_judged_are_a_line_a_minute_and_each_is_counted(bench: Bench) -> None:
    """However many commits they come in; what was added up meanwhile follows, at an end at once."""
    name, labels = "yujing_late_unjudged_total", {"reason": "before what is remembered"}
    before = REGISTRY.get_sample_value(name, labels) or 0
    with capture_logs() as logged:
        bench.send("CO-01", [30, 5] * (KEPT * 3))
        bench.settle()
        for number in range(3):
            bench.send("CO-01", [30] * 50, start_s=-1000 + 100 * number)
            bench.settle()
        bench.engine.stop(PATIENCE_S)
    assert [line["readings"] for line in logged if line["event"] == "late_unjudged"] == [1, 149]
    assert REGISTRY.get_sample_value(name, labels) == before + 150
