"""A warning at 02:11 reaches somebody: who is called, who is called next, what stops it, over crashes and restarts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from ingest.domain.calls.happenings import Answer, Arrival, ReceiptArrived, UnderWay
from ingest.domain.calls.roster import Presence
from ingest.domain.model.alarm import AlarmState
from ingest.domain.model.call import Call, CallEventKind, CallState, Cause, Receipt
from ingest.domain.model.plant import SERVICE
from ingest.domain.model.warning import Colour, WarningState
from ingest.storage.state import audit
from ingest.storage.state.audit import AuditStore
from ingest.storage.state.errors import StateUnavailable
from tests import migrated
from tests.ingest.runtime.called import SECOND, SETTINGS, START, CalledPlants
from tests.small_plant import small_configuration

K = CallEventKind


@pytest.fixture
def plants(tmp_path: Path) -> Iterator[CalledPlants]:
    database = migrated.opened(tmp_path / "state.db")
    yield CalledPlants(database)
    database.close()


def test_nobody_answers_until_the_township_does(plants: CalledPlants) -> None:
    """甲 twice, 乙 twice, then the township's; pressing 1 stops every other channel. A crash at each step."""
    plants.warn()
    rung = []
    for _ in range(5):
        plants.restart()
        plants.after()
        rung.append((plants.rung(), plants.call.ringing[0].attempt))
        plants.restart()
        plants.after(59)
        assert plants.rung() == rung[-1][0]
        plants.after(1)
    assert rung == [(["甲"], 1), (["甲"], 2), (["乙"], 1), (["乙"], 2), (["镇长"], 1)]
    assert plants.waiting() == [("voice", "镇长"), ("sms", "镇长")]  # what waited for others was withdrawn
    assert plants.call.overdue
    plants.receipt(Receipt.ACKNOWLEDGED, "镇长")
    assert plants.waiting() == []
    call = plants.call
    assert (call.state, call.answered_by, call.by_way, call.errand) == (CallState.ANSWERED, "镇长", "voice", None)
    plants.restart()
    plants.after(3600)
    assert len(plants.calls()) == 1
    assert len(call.attempts) == len(plants.call.attempts) == 12
    gaps = [event.detail["title"] for event in plants.store.events(call.id) if event.kind is K.GAP]
    assert gaps == ["值班长", "镇值班"]  # nobody had signed in


def test_a_receipt_of_no_answer_goes_on_at_once_and_the_last_step_sends_somebody(plants: CalledPlants) -> None:
    """Voice and SMS of both tries fail: no minute is lost. Somebody has to go there until somebody arrived."""
    plants.warn("p2")
    plants.after()
    for person in ("甲", "甲", "乙", "乙"):
        assert plants.rung() == [person]
        plants.receipt(Receipt.NOT_ANSWERED, person)
        assert plants.rung() == [person]  # the SMS may still be read
        plants.receipt(Receipt.FAILED, person, "sms")
    call = plants.call
    assert (call.state, call.errand, call.open) == (CallState.UNANSWERED, START, True)  # p2 has no township step
    assert plants.kinds()[-4:] == [K.STEP, K.NOBODY, K.EXHAUSTED, K.SEND_SOMEBODY]
    plants.restart()
    plants.after(600)
    assert plants.call.open
    plants.says(UnderWay(plants.time, "丙", "console"))
    assert (plants.call.state, plants.call.open) == (CallState.ANSWERED, True)
    plants.says(Arrival(plants.time, "丙", "console"))
    assert (plants.call.arrived_by, plants.call.open) == ("丙", False)


def test_acknowledging_the_warning_stops_the_ringing(plants: CalledPlants) -> None:
    warning = plants.warn()
    plants.after()
    plants.acknowledge(warning)
    plants.restart()
    plants.after(10)
    call = plants.call
    assert (call.state, call.answered_by, call.by_way) == (CallState.ANSWERED, "王工", "warning")
    assert plants.waiting() == []
    assert len(plants.withdrawn) == 2


def test_a_warning_answered_before_anybody_looked_calls_nobody(plants: CalledPlants) -> None:
    plants.acknowledge(plants.warn())
    plants.warn("p2", Colour.YELLOW)
    plants.after()
    assert plants.calls() == []


def test_the_second_and_the_third_warning_of_a_plant_are_calls_of_their_own(plants: CalledPlants) -> None:
    for number in range(1, 4):
        warning = plants.warn()
        plants.after()
        assert len(plants.calls()) == number
        assert plants.rung() == ["甲"]
        plants.receipt(Receipt.ACKNOWLEDGED, "甲", "sms")
        assert plants.rung() == []
        plants.write(warning, state=WarningState.CLOSED, asking=None)
        plants.after(60)
    assert [call.state for call in plants.calls()] == [CallState.ANSWERED] * 3


def test_a_graver_colour_takes_the_place_of_the_call(plants: CalledPlants) -> None:
    """Also after the graver one is the highest of an answered call."""
    warning = plants.warn(colour=Colour.ORANGE)
    plants.after()
    plants.write(warning, colour=Colour.RED, peak=Colour.RED)
    plants.after(20)
    orange, red = plants.calls()
    assert (orange.state, red.state, red.colour) == (CallState.WITHDRAWN, CallState.RINGING, Colour.RED)
    assert plants.waiting() == [("voice", "甲"), ("sms", "甲")]


def test_two_plants_at_once_do_not_disturb_each_other(plants: CalledPlants) -> None:
    plants.warn("p1")
    plants.warn("p2")
    plants.after()
    first, second = plants.calls("p1") + plants.calls("p2")
    plants.says(Answer(plants.time, "甲", "api"), first)
    plants.after(60)
    assert [call.state for call in (*plants.calls("p1"), *plants.calls("p2"))] == [
        CallState.ANSWERED,
        CallState.RINGING,
    ]
    assert plants.rung(plants.calls("p2")[0]) == ["甲"]
    assert len(plants.waiting()) == 2
    assert second.id == plants.calls("p2")[0].id


def test_a_burst_of_alarms_is_one_call_and_what_comes_after_the_answer_another(plants: CalledPlants) -> None:
    first = plants.raise_alarm(point="T-1")
    plants.raise_alarm(point="T-2")
    plants.after()
    plants.raise_alarm(point="T-3")
    plants.after(5)
    assert len(plants.calls()) == 1
    plants.receipt(Receipt.ACKNOWLEDGED, "甲")
    plants.after(3600)
    assert len(plants.calls()) == 1  # whoever answered heard of them
    plants.raise_alarm(point="T-4")
    plants.after()
    assert [call.state for call in plants.calls()] == [CallState.ANSWERED, CallState.RINGING]
    plants.set_alarm(first, state=AlarmState.UNACKNOWLEDGED, annunciated=plants.time)
    plants.after()
    assert len(plants.calls()) == 2


def test_an_alarm_beside_the_acknowledged_is_called_for_in_the_end(plants: CalledPlants) -> None:
    """Somebody at the console acknowledged one of two, and left."""
    first = plants.raise_alarm(point="T-1")
    plants.raise_alarm(point="T-2")
    plants.after()
    assert plants.call.subject in {str(alarm) for alarm in plants.book}
    for alarm in (first, *plants.book.values()):
        if str(alarm.id) == plants.call.subject:
            plants.set_alarm(alarm, state=AlarmState.ACKNOWLEDGED, acked=plants.time, acked_by="王工")
            break
    plants.after(30)
    assert [call.by_way for call in plants.calls()] == ["alarm"]
    plants.after(600)
    assert [call.state for call in plants.calls()] == [CallState.ANSWERED, CallState.RINGING]


def test_an_alarm_that_a_person_shelved_calls_nobody_any_more(plants: CalledPlants) -> None:
    alarm = plants.raise_alarm()
    plants.after()
    plants.set_alarm(alarm, state=AlarmState.SHELVED)
    plants.after(1)
    assert (plants.call.state, plants.waiting()) == (CallState.WITHDRAWN, [])


def test_a_channel_without_a_connector_has_failed_at_once(plants: CalledPlants) -> None:
    """丁 has a fax alone, which no connector delivers: the next person is rung in the same moment."""
    plants.raise_alarm(SERVICE)
    plants.after()
    assert plants.call.cause is Cause.SYSTEM
    assert [(each.person, each.receipt) for each in plants.call.attempts] == [
        ("丁", Receipt.FAILED), ("县长", Receipt.CALLED), ("县长", Receipt.CALLED),
    ]  # fmt: skip
    assert plants.waiting() == [("voice", "县长"), ("sms", "县长")]


def test_who_signed_in_is_called_instead_of_who_is_planned(plants: CalledPlants) -> None:
    until = START + 3600 * SECOND
    there = Presence(UUID(int=1), "p1", "值班长", "丙", START - SECOND, until, "丙")
    plants.store.change_roster([there], [], [])
    plants.warn()
    plants.after()
    assert plants.rung() == ["丙"]
    assert K.GAP not in plants.kinds()
    plants.store.change_roster([replace(there, ended=plants.time, handed_to="乙")], [], [])
    plants.after(60)
    plants.after(60)
    assert plants.rung() == ["甲"]  # nobody is signed in: those planned count


def test_a_time_in_which_the_service_was_down_skips_nobody(plants: CalledPlants) -> None:
    plants.warn()
    plants.after()
    plants.restart()
    plants.after(7200)
    assert (plants.rung(), plants.call.ringing[0].attempt) == (["甲"], 2)
    plants.after(59)
    assert plants.rung() == ["甲"]


def test_a_clock_that_is_set_back_holds_nobody_up(plants: CalledPlants) -> None:
    plants.warn()
    plants.after()
    plants.after(-7200)
    plants.after(60)
    assert (plants.rung(), plants.call.ringing[0].attempt) == (["甲"], 2)


def test_what_fails_in_the_commit_is_done_once_and_whole_later(
    plants: CalledPlants, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Call, events, messages and acts are of one transaction."""

    def fail(*_arguments: object) -> None:
        raise StateUnavailable("the disk is full")

    plants.warn()
    with monkeypatch.context() as broken:
        broken.setattr(audit, "append", fail)
        with pytest.raises(StateUnavailable):
            plants.after()
    assert (plants.calls(), plants.waiting()) == ([], [])
    plants.after()
    plants.after()
    assert len(plants.calls()) == 1
    assert plants.waiting() == [("voice", "甲"), ("sms", "甲")]
    acts = [row.act.action for row in AuditStore(plants.database.rows, list).acts(limit=99)]
    assert acts.count("began") == 1


def test_late_and_unknown_receipts_do_no_harm(plants: CalledPlants) -> None:
    """One that comes after the next person is rung, one for nobody, one after the end, and each twice."""
    plants.warn()
    plants.after()
    first = plants.call.attempts[0]
    plants.after(60)
    plants.after(60)
    assert plants.rung() == ["乙"]
    for _ in range(2):
        late = plants.desk.receive(ReceiptArrived(plants.time, first.id, Receipt.NOT_ANSWERED))
        assert late is not None
        assert plants.rung(late) == ["乙"]
        assert plants.desk.receive(ReceiptArrived(plants.time, plants.call.id, Receipt.ACKNOWLEDGED)) is None
    for _ in range(2):
        answered = plants.desk.receive(ReceiptArrived(plants.time, first.id, Receipt.ACKNOWLEDGED))
        assert answered is not None
        assert (answered.state, answered.answered_by) == (CallState.ANSWERED, "甲")
    plants.receipt(Receipt.REFUSED, "乙")
    assert plants.kinds().count(K.ANSWERED) == 1
    assert plants.call.state is CallState.ANSWERED


def test_a_plant_without_a_ladder_calls_nobody_and_says_so(plants: CalledPlants) -> None:
    plants.warn("p3")
    plants.after()
    plants.after()
    assert plants.calls() == []


def test_every_call_is_read_back_as_it_was(plants: CalledPlants) -> None:
    """With its ladder, attempts and people, from the database."""
    plants.warn()
    plants.after()
    call = plants.call
    assert isinstance(call, Call)
    assert plants.store.call(call.id) == call
    assert call.ladder == plants.config.ladder("p1", "", Cause.WARNING, Colour.RED)
    assert {each.address for each in call.attempts} == {"+86-甲"}


def test_the_roll_is_called_once_a_night_over_restarts(tmp_path: Path) -> None:
    """At a time that nobody knows, of one who is on duty; nobody has to go anywhere."""
    ladders = [{"steps": [{"position": "值班长"}]}]
    database = migrated.opened(tmp_path / "state.db")
    plants = CalledPlants(database, {**SETTINGS, "ladders": ladders, "roll_call": {"nights_a_week": 7}})
    plants.enterprises = [*small_configuration(tmp_path).enterprises()]
    for _ in range(2 * 24 * 4):
        plants.restart()
        plants.after(900)
    calls = plants.of(Cause.ROLL_CALL)
    assert len(calls) in {2, 3}  # the first night had begun
    assert all(call.people_called[0] == "甲" and call.errand is None and not call.ringing for call in calls)
    assert len({call.subject for call in calls}) == len(calls)
    assert not any(call.open for call in calls)
    database.close()


def test_a_message_that_its_receiver_rejects_has_failed_at_once_over_a_crash(plants: CalledPlants) -> None:
    """A number that is none: the next try, and then the next person, is rung without waiting for the rest of a try."""
    plants.warn()
    plants.after()
    plants.reject("甲", "voice")
    plants.after(1)
    assert plants.rung() == ["甲"]  # the SMS may still be read
    assert plants.call.ringing[0].attempt == 1
    plants.reject("甲", "sms")
    plants.restart()
    plants.after(1)
    assert (plants.rung(), plants.call.ringing[0].attempt) == (["甲"], 2)
    for connector in ("voice", "sms"):
        plants.reject("甲", connector)
    for _ in range(3):
        plants.restart()
        plants.after(1)
        assert plants.rung() == ["乙"]
    failed = [event for event in plants.store.events(plants.call.id) if event.detail.get("receipt") == Receipt.FAILED]
    assert [(event.person, event.detail["way"]) for event in failed] == [("甲", "voice"), ("甲", "sms")] * 2
    assert failed[0].detail["words"] == "接收方应答 HTTP 400：no such number HTTP 400: no such number"
    first, *_ = plants.store.sent(plants.call).values()
    assert (first.withdrawn, first.rejected) == (None, START)
    plants.receipt(Receipt.ACKNOWLEDGED, "乙")
    assert plants.call.state is CallState.ANSWERED
