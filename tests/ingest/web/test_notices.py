"""Notices by API and page: what is to be done by when, to whom it was sent, and whether it arrived."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

from ingest.domain.cases.notice_report import notice_body
from ingest.domain.model.notice import Matter, Notice, message_id
from ingest.domain.model.outbox import Attempt, Message
from ingest.storage.state.outbox_store import OutboxStore
from tests.ingest.web.conftest import Ask
from tests.ingest.web.made_up_plants import MINUTE, STEEL, WOOD
from tests.ingest.web.stand_in import ELSEWHERE, OPERATOR, StandIn

NOTICES = "/api/v1/notices"


def give(hall: StandIn, plant: str, matter: Matter, subject: str, *receivers: str, due: int | None = None) -> Notice:
    """A notice as the automation gives it."""
    hall.time += MINUTE
    notice = Notice(uuid4(), plant, matter, subject, due, "须办理", "to be done", hall.time, receivers)
    return deliver_notice(hall, notice)


def deliver_notice(hall: StandIn, notice: Notice) -> Notice:
    """Commit a notice as it stands, with its messages."""
    body, number = notice_body(notice, hall.known.plants[notice.plant]), message_id(notice.id, notice.event)
    hall.cases.notices.commit(
        [notice],
        [Message(0, to, number, "notice", notice.plant, body, hall.time, hall.time, 0) for to in notice.receivers],
    )
    return notice


def accept(hall: StandIn, receiver: str, error: str | None = None) -> None:
    """The receiver takes everything that waits for it, or refuses it."""
    outbox = OutboxStore(hall.database)
    for waiting in outbox.waiting(receiver, "notice", 0, 99):
        delivered = None if error else hall.time
        outbox.record(receiver, [Attempt(waiting.seq, hall.time, delivered, error)])


async def test_a_notice_says_whom_it_was_sent_to_and_whether_it_came(ask: Ask, hall: StandIn) -> None:
    """Two receivers, of which one is away; withdrawn later; and one that nobody subscribes to."""
    first = give(hall, STEEL, Matter.CHECK_DUE, f"{UUID(int=7)}/calibration", "county", "plant", due=hall.time)
    accept(hall, "county")
    accept(hall, "plant", "HTTP 503")
    second = give(hall, WOOD, Matter.WORK_NOT_CLOSED, str(UUID(int=8)))
    deliver_notice(hall, replace(first, ended=hall.time))
    listed = (await ask(OPERATOR).get(NOTICES)).json()["notices"]
    assert [notice["id"] for notice in listed] == [str(second.id), str(first.id)]
    assert (listed[0]["receivers"], listed[0]["sent"], listed[0]["due"]) == ([], [], None)
    sent = [
        (delivery["receiver"], delivery["event"], bool(delivery["delivered"]), delivery["error"])
        for delivery in listed[1]["sent"]
    ]
    assert sent == [
        ("county", "given", True, None),
        ("plant", "given", False, "HTTP 503"),
        ("county", "ended", False, None),
        ("plant", "ended", False, None),
    ]
    standing = (await ask(OPERATOR).get(NOTICES, params={"standing": "true"})).json()["notices"]
    assert [notice["id"] for notice in standing] == [str(second.id)]
    page = (await ask(OPERATOR).get("/notices")).text
    assert "没有接收方订阅此类提醒" in page
    assert f'href="/works/{second.subject}"' in page
    assert str(first.id) not in page
    page = (await ask(OPERATOR).get("/notices?state=all&matter=check-due")).text
    assert f'href="/instruments/{UUID(int=7)}"' in page
    assert "plant · 发出 · 等待送达 · HTTP 503" in page
    assert "已送达" in page
    assert str(second.id) not in page


async def test_nobody_reads_notices_of_plants_out_of_scope(ask: Ask, hall: StandIn) -> None:
    give(hall, STEEL, Matter.BYPASS_ENDING, str(UUID(int=9)))
    ours = give(hall, WOOD, Matter.CHECKS_UNRECORDED, WOOD)
    listed = (await ask(ELSEWHERE).get(NOTICES)).json()["notices"]
    assert [notice["id"] for notice in listed] == [str(ours.id)]
    refused = await ask(ELSEWHERE).get(NOTICES, params={"plant": STEEL})
    assert refused.status_code == 404 or refused.json()["notices"] == []


async def test_pages_of_notices_go_on_where_the_one_before_ended(ask: Ask, hall: StandIn) -> None:
    made = [give(hall, STEEL, Matter.MAINTENANCE, f"CO-{n}") for n in range(5)]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        answer = (await ask(OPERATOR).get(NOTICES, params={"limit": "2", **cursor})).json()
        seen += [notice["id"] for notice in answer["notices"]]
        if answer["next"] is None:
            break
        cursor = {"cursor": answer["next"]}
    assert seen == [str(notice.id) for notice in reversed(made)]
