"""Deliveries by API and page: seen and changed by admins of all plants alone, each act in the audit trail."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from uuid import uuid4

from ingest.domain.model.delivery_failure import Failure
from ingest.domain.model.outbox import Attempt, LaneState, Message
from ingest.storage.state.audit import AuditStore
from ingest.storage.state.engine_store import EngineStore
from ingest.storage.state.outbox_store import OutboxStore
from tests.ingest.delivery.outbox import alarm_message
from tests.ingest.web.conftest import Ask
from tests.ingest.web.stand_in import ADMIN, OPERATOR, StandIn

API = "/api/v1/outbox"
WORDS = Failure("http-words", status="422 Unprocessable Entity", words="未知测点 <b>")


def fill(hall: StandIn) -> Sequence[Message]:
    """Of county: 1 waits, 2 and 3 are rejected, 4 is delivered; 5 of town waits."""
    names = ["county"] * 4 + ["town"]
    messages = [
        replace(alarm_message(0, point=f"P-{at}"), connector=name, id=uuid4(), created=hall.time)
        for at, name in enumerate(names)
    ]
    committed = EngineStore(hall.database).commit(1, [], messages)
    assert committed is not None
    outbox, now = OutboxStore(hall.database), hall.time
    outbox.record("county", [Attempt(committed[0].seq, now, None, Failure("timeout", seconds="15"))])
    outbox.record("county", [Attempt(message.seq, now, None, WORDS, now) for message in committed[1:3]])
    outbox.record("county", [Attempt(committed[3].seq, now, now, None)])
    return committed


def acts(hall: StandIn) -> list[tuple[str, str, str, str]]:
    trail = AuditStore(hall.database.rows)
    assert trail.verify().whole
    found = [row.act for row in reversed(trail.acts(limit=99, kind="message"))]
    return [(act.actor, act.role, act.action, act.subject) for act in found]


async def test_what_is_rejected_is_resent_or_dropped_once_and_the_sender_hears_of_it(ask: Ask, hall: StandIn) -> None:
    waiting, first, second, delivered, _ = fill(hall)
    admin = ask(ADMIN)
    county, town = (await admin.get(f"{API}/receivers")).json()
    assert (county["state"], county["waiting"], county["rejected"], county["attempts"]) == ("up", 1, 2, 1)
    assert (town["receiver"], town["state"], town["waiting"], town["error"]) == ("town", "off", 1, None)
    dead = (await admin.get(f"{API}?which=dead&limit=1")).json()
    assert [message["seq"] for message in dead["messages"]] == [first.seq]
    assert dead["messages"][0]["error"] == {
        "zh": "接收方应答 HTTP 422 Unprocessable Entity：未知测点 <b>",
        "en": "HTTP 422 Unprocessable Entity: 未知测点 <b>",
    }
    (after,) = (await admin.get(f"{API}?which=dead&after={dead['next']}")).json()["messages"]
    assert after["seq"] == second.seq
    listed = (await admin.get(f"{API}?receiver=county")).json()["messages"]
    assert [(message["seq"], message["rejected"]) for message in listed] == [(waiting.seq, None)]

    chosen = {"messages": [first.seq, waiting.seq]}
    assert (await admin.post(f"{API}/resend", json=chosen)).json() == {"messages": [first.seq]}
    assert (await admin.post(f"{API}/resend", json=chosen)).status_code == 409
    assert hall.resumed == [first.seq]
    gone = {"messages": [second.seq, waiting.seq, delivered.seq], "reason": "已电话告知"}
    assert (await admin.post(f"{API}/drop", json=gone)).json() == {"messages": [waiting.seq, second.seq]}
    assert hall.withdrawn == [waiting.seq], "a dead letter is in no sender's memory"
    assert (await admin.post(f"{API}/drop", json=gone)).status_code == 409
    assert (await admin.post(f"{API}/drop", json=gone | {"reason": " "})).status_code == 422
    assert (await admin.post(f"{API}/retry", json={"receiver": "county"})).status_code == 204
    assert (await admin.post(f"{API}/retry", json={"receiver": "nobody"})).status_code == 409
    assert hall.retried == ["county"]
    assert acts(hall) == [
        ("admin", "admin", "resent", str(first.id)),
        ("admin", "admin", "dropped", str(waiting.id)),
        ("admin", "admin", "dropped", str(second.id)),
    ]
    assert OutboxStore(hall.database).undelivered() == {"county": 1, "town": 1}


async def test_the_page_says_in_the_readers_language_how_a_receiver_answers_and_lets_an_admin_act(
    ask: Ask, hall: StandIn
) -> None:
    _, first, second, _, _ = fill(hall)
    hall.lanes["county"] = LaneState(down=True, failures=7, error=Failure("no-connection", why="Connection refused"))
    admin = ask(ADMIN)
    page = (await admin.get("/outbox")).text
    for text in (
        "连续 7 次失败",
        "无法连接：Connection refused",
        "接收方应答 HTTP 422 Unprocessable Entity：未知测点 &lt;b&gt;",
        "未启用",
    ):
        assert text in page, text
    assert re.findall(r'data-message="(\d+)"', page) == [str(first.seq), str(second.seq)]
    assert (await admin.post("/outbox/resend", data={"message": str(first.seq)})).status_code == 303
    assert (await admin.post("/outbox/drop", data={"message": str(second.seq), "reason": " "})).status_code == 422
    assert (
        await admin.post("/outbox/drop", data={"message": str(second.seq), "reason": "已电话告知"})
    ).status_code == 303
    assert (await admin.post("/outbox/retry", data={"receiver": "county"})).status_code == 303
    assert (hall.resumed, hall.retried) == ([first.seq], ["county"])
    assert [act[2] for act in acts(hall)] == ["resent", "dropped"]
    assert "没有符合条件的消息" in (await admin.get("/outbox")).text
    admin.cookies.set("lang", "en")
    english = (await admin.get("/outbox?which=all")).text
    for text in (
        "7 failures in a row",
        "no connection: Connection refused",
        "no complete answer within 15 s",
        "delivered",
    ):
        assert text in english, text


async def test_what_cannot_be_done_says_why_of_this_very_message_receiver_and_number(ask: Ask, hall: StandIn) -> None:
    waiting, _, _, delivered, _ = fill(hall)
    admin = ask(ADMIN)
    unknown = await admin.get(f"{API}?receiver=nobody")
    assert (unknown.status_code, unknown.json()["message"]["en"]) == (404, "receiver 'nobody' is not known")
    assert "接收方 nobody" in unknown.json()["message"]["zh"]
    for which in ("waiting", "dead"):
        assert (await admin.get(f"{API}?receiver=town&which={which}")).status_code == 200
    for act, more, chosen, why in (
        ("resend", {}, waiting, ("none of these messages is rejected", "这些消息都不是拒收的消息")),
        ("resend", {}, delivered, ("none of these messages is rejected", "这些消息都不是拒收的消息")),
        ("drop", {"reason": "x"}, delivered, ("none of these messages waits or is rejected", "既不待发也未被拒收")),
    ):
        refused = await admin.post(f"{API}/{act}", json={"messages": [chosen.seq], **more})
        message = refused.json()["message"]
        assert (refused.status_code, message["en"], why[1] in message["zh"]) == (409, why[0], True)
    many = (await admin.get(f"{API}?limit=501")).json()["message"]
    assert many["zh"] == "limit = '501'：应为：不大于 500 的数字"
    torn = await admin.post(f"{API}/resend", content='{"messages":', headers={"content-type": "application/json"})
    (error,) = torn.json()["errors"]
    assert (torn.status_code, error["parameter"], error["value"]) == (422, "body", '{"messages":')
    assert acts(hall) == []


async def test_the_filter_of_the_page_shows_the_receiver_it_was_asked_for(ask: Ask, hall: StandIn) -> None:
    """One that neither the settings nor a waiting message names, too: the list is filtered by it."""
    fill(hall)
    page = (await ask(ADMIN).get("/outbox?receiver=%3Cb%3Eformer")).text
    assert '<option value="&lt;b&gt;former" selected>' in page


async def test_nobody_else_is_shown_the_way_to_it(ask: Ask, hall: StandIn) -> None:
    assert 'href="/outbox"' in (await ask(ADMIN).get("/gateways")).text
    assert 'href="/outbox"' not in (await ask(OPERATOR).get("/gateways")).text
