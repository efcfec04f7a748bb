"""Warnings in the engine: what alarms lead to, what is committed with them, and what a crash changes: nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.domain.model.suppression import SuppressionKind
from ingest.domain.model.warning import Asked, Colour, Step, WarningState
from ingest.domain.warnings.config import WarningsConfig
from ingest.engine.commands import Acknowledge, Decide, End, Suppress
from ingest.engine.warning_commands import AcknowledgeWarning, FeedBack
from ingest.plants.load import load_configuration
from tests.ingest.delivery.stored import waiting_messages
from tests.ingest.engine.warned import CALM, HIGH, INSPECTOR, LOW, OPERATOR, QUIET, SECOND, Bench
from tests.small_plant import PLANT, small_configuration


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def calm(bench: Bench, seconds: int) -> None:
    for _ in range(seconds):
        bench.read(CALM)


def test_a_warning_is_committed_with_the_alarm_it_comes_from(bench: Bench) -> None:
    """The record, its event, a message for its receivers and a row of the audit trail are there after the cycle."""
    bench.read(CALM)
    bench.read(HIGH)
    (warning,) = bench.warnings()
    (event,) = bench.events()
    (message,) = waiting_messages(bench.outbox, "inspector")
    act = bench.audit.acts(limit=10, kind="warning")[0].act
    alarms = {fact.alarm for ground in warning.inputs for fact in ground.facts}
    assert (warning.colour, warning.state, warning.step) == (Colour.ORANGE, WarningState.OPEN, Step.ENTERPRISE)
    assert {alarm.id for alarm in bench.engine.engine_state.alarms.values()} == alarms
    assert event.warning == warning
    assert (message.kind, message.id, message.body["warning"]["colour"]) == ("warning", event.id, "orange")
    assert (act.action, act.actor, act.subject) == ("raised", "yujing", str(warning.id))
    assert bench.audit.verify().broken is None
    assert bench.engine.engine_state.warnings.open_colours() == {
        Colour.BLUE: 0,
        Colour.YELLOW: 0,
        Colour.ORANGE: 1,
        Colour.RED: 0,
    }


def test_an_unanswered_warning_goes_up_step_by_step_at_its_times(bench: Bench) -> None:
    """An engine that runs 40 min later dates reminders and escalations to the moments they were due."""
    bench.read(CALM)
    bench.read(HIGH)
    bench.wait(2400)
    raised = bench.history()[0][1]
    steps = [(kind, time - raised) for kind, time in bench.history() if kind in {"reminded", "escalated"}]
    assert steps == [
        ("reminded", 450),
        ("escalated", 900),
        ("reminded", 1350),
        ("escalated", 1800),
        ("reminded", 2250),
    ]
    assert bench.warnings()[0].step is Step.PROVINCE
    assert bench.warnings()[0].who == ("province office",)


@pytest.mark.parametrize("restarted", [True, False], ids=["down", "hung"])
def test_a_time_in_which_the_service_reached_nobody_is_nobodys_fault(bench: Bench, *, restarted: bool) -> None:
    """Nobody is blamed for it; it is recorded once, and each office has the rest of its time, over restarts."""
    bench.read(CALM)
    bench.read(HIGH)
    bench.wait(500)
    bench.wait(1900, engine_runs=False)
    if restarted:
        bench.start()
    bench.wait(1)
    before = bench.history()
    raised = before[0][1]
    assert [kind for kind, _ in before if kind in {"escalated", "resumed"}] == ["resumed"]
    (resumed,) = [event for event in bench.events() if event.kind == "resumed"]
    assert 1890 <= resumed.detail["away_s"] <= 1910
    bench.start()
    bench.wait(1)
    assert bench.history() == before
    bench.wait(1400)
    late = [time - raised - resumed.detail["away_s"] for kind, time in bench.history() if kind == "escalated"]
    assert late == pytest.approx([900, 1800], abs=1)
    assert len({event.id for event in bench.events()}) == len(bench.events())


def test_a_short_restart_moves_no_deadline(bench: Bench) -> None:
    bench.read(CALM)
    bench.read(HIGH)
    until = bench.warnings()[0].until
    bench.wait(5, engine_runs=False)
    bench.start()
    bench.wait(1)
    assert bench.warnings()[0].until == until
    assert "resumed" not in [kind for kind, _ in bench.history()]


def test_a_plant_that_is_removed_takes_its_warning_along(bench: Bench, tmp_path: Path) -> None:
    """Ended and closed with the plant, sent to its former receivers with the plant's name; nobody is reminded again."""
    bench.read(CALM)
    bench.read(HIGH)
    plants = tmp_path / "plants"
    (plants / "small.toml").unlink()
    (plants / "other.toml").write_text(QUIET.replace('id = "small"', 'id = "other"'), encoding="utf-8")
    bench.configuration = load_configuration(plants, bench.journal.number_points, 2)
    bench.engine.adopt(bench.configuration)
    bench.wait(1)
    (warning,) = bench.warnings()
    assert (warning.state, warning.colour, warning.asking) == (WarningState.CLOSED, None, None)
    events = bench.events()
    assert [str(event.kind) for event in events][-2:] == ["ended", "closed"]
    assert "企业已移出配置" in events[-1].detail["comment"]
    sent = [message.body for message in waiting_messages(bench.outbox, "inspector")]
    assert [body["event"] for body in sent] == ["raised", "ended", "closed"]
    of_alarms = [message.body for message in waiting_messages(bench.outbox, "town")]
    assert of_alarms[-1]["event"] == "removed"
    assert {body["enterprise"]["uscc"] for body in sent + of_alarms} == {"91350100M000100Y43"}
    bench.wait(100_000, engine_runs=False)
    bench.start()
    bench.wait(1)
    assert bench.events() == events


def test_acknowledging_and_answering_close_it_once_the_colour_is_gone(bench: Bench) -> None:
    """First the feedback, then the end: closed at the end; the alarm's own life is another matter."""
    bench.read(CALM)
    bench.read(HIGH)
    warning = bench.warnings()[0]
    seen = bench.submit(AcknowledgeWarning(warning.id, OPERATOR, "已到现场")).result(0)
    assert (seen.acknowledged_by, seen.asking) == (OPERATOR.name, Asked.FEEDBACK)
    given = bench.submit(FeedBack(warning.id, OPERATOR, "冷却水泵跳停", "已切换备用泵")).result(0)
    assert given.state is WarningState.OPEN
    calm(bench, 2)
    for _ in range(35):  # never silent
        bench.wait(20)
        bench.read(CALM)
    closed = bench.warnings()[0]
    assert closed.state is WarningState.CLOSED
    assert [kind for kind, _ in bench.history()][-2:] == ["ended", "closed"]
    with pytest.raises(KeyError):
        bench.submit(FeedBack(warning.id, OPERATOR, "again", "again")).result(0)


@pytest.mark.parametrize("restarted", [False, True])
def test_a_warning_goes_on_over_the_renaming_of_its_point(bench: Bench, tmp_path: Path, *, restarted: bool) -> None:
    """What was acknowledged stays so, nobody is notified again, and it ends by the point's readings."""
    bench.read(CALM)
    bench.read(HIGH)
    before = bench.submit(AcknowledgeWarning(bench.warnings()[0].id, OPERATOR, "已到现场")).result(0)
    events = bench.events()
    rename(bench, tmp_path, restarted=restarted)
    bench.wait(1)
    (after,) = bench.warnings()
    assert (after.id, after.colour, after.acknowledged_by) == (before.id, before.colour, OPERATOR.name)
    assert bench.events() == events
    known = bench.engine.engine_state.warnings.by_plant[PLANT].facts.values()
    assert {fact.point for fact in known} == {"CO-09"}
    ended(bench, len(events))


@pytest.mark.parametrize("restarted", [False, True])
def test_a_point_out_of_service_is_so_under_its_new_id_and_once(
    bench: Bench, tmp_path: Path, *, restarted: bool
) -> None:
    bench.read(CALM)
    until = bench.clock.wall() + 3600 * SECOND
    applied = bench.submit(
        Suppress(SuppressionKind.OUT_OF_SERVICE, PLANT, "CO-01", None, "检修", until, OPERATOR)
    ).result(0)
    bench.submit(Decide(applied.id, True, INSPECTOR)).result(0)
    events, sent = bench.events(), len(waiting_messages(bench.outbox, "inspector"))
    assert events
    rename(bench, tmp_path, restarted=restarted)
    bench.wait(1)
    noted = bench.events()[len(events) :]  # on record: its grounds name the point as it is called now
    assert [str(event.kind) for event in noted] == ["inputs-changed"]
    assert len(waiting_messages(bench.outbox, "inspector")) == sent
    known = bench.engine.engine_state.warnings.by_plant[PLANT].facts
    assert [fact.point for fact in known.values() if fact.gone is None] == ["CO-09"]
    bench.submit(End(applied.id, OPERATOR)).result(0)
    ended(bench, len(events))


def ended(bench: Bench, before: int) -> None:
    """Calm again, and never silent: the warning ends and none is raised."""
    for _ in range(35):
        bench.read({"CO-09": 5.0, "CO-02": 5.0})
        bench.wait(20)
    later = [str(event.kind) for event in bench.events()[before:]]
    assert ("raised" in later, later.count("ended")) == (False, 1)


def rename(bench: Bench, folder: Path, *, restarted: bool) -> None:
    """CO-01 becomes CO-09: while the engine runs, or while it is off."""
    text = QUIET.replace('id = "CO-01"', 'id = "CO-09"\nwas = "CO-01"')
    bench.configuration = small_configuration(folder, bench.journal.number_points, text)
    if restarted:
        bench.start()
    else:
        bench.engine.adopt(bench.configuration)


def test_what_is_refused_changes_nothing(bench: Bench) -> None:
    """An enterprise cannot acknowledge what has gone up to the county; nobody acknowledges twice."""
    bench.read(CALM)
    bench.read(HIGH)
    key = bench.warnings()[0].id
    bench.wait(901)
    with pytest.raises(ValueError, match="county"):
        bench.submit(AcknowledgeWarning(key, OPERATOR)).result(0)
    assert bench.warnings()[0].acknowledged is None
    bench.submit(AcknowledgeWarning(key, INSPECTOR)).result(0)
    with pytest.raises(ValueError, match=INSPECTOR.name):
        bench.submit(AcknowledgeWarning(key, INSPECTOR)).result(0)


def test_the_clock_being_set_moves_no_deadline(tmp_path: Path) -> None:
    """An hour forward or back in the middle of a wait: the same steps after the same time."""
    found = []
    for step in (0, 3600, -3600):
        folder = tmp_path / str(step)
        folder.mkdir()
        bench = Bench(folder)
        bench.read(CALM)
        bench.read(HIGH)
        bench.wait(100)
        bench.set_clock(step)
        bench.read(HIGH)
        bench.start()  # what was committed before the step is moved along, too
        bench.wait(1000)
        found.append([(kind, time - step) for kind, time in bench.history() if kind in {"reminded", "escalated"}])
        bench.close()
    assert found[0] == found[1] == found[2]
    assert ("escalated", 902.0) in found[0]


def test_shelving_hides_an_alarm_from_operators_only(bench: Bench) -> None:
    """The colour stays while its alarm is shelved, and goes when the point is out of service, approved by another."""
    bench.read(CALM)
    bench.read(LOW)
    until = bench.clock.wall() + 3600 * SECOND
    shelve = Suppress(SuppressionKind.SHELVED, PLANT, "CO-01", None, "检修", until, OPERATOR)
    bench.submit(shelve).result(0)
    for _ in range(9):
        bench.wait(100)
        bench.read(LOW)
    assert bench.warnings()[0].colour is Colour.YELLOW  # it has stood for 10 min
    applied = bench.submit(replace(shelve, kind=SuppressionKind.OUT_OF_SERVICE)).result(0)
    bench.submit(Decide(applied.id, True, INSPECTOR)).result(0)
    known = bench.engine.engine_state.warnings.by_plant[PLANT].facts.values()
    assert not any(fact.rule == "H" for fact in known), "it never counted, and does not fade"
    for _ in range(9):
        bench.wait(100)
        bench.read(LOW)
    warning = bench.warnings()[0]
    assert [ground.rule for ground in warning.inputs] == ["OUT-OF-SERVICE"]
    assert warning.colour is Colour.BLUE


def test_a_mandatory_point_under_function_check_is_a_reason_until_it_is_ended(bench: Bench) -> None:
    """Beside one that is out of service: neither ends with the other, nor with a shelving."""
    check = bench.submit(
        Suppress(SuppressionKind.FUNCTION_CHECK, PLANT, "CO-01", None, "标气标定", None, OPERATOR)
    ).result(0)
    away = bench.submit(Suppress(SuppressionKind.OUT_OF_SERVICE, PLANT, "CO-01", None, "送检", None, OPERATOR)).result(
        0
    )
    bench.submit(Decide(away.id, True, INSPECTOR)).result(0)
    assert reasons(bench) == {"out-of-service", "function-check"}
    shelf = Suppress(SuppressionKind.SHELVED, PLANT, "CO-01", "H", "校准", bench.clock.wall() + 60 * SECOND, OPERATOR)
    bench.submit(End(bench.submit(shelf).result(0).id, OPERATOR)).result(0)
    assert reasons(bench) == {"out-of-service", "function-check"}
    bench.submit(End(check.id, OPERATOR)).result(0)
    assert reasons(bench) == {"out-of-service"}


def reasons(bench: Bench) -> set[str]:
    """Why points of the plant are not in service now."""
    (warning,) = bench.warnings()
    assert {"OUT-OF-SERVICE", "FUNCTION-CHECK"} <= {ground.rule for ground in warning.inputs}
    known = bench.engine.engine_state.warnings.by_plant[PLANT].facts.values()
    return {fact.key.split("/")[0] for fact in known if fact.alarm is None and fact.gone is None}


def test_an_alarm_acknowledged_is_no_news_to_its_warning(bench: Bench) -> None:
    """By the rules that come with the service, seeing an alarm changes no colour."""
    bench.read(CALM)
    bench.read(LOW)
    alarm = next(iter(bench.engine.engine_state.alarms.values()))
    before = len(bench.events())
    bench.submit(Acknowledge(alarm.id, OPERATOR)).result(0)
    assert len(bench.events()) == before


def test_nobody_assigned_means_everyone(tmp_path: Path) -> None:
    """A plant nobody answers for goes to the province at once, and is asked about again and again."""
    bench = Bench(tmp_path, config=WarningsConfig())
    bench.read(CALM)
    bench.read(HIGH)
    bench.wait(1900)
    warning = bench.warnings()[0]
    assert (warning.step, warning.who) == (Step.PROVINCE, ())
    assert [kind for kind, _ in bench.history() if kind != "inputs-changed"] == ["raised", *["reminded"] * 4]
    bench.close()


def test_a_plant_file_that_marks_a_rule_red_makes_its_standing_alarm_red(bench: Bench, tmp_path: Path) -> None:
    """What is known is seen as the file has it now, without any alarm changing; so is who answers for it."""
    bench.read(CALM)
    bench.read(HIGH)
    assert bench.warnings()[0].colour is Colour.ORANGE
    marked = QUIET.replace("[points.rules.HH]", "[points.rules.HH]\nred = true", 1)
    bench.engine.adopt(small_configuration(tmp_path, bench.journal.number_points, marked))
    bench.wait(1)
    assert bench.warnings()[0].colour is Colour.RED


def test_other_reasons_are_kept_and_sent_to_nobody(bench: Bench) -> None:
    """Explanations of the colour need them; receivers know them already."""
    bench.read(CALM)
    bench.read(HIGH)
    for _ in range(12):
        bench.read({"CO-01": 170.0, "CO-02": 30.0})
    assert [kind for kind, _ in bench.history()] == ["raised", "inputs-changed"]
    sent = waiting_messages(bench.outbox, "inspector")
    assert [message.body["event"] for message in sent if message.kind == "warning"] == ["raised"]


def test_a_rule_taken_out_of_the_plant_file_counts_no_more(bench: Bench, tmp_path: Path) -> None:
    """The plant file changes while its alarm stands: the warning fades, and no other one comes."""
    bench.read(CALM)
    bench.read(HIGH)
    gone = QUIET.replace('"PINNED_HH"]', '"PINNED_HH", "HH", "H"]', 1)
    gone = gone.replace(
        """[points.rules.H]
on = 24
off = 20
on_delay_s = 0
[points.rules.HH]
on = 160
off = 140
on_delay_s = 0
""",
        "",
    )
    bench.configuration = small_configuration(tmp_path, bench.journal.number_points, gone)
    bench.engine.adopt(bench.configuration)
    for _ in range(35):  # never silent
        bench.wait(20)
        bench.read(CALM)
    (warning,) = bench.warnings()
    assert (warning.colour, warning.state) == (None, WarningState.OVER)
