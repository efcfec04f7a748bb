"""Calls by API and page: who is rung, who may answer, what channels report, who is on duty, who reads numbers."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from ingest.domain.model.call import Call
from ingest.domain.model.delivery_failure import Failure
from ingest.domain.model.outbox import Attempt
from ingest.services.access import Principal
from ingest.services.calls import duty
from ingest.services.errors import Conflict
from ingest.storage.state.outbox_store import OutboxStore
from tests.ingest.web.called_people import VOICE, begin_call
from tests.ingest.web.conftest import Ask
from tests.ingest.web.made_up_plants import ALUMINIUM, MINUTE, STEEL, WOOD
from tests.ingest.web.stand_in import ADMIN, DISPLAY, ELSEWHERE, INSPECTOR, OPERATOR, StandIn

CALLS, DUTY = "/api/v1/calls", "/api/v1/duty"
NUMBER = "+8613800000011"


def begin(hall: StandIn, plant: str = STEEL) -> Call:
    """A call for a red warning of a plant, a minute later."""
    hall.time += MINUTE
    return begin_call(hall.calls, hall.time, plant)


async def test_a_call_is_shown_with_everybodys_receipts_and_answered(ask: Ask, hall: StandIn) -> None:
    """The channel reports twice; the console answers; what was rung and what happened is on the page."""
    call = begin(hall)
    attempt = str(call.attempts[0].id)
    channel, report = ask(VOICE), {"attempt": attempt, "receipt": "not-answered"}
    for _ in range(2):
        assert (await channel.post(f"{CALLS}/receipts/voice", json=report)).json() == {"known": True}
    shown = (await ask(OPERATOR).get(f"{CALLS}/{call.id}")).json()
    assert [(of["person"], of["receipt"], of["attempt"]) for of in shown["attempts"]] == [
        ("张三", "not-answered", 1), ("张三", "called", 2),
    ]  # fmt: skip
    page = (await ask(OPERATOR).get(f"/calls/{call.id}")).text
    for words in ("正在叫应", "未接听", "无人签到，按排班叫应", NUMBER, "我去现场"):
        assert words in page
    answered = (await ask(INSPECTOR).post(f"{CALLS}/{call.id}/answer")).json()
    assert (answered["state"], answered["answered_by"], answered["by_way"]) == ("answered", "南安市应急管理局", "api")
    late = await channel.post(f"{CALLS}/receipts/voice", json=report | {"receipt": "acknowledged"})
    assert late.json() == {"known": True}
    page = (await ask(OPERATOR).get("/calls?state=all")).text
    assert "已应答" in page
    assert str(call.id) not in (await ask(OPERATOR).get("/calls")).text


async def test_refusing_rings_the_next_and_arriving_ends_the_errand(ask: Ask, hall: StandIn) -> None:
    """By the forms of the console; a display has none."""
    call, client = begin(hall), ask(OPERATOR)
    for person in ("张三", "李四", "王五"):
        assert (await client.get(f"{CALLS}/{call.id}")).json()["ringing"] == [person]
        assert person not in (await ask(DISPLAY).get(f"/calls/{call.id}")).text.partition("不能来")[2]
        await client.post(f"/calls/{call.id}/refuse", data={"person": person})
    page = (await client.get("/calls")).text
    assert "无人应答" in page
    assert "须派人到场" in page
    assert (await client.post(f"/calls/{call.id}/under-way")).status_code == 303
    assert (await client.post(f"{CALLS}/{call.id}/arrived")).json()["arrived_by"] == "中控室 王建国"
    listed = (await client.get(CALLS, params={"standing": "true"})).json()["calls"]
    assert listed == []


async def test_receipts_are_the_channels_own_and_a_channel_reaches_nothing_else(ask: Ask, hall: StandIn) -> None:
    call = begin(hall)
    report = {"attempt": str(call.attempts[0].id), "receipt": "acknowledged"}
    for token in (OPERATOR, ADMIN, DISPLAY):
        assert (await ask(token).post(f"{CALLS}/receipts/voice", json=report)).status_code == 403
    assert (await ask(VOICE).post(f"{CALLS}/receipts/sms", json=report)).status_code == 403
    unknown = await ask(VOICE).post(f"{CALLS}/receipts/voice", json=report | {"attempt": str(call.id)})
    assert (unknown.status_code, unknown.json()) == (200, {"known": False})
    for path in ("/calls", CALLS, "/api/v1/alarms", "/metrics", "/alarms"):
        assert (await ask(VOICE).get(path)).status_code == 403
    stored = hall.calls.store.call(call.id)
    assert stored is not None
    assert stored.answered is None


async def test_numbers_are_shown_to_whom_the_settings_show_them(ask: Ask, hall: StandIn) -> None:
    call = begin(hall)
    for token, visible in ((OPERATOR, True), (ADMIN, True), (INSPECTOR, False), (DISPLAY, False)):
        for path in (f"/calls/{call.id}", f"{CALLS}/{call.id}"):
            assert (NUMBER in (await ask(token).get(path)).text) == visible, (token, path)


async def test_nobody_sees_or_answers_calls_of_plants_out_of_scope(ask: Ask, hall: StandIn) -> None:
    ours, others = begin(hall, WOOD), begin(hall, STEEL)
    client = ask(ELSEWHERE)
    assert [of["id"] for of in (await client.get(CALLS)).json()["calls"]] == [str(ours.id)]
    assert (await client.post(f"{CALLS}/{others.id}/answer")).status_code == 404
    assert (await client.post(f"{DUTY}/sign-in", json=signed("张三"))).status_code == 404
    assert [of["plant"] for of in (await client.get(DUTY)).json()["plants"]] == [WOOD]


def signed(person: str, plant: str = STEEL) -> dict[str, str]:
    return {"plant": plant, "position": "值班长", "person": person}


async def test_who_signs_in_hands_over_and_swaps_is_on_record(ask: Ask, hall: StandIn) -> None:
    """The next call rings whoever is on duty then; each change is in the audit trail."""
    client = ask(OPERATOR)
    first = (await client.post(f"{DUTY}/sign-in", json=signed("王五"))).json()
    assert (await client.post(f"{DUTY}/sign-in", json=signed("王五"))).status_code == 409
    assert begin(hall).ringing[0].person == "王五"
    taken = await client.post(f"{DUTY}/{first['id']}/hand-over", json={"to": "李四"})
    assert taken.status_code == 201
    assert (await client.post(f"{DUTY}/{first['id']}/sign-out")).status_code == 409
    position = (await client.get(DUTY, params={"plant": STEEL})).json()["plants"][0]["positions"][0]
    assert (position["called"], position["gap"]) == (["李四"], False)
    assert (await client.post(f"{DUTY}/{taken.json()['id']}/sign-out")).status_code == 200
    begins = position["planned"][-1]["begin"]
    body = signed("张三") | {"begin": begins, "substitute": "王五"}
    assert (await client.post(f"{DUTY}/swaps", json=body)).status_code == 201
    assert (await client.post(f"{DUTY}/swaps", json=body)).status_code == 422  # 张三 is not planned any more
    page = (await client.get("/duty")).text
    assert "王五, 李四" in page
    for person, position_name in (("赵六", "值班长"), ("张三", "门卫")):
        wrong = await client.post(f"{DUTY}/sign-in", json=signed(person) | {"position": position_name})
        assert wrong.status_code == 422
    with hall.database.read() as connection:
        acts = {row[0] for row in connection.exec_driver_sql("SELECT action FROM audit WHERE kind = 'roster'")}
    assert acts == {"signed-in", "handed-over", "signed-out", "swapped"}


async def test_whoever_hands_over_or_swaps_does_so_to_somebody_else_and_nobody_is_there_twice(
    ask: Ask, hall: StandIn
) -> None:
    """Handing over to one who signed in already ends one sign-in and leaves the other; a shift that is over stays."""
    client = ask(OPERATOR)
    first, second = [(await client.post(f"{DUTY}/sign-in", json=signed(each))).json() for each in ("张三", "李四")]
    itself = await client.post(f"{DUTY}/{first['id']}/hand-over", json={"to": "张三"})
    assert (itself.status_code, itself.json()["message"]["zh"]) == (409, "须由另一个人接替。")
    taken = (await client.post(f"{DUTY}/{first['id']}/hand-over", json={"to": "李四"})).json()
    assert taken["id"] == second["id"]
    position = (await client.get(DUTY, params={"plant": STEEL})).json()["plants"][0]["positions"][0]
    assert [of["id"] for of in position["present"]] == [second["id"]]
    begins = position["planned"][-1]["begin"]
    body = signed("张三") | {"begin": begins, "substitute": "张三"}
    assert (await client.post(f"{DUTY}/swaps", json=body)).status_code == 409
    hall.time += 3 * 24 * 60 * MINUTE
    over = await client.post(f"{DUTY}/swaps", json=body | {"substitute": "王五"})
    assert (over.status_code, over.json()["message"]["zh"]) == (409, "该班次已经结束。")


def test_one_who_is_signed_in_by_several_at_once_is_there_once(hall: StandIn) -> None:
    """Of eight callers in the same moment one signs the person in, and the others hear that it is done."""
    caller, together = Principal("control room", "operator", None), threading.Barrier(8)

    def sign_in() -> str:
        together.wait()
        try:
            return duty.sign_in(hall.ports, caller, STEEL, "值班长", "王五").person
        except Conflict as error:
            return str(error)

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(future.result() for future in [pool.submit(sign_in) for _ in range(8)])
    assert answers == ["王五"] + ["王五 is signed in there"] * 7


async def test_a_message_that_its_receiver_rejected_is_shown_as_that(ask: Ask, hall: StandIn) -> None:
    """With what the receiver answered; the next try is shown beside it."""
    call, outbox = begin(hall), OutboxStore(hall.database)
    [waiting] = outbox.waiting("voice", "call", 0, 9)
    error = Failure("http-words", status=400, words="no such number")
    outbox.record("voice", [Attempt(waiting.seq, hall.time, None, error, hall.time)])
    hall.calls.pass_time(hall.time)
    page = (await ask(OPERATOR).get(f"/calls/{call.id}")).text
    for words in ("接收方拒收", "接收方应答 HTTP 400：no such number", "失败"):
        assert words in page
    assert "已撤回" not in page
    first, second = (await ask(OPERATOR).get(f"{CALLS}/{call.id}")).json()["attempts"]
    assert (first["receipt"], first["withdrawn"], second["attempt"]) == ("failed", None, 2)
    assert first["rejected"] is not None


async def test_who_was_not_rung_cannot_refuse(ask: Ask, hall: StandIn) -> None:
    call = begin(hall)
    wrong = await ask(OPERATOR).post(f"{CALLS}/{call.id}/refuse", json={"person": "王五"})
    assert (wrong.status_code, wrong.json()["message"]["zh"]) == (409, "本次叫应没有呼叫过 王五。")


async def test_a_plant_that_calls_nobody_says_so_plainly(ask: Ask, hall: StandIn) -> None:
    """And its roll cannot be called."""
    page = (await ask(OPERATOR).get(f"/duty?plant={ALUMINIUM}")).text
    assert "红色预警时不会有人被叫到" in page
    assert "红色预警时不会有人被叫到：" in (await ask(OPERATOR).get("/calls")).text
    assert "nobody" in (await ask(OPERATOR).get("/duty", headers={"cookie": "lang=en"})).text
    assert (await ask(INSPECTOR).post(f"{CALLS}/roll", json={"plant": ALUMINIUM})).status_code == 409
    assert hall.calls.store.open_calls() == []


async def test_a_roll_call_records_who_answered_and_how_soon(ask: Ask, hall: StandIn) -> None:
    """Whoever is on duty is rung once; nobody has to go anywhere if nobody answers."""
    client = ask(INSPECTOR)
    begun = (await client.post(f"{CALLS}/roll", json={"plant": STEEL})).json()
    assert (begun["cause"], begun["ringing"]) == ("roll-call", ["张三"])
    assert (await client.post(f"{CALLS}/roll", json={"plant": STEEL})).status_code == 409
    hall.time += MINUTE // 2
    report = {"attempt": begun["attempts"][0]["id"], "receipt": "acknowledged"}
    await ask(VOICE).post(f"{CALLS}/receipts/voice", json=report)
    shown = (await client.get(f"{CALLS}/{begun['id']}")).json()
    assert (shown["answered_by"], shown["answered_after_s"], shown["by_way"]) == ("张三", 30.0, "voice")
    silent = (await client.post(f"{CALLS}/roll", json={"plant": STEEL})).json()
    for _ in range(3):
        hall.time += MINUTE
        hall.calls.pass_time(hall.time)
    shown = (await client.get(f"{CALLS}/{silent['id']}")).json()
    assert (shown["state"], shown["errand"]) == ("unanswered", None)
