"""What is shelved, suppressed or out of service calls nobody, is on record, and shows again by itself."""

from __future__ import annotations

import time
from typing import Any

import pytest

from ingest.domain.model.alarm import AlarmState
from ingest.domain.model.suppression import SuppressionKind, SuppressionState
from ingest.engine.commands import Decide, End, Suppress
from ingest.storage.state.audit import AuditStore
from ingest.storage.state.suppressions import SuppressionStore
from tests.ingest.delivery.stored import waiting_messages
from tests.ingest.engine.bench import INSPECTOR, OPERATOR, PATIENCE_S, Bench
from tests.small_plant import PLANT


def shelve(bench: Bench, **changed: Any) -> Suppress:
    command: dict[str, Any] = {"rule": "H", "reason": "校准", "until": time.time_ns() + 1800 * 10**9}
    command |= {"kind": SuppressionKind.SHELVED, "plant": PLANT, "point": "CO-01", "who": OPERATOR} | changed
    return Suppress(**command)


def test_a_shelved_rule_raises_no_call_but_reaches_record_outbox_and_audit(bench: Bench) -> None:
    shelved = bench.engine.submit(shelve(bench)).result(PATIENCE_S)
    bench.send("CO-01", [30])
    bench.settle()
    (alarm,) = bench.found()
    assert alarm.state is AlarmState.SHELVED
    messages = [m.body for m in waiting_messages(bench.outbox, "inspector")]
    assert [(body["event"], body["alarm"]["state"]) for body in messages] == [
        ("raised", "unacknowledged"), ("shelved", "shelved"),
    ]  # fmt: skip
    assert messages[1]["detail"] == {"suppression": str(shelved.id), "reason": "校准"}
    bench.engine.submit(End(shelved.id, OPERATOR)).result(PATIENCE_S)
    assert [a.state for a in bench.found()] == [AlarmState.UNACKNOWLEDGED]
    acts = [row.act for row in AuditStore(bench.database.rows).acts(limit=10)][::-1]
    trail = [(act.actor, act.action, act.kind) for act in acts]
    assert trail == [
        ("张三", "shelved", "suppression"), ("yujing", "raised", "alarm"), ("yujing", "shelved", "alarm"),
        ("张三", "unshelved", "alarm"), ("张三", "ended", "suppression"),
    ]  # fmt: skip


def test_a_shelf_whose_time_is_over_lets_the_alarm_show_again_by_itself_also_after_a_restart(bench: Bench) -> None:
    bench.send("CO-01", [30])
    bench.settle()
    bench.engine.submit(shelve(bench, until=time.time_ns() + 10**9)).result(PATIENCE_S)
    assert [a.state for a in bench.found()] == [AlarmState.SHELVED]
    bench.restart(clean=False)
    deadline = time.monotonic() + PATIENCE_S
    while [a.state for a in bench.found()] != [AlarmState.UNACKNOWLEDGED]:
        assert time.monotonic() < deadline, "it stays hidden"
        time.sleep(0.01)
    (shelved,) = SuppressionStore(bench.database).suppressions(limit=10)
    assert (shelved.state, shelved.ended_by, shelved.ended) == (SuppressionState.ENDED, "yujing", shelved.until)


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"rule": "HH"}, "highest level"),
        ({"until": None}, "at most 8 h from now"),
        ({"until": 1 << 62}, "at most 8 h from now"),
        ({"until": 1}, "still to come"),
        ({"rule": None, "kind": SuppressionKind.OUT_OF_SERVICE, "begins": 1 << 61, "until": 1 << 60}, "still to come"),
        ({"rule": "H", "kind": SuppressionKind.OUT_OF_SERVICE}, "as a whole"),
    ],
)
def test_what_may_not_be_hidden_is_refused_and_says_why(bench: Bench, changed: dict[str, Any], refusal: str) -> None:
    with pytest.raises(ValueError, match=refusal):
        bench.engine.submit(shelve(bench, **changed)).result(PATIENCE_S)
    for unknown in ({"point": "CO-99"}, {"rule": "XX"}, {"plant": "elsewhere"}):
        with pytest.raises(KeyError):
            bench.engine.submit(shelve(bench, **unknown)).result(PATIENCE_S)
    assert SuppressionStore(bench.database).suppressions(limit=10) == []


def test_shelving_a_whole_point_never_hides_its_highest_level(bench: Bench) -> None:
    bench.engine.submit(shelve(bench, rule=None)).result(PATIENCE_S)
    bench.send("CO-01", [170])
    bench.settle()
    assert {a.rule: a.state for a in bench.found()} == {"H": AlarmState.SHELVED, "HH": AlarmState.UNACKNOWLEDGED}


def test_a_point_goes_out_of_service_only_once_somebody_else_approved(bench: Bench) -> None:
    """It then hides every level; nothing of it is lost, and it shows again when the point is back."""
    command = shelve(bench, rule=None, kind=SuppressionKind.OUT_OF_SERVICE, until=None)
    applied = bench.engine.submit(command).result(PATIENCE_S)
    assert applied.state is SuppressionState.APPLIED
    bench.send("CO-01", [170])
    bench.settle()
    assert {a.state for a in bench.found()} == {AlarmState.UNACKNOWLEDGED}, "asking for it hides nothing"
    with pytest.raises(ValueError, match="applied for it"):
        bench.engine.submit(Decide(applied.id, approved=True, who=OPERATOR)).result(PATIENCE_S)
    decided = bench.engine.submit(Decide(applied.id, approved=True, who=INSPECTOR)).result(PATIENCE_S)
    assert (decided.state, decided.approver) == (SuppressionState.IN_FORCE, "李监察")
    assert {a.state for a in bench.found()} == {AlarmState.OUT_OF_SERVICE}
    with pytest.raises(ValueError, match="李监察 approved this application"):
        bench.engine.submit(Decide(applied.id, approved=False, who=INSPECTOR)).result(PATIENCE_S)
    bench.engine.submit(End(applied.id, OPERATOR)).result(PATIENCE_S)
    assert {a.state for a in bench.found()} == {AlarmState.UNACKNOWLEDGED}
    with pytest.raises(KeyError):
        bench.engine.submit(End(applied.id, OPERATOR)).result(PATIENCE_S)
