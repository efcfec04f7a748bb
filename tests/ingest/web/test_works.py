"""Declared work: what an alarm raised there says of it, by API, page and stream; who declares, approves and ends it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx

from ingest.domain.cases.work import WorkState
from ingest.domain.model.payload import iso
from ingest.domain.model.plant import Equipment, Gate
from ingest.domain.model.text import Text
from ingest.plants.view import Latest
from ingest.storage.state.audit import AuditStore
from ingest.storage.state.work_board import KEPT, WorkBoard
from tests.ingest.web.conftest import Ask
from tests.ingest.web.made_up_plants import ALUMINIUM, MINUTE, STEEL, WOOD
from tests.ingest.web.stand_in import ADMIN, ELSEWHERE, INSPECTOR, OPERATOR, StandIn

WORKS, ALARMS = "/api/v1/works", "/api/v1/alarms"
HOUR = 60 * MINUTE


def draft(hall: StandIn, **changes: Any) -> dict[str, Any]:
    """Hot work on the casting machine, for an hour from a quarter of an hour ago."""
    return {
        "plant": ALUMINIUM,
        "kind": "hot-work",
        "area": "1号铸造机旁",
        "equipment": "CAST-01",
        "description": "气割水管法兰",
        "begins": iso(hall.time - 15 * MINUTE),
        "ends": iso(hall.time + 45 * MINUTE),
        "contractor": "维修班",
        "person": "李工",
        "guardian": "张三",
        "measures": "接火盆，灭火器两具",
    } | changes


async def done(answer: httpx.Response) -> Any:
    assert answer.status_code < 300, answer.text
    return answer.json()


async def declared(ask: Ask, hall: StandIn, **changes: Any) -> Any:
    return await done(await ask(OPERATOR).post(WORKS, json=draft(hall, **changes)))


async def step(ask: Ask, work: dict[str, Any], name: str, token: str = OPERATOR, **body: Any) -> Any:
    return await done(await ask(token).post(f"{WORKS}/{work['id']}/{name}", json={"version": work["version"]} | body))


def machine(hall: StandIn, point: str = "CW_IN_P-01") -> str:
    found = hall.known.find(ALUMINIUM, point)
    assert found is not None
    assert found.equipment is not None
    return found.equipment


async def texts(ask: Ask, alarm: Any) -> list[str]:
    answer = await done(await ask(OPERATOR).get(f"{ALARMS}/{alarm.id}"))
    return [work["text"]["zh"] for work in answer["work"]]


async def test_an_alarm_raised_during_declared_work_says_so_and_is_an_alarm_all_the_same(
    ask: Ask, hall: StandIn
) -> None:
    """Hot work declared, approved, begun, overran, finished: the page, the list and the API say how it stood."""
    work = await declared(ask, hall, equipment=machine(hall))
    before = hall.raise_alarm(ALUMINIUM, "CW_IN_P-01", "LL", 0.2, ago_s=3600)
    alarm = hall.raise_alarm(ALUMINIUM, "CW_IN_P-01", "L", 0.29)
    other = hall.raise_alarm(STEEL, "CO-01", "H", 30.0)
    (text,) = await texts(ask, alarm)
    assert "动火作业" in text
    assert "监护人 张三" in text
    assert text.endswith("（未审批）")
    assert await texts(ask, before) == [], "raised before it"
    assert await texts(ask, other) == [], "and elsewhere"
    refused = await ask(OPERATOR).post(f"{WORKS}/{work['id']}/approve", json={"version": 1})
    assert refused.status_code == 403, "nobody approves what they declared"
    work = await step(ask, work, "approve", INSPECTOR)
    work = await step(ask, work, "begin")
    (text,) = await texts(ask, alarm)
    assert text.endswith("监护人 张三")
    listed = await done(await ask(OPERATOR).get(f"{ALARMS}?plant={ALUMINIUM}"))
    assert {shown["id"]: len(shown["work"]) for shown in listed["alarms"]}[str(alarm.id)] == 1
    for path in ("/alarms", f"/alarms/{alarm.id}"):
        page = (await ask(OPERATOR).get(path)).text
        assert text in page, path
    unacknowledged = {shown["id"] for shown in listed["alarms"] if shown["state"] == "unacknowledged"}
    assert str(alarm.id) in unacknowledged, "it is not suppressed"
    hall.time += HOUR
    shown = await done(await ask(OPERATOR).get(f"{WORKS}/{work['id']}"))
    assert (shown["state"], shown["standing"]) == ("under-way", "overran")
    late = hall.raise_alarm(ALUMINIUM, "CW_IN_P-01", "LL", 0.2)
    (text,) = await texts(ask, late)
    assert text.endswith("（已超时）")
    hall.time += MINUTE
    work = await step(ask, work, "finish", remark="已清理，无余火")
    hall.time += MINUTE
    after = hall.raise_alarm(ALUMINIUM, "CW_IN_P-01", "L", 0.29)
    assert await texts(ask, after) == [], "it is over"
    assert (await texts(ask, late))[0].endswith("（已超时）"), "and remains what it was"
    trail = [row.act for row in AuditStore(hall.database.rows).acts(limit=9, kind="work")]
    assert [act.action for act in reversed(trail)] == ["declare", "approve", "begin", "finish"]


async def test_the_engine_says_of_an_alarm_what_the_api_says_and_knows_it_again_after_a_restart(
    ask: Ask, hall: StandIn
) -> None:
    """The board follows each commit, forgets what is long over, and says unknown rather than none of older alarms."""
    store = hall.cases.store
    board = WorkBoard(hall.cases.daily, lambda: hall.time)
    store._written = board.note
    equipment = machine(hall)
    work = await declared(ask, hall, equipment=equipment)
    alarm = hall.raise_alarm(ALUMINIUM, "CW_IN_P-01", "L", 0.29)

    async def shown() -> Any:
        return (await done(await ask(OPERATOR).get(f"{ALARMS}/{alarm.id}")))["work"]

    for name, token, body in (
        ("approve", INSPECTOR, {}),
        ("begin", OPERATOR, {}),
        ("finish", OPERATOR, {"remark": "无余火"}),
    ):
        again = WorkBoard(hall.cases.daily, lambda: hall.time)
        assert board.of(alarm, equipment) == again.of(alarm, equipment) == await shown()
        hall.time += MINUTE
        work = await step(ask, work, name, token, **body)
    assert [work["state"] for work in board.of(alarm, equipment) or ()] == ["finished"]
    assert board.of(alarm, None) == [], "another place"
    finished = hall.cases.daily.work(UUID(work["id"]))
    assert finished is not None
    board.note([replace(finished, version=1, state=WorkState.UNDER_WAY, finished=None)])  # its thread was slow
    assert [work["state"] for work in board.of(alarm, equipment) or ()] == ["finished"], "an older version comes late"
    hall.time += KEPT + HOUR
    board.note([])
    assert board.of(alarm, equipment) is None, "too long ago to say"
    await declared(ask, hall, equipment=equipment)
    assert len(board._of[ALUMINIUM]) == 1, "what is long over is forgotten"


async def test_work_that_was_refused_or_called_off_explains_nothing(ask: Ask, hall: StandIn) -> None:
    equipment = machine(hall)
    first, other = await declared(ask, hall, equipment=equipment), await declared(ask, hall, equipment=None)
    alarm = hall.raise_alarm(ALUMINIUM, "CW_IN_P-01", "L", 0.29)
    assert len(await texts(ask, alarm)) == 2, "two at once; that on its equipment first"
    await step(ask, first, "refuse", INSPECTOR, remark="措施不全")
    await step(ask, other, "cancel", remark="改期")
    assert await texts(ask, alarm) == []


async def test_a_declared_stop_is_held_against_what_the_points_show_and_unknown_stays_unknown(
    ask: Ask, hall: StandIn
) -> None:
    gate = Gate("CAST_LEN-01", ">", 0.0)
    plant = hall.known.plants[ALUMINIUM]
    machines = (Equipment("CAST-01", Text("1号机", "1"), gate), Equipment("CAST-02", Text("2号机", "2")))
    hall.known = replace(hall.known, plants={**hall.known.plants, ALUMINIUM: replace(plant, equipment=machines)})
    stop = {"equipment": "CAST-01", "kind": "planned-stop"}
    work = await step(ask, await declared(ask, hall, **stop), "approve", INSPECTOR)

    async def seen() -> Any:
        return (await done(await ask(OPERATOR).get(f"{WORKS}/{work['id']}")))["stop_seen"]

    for value, stale, expected in ((0.0, False, "stands"), (9.0, False, "runs"), (0.0, True, "unknown")):
        hall.put(ALUMINIUM, gate.point, Latest(hall.time, value, 0, stale=stale))
        assert await seen() == expected
        assert (await ask(OPERATOR).get(f"/works/{work['id']}")).status_code == 200
    hall.put(ALUMINIUM, gate.point, Latest(hall.time, 0.0, 0, stale=False))
    work = await step(ask, await declared(ask, hall, **stop | {"equipment": "CAST-02"}), "approve", INSPECTOR)
    assert await seen() == "unknown", "no point shows it"
    work = await step(ask, await declared(ask, hall, **stop | {"equipment": None}), "approve", INSPECTOR)
    assert await seen() == "unknown", "of the whole plant one machine is not known"
    hall.time += 2 * HOUR
    assert await seen() is None, "its time is over"


async def test_the_register_is_found_by_state_kind_time_and_place_a_page_at_a_time(ask: Ask, hall: StandIn) -> None:
    hours = [
        await declared(ask, hall, begins=iso(hall.time + n * HOUR), ends=iso(hall.time + (n + 1) * HOUR))
        for n in range(5)
    ]
    await declared(ask, hall, plant=WOOD, equipment=None, kind="confined-space")
    await step(ask, hours[0], "approve", INSPECTOR)

    async def found(query: str, token: str = OPERATOR) -> list[str]:
        return [work["id"] for work in (await done(await ask(token).get(f"{WORKS}?{query}")))["works"]]

    assert len(await found("")) == 6
    assert await found("state=approved") == [hours[0]["id"]]
    assert len(await found("kind=confined-space")) == 1
    assert len(await found("", ELSEWHERE)) == 1, "a plant sees its own"
    first, last = iso(hall.time + HOUR).replace("+", "%2B"), iso(hall.time + 3 * HOUR)  # type: ignore[union-attr]
    assert await found(f"plant={ALUMINIUM}&since={first}&until={last}") == [hours[2]["id"], hours[1]["id"]]
    page = await done(await ask(OPERATOR).get(f"{WORKS}?limit=4"))
    rest = await done(await ask(OPERATOR).get(f"{WORKS}?limit=4&cursor={page['next']}"))
    assert len({work["id"] for work in (*page["works"], *rest["works"])}) == 6
    assert rest["next"] is None
    assert (await ask(ELSEWHERE).get(f"{WORKS}/{hours[0]['id']}")).status_code == 404


async def test_who_supervises_declares_nothing_and_what_is_wrong_is_named(ask: Ask, hall: StandIn) -> None:
    assert (await ask(INSPECTOR).post(WORKS, json=draft(hall))).status_code == 403
    wrong = {
        "equipment": "CAST-99",
        "ends": iso(hall.time - HOUR),
        "guardian": " ",
        "kind": "blasting",
        "plant": "nowhere",
    }
    for name, value in wrong.items():
        answer = await ask(OPERATOR).post(WORKS, json=draft(hall, **{name: value}))
        assert answer.status_code == (404 if name == "plant" else 422), answer.text
        assert name in answer.text
    assert (await done(await ask(OPERATOR).get(WORKS)))["works"] == []


async def test_the_pages_declare_approve_begin_and_end_it(ask: Ask, hall: StandIn) -> None:
    operator, admin = ask(OPERATOR), ask(ADMIN)
    chosen = (await operator.get(f"/works/new?plant={ALUMINIUM}")).text
    assert f'value="{machine(hall)}"' in chosen
    form = draft(hall, begins="2026-11-23T14:00", ends="2026-11-23T16:00", equipment=machine(hall))
    answer = await operator.post("/works", data=form)
    assert answer.status_code == 303, answer.text
    at = answer.headers["location"]
    missing = await operator.post("/works", data=form | {"ends": ""})
    assert missing.status_code == 422
    assert "未填写" in missing.text
    page = (await operator.get(at)).text
    assert f"{at}/approve" not in page, "not for who declared it"
    for client, name, body in (
        (admin, "approve", {}),
        (operator, "begin", {}),
        (operator, "/works/finish", {"work": at.rpartition("/")[2], "remark": "无余火"}),
    ):
        page = (await client.get(at)).text
        version = {"version": page.split('name="version" value="')[1].split('"')[0]}
        path = name if name.startswith("/") else f"{at}/{name}"
        answer = await client.post(path, data=version | body)
        assert answer.status_code == 303, answer.text
    page = (await operator.get(at)).text
    assert "已完工" in page
    assert 'name="version"' not in page
    assert "已完工" in (await operator.get("/works?state=all")).text
    assert "没有符合条件的作业" in (await operator.get("/works")).text
