"""REST on hazards: found by the enterprise, graded by the authority, rectified, closed; each step once, on record."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest

from ingest.storage.state.audit import AuditStore
from tests.ingest.web.conftest import Ask
from tests.ingest.web.made_up_plants import ALUMINIUM, STEEL, WOOD
from tests.ingest.web.stand_in import ADMIN, ELSEWHERE, INSPECTOR, OPERATOR, StandIn

HAZARDS = "/api/v1/hazards"
NEW = {
    "plant": ALUMINIUM,
    "title": "冷却水压力变送器失效",
    "description": "连续两小时无数据",
    "place": "1号深井铸造机",
    "point": "CW_IN_P-01",
}
PLAN = {
    "responsible": "李工",
    "measure": "更换变送器",
    "budget_yuan": "3500.50",
    "deadline": "2026-12-04",
    "contingency": "停止铸造，人员撤离",
}
STEPS: dict[str, tuple[str, dict[str, Any]]] = {
    "register": (OPERATOR, {}),
    "grade": (INSPECTOR, {"level": "general"}),
    "rectify": (OPERATOR, PLAN),
    "submit": (OPERATOR, {"done": "已更换并校验"}),
    "close": (INSPECTOR, {"remark": "现场复查合格"}),
}


async def opened(ask: Ask, token: str = OPERATOR, **changes: Any) -> dict[str, Any]:
    answer = await ask(token).post(HAZARDS, json=NEW | changes)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def take(ask: Ask, hazard: dict[str, Any], step: str, token: str = "", **body: Any) -> httpx.Response:
    whose, form = STEPS.get(step, (INSPECTOR, {}))
    sent = {"version": hazard["version"]} | form | body
    return await ask(token or whose).post(f"{HAZARDS}/{hazard['id']}/{step}", json=sent)


async def through(ask: Ask, hazard: dict[str, Any], *steps: str) -> dict[str, Any]:
    for step in steps:
        answer = await take(ask, hazard, step)
        assert answer.status_code == 200, answer.text
        hazard = answer.json()
    return hazard


async def test_a_general_hazard_goes_from_found_to_closed(ask: Ask, hall: StandIn) -> None:
    hazard = await opened(ask)
    assert (hazard["state"], hazard["state_said"]["zh"], hazard["version"], hazard["found_by"]) == (
        "found",
        "已发现",
        1,
        "中控室 王建国",
    )
    closed = await through(ask, hazard, *STEPS)
    assert (closed["state"], closed["budget_yuan"], closed["in_time"], closed["possible"]) == (
        "closed",
        3500.5,
        True,
        [],
    )
    assert [line["step"] for line in closed["history"]] == ["find", *STEPS]
    assert [line["version"] for line in closed["history"]] == [1, 2, 3, 4, 5, 6]
    trail = AuditStore(hall.database.rows).acts(limit=99, kind="hazard", subject=hazard["id"])
    assert [row.act.action for row in reversed(trail)] == ["find", *STEPS]
    assert {row.act.plant for row in trail} == {ALUMINIUM}
    assert trail[0].act.actor == "南安市应急管理局"


async def test_a_major_hazard_is_reported_and_listed_before_it_can_close(ask: Ask) -> None:
    hazard = await through(ask, await opened(ask), "register")
    for clause in (None, "art4-1", "art99"):  # none, of another kind of plant, of nothing
        answer = await take(ask, hazard, "grade", level="major", clause=clause)
        assert answer.status_code == 422, clause
        assert answer.json()["errors"][0]["parameter"] == "clause"
    hazard = (await take(ask, hazard, "grade", level="major", clause="art14", reason="断线超过2小时")).json()
    assert (hazard["level"], hazard["clause"]) == ("major", "art14")
    assert (await take(ask, hazard, "rectify")).status_code == 409, "it is reported first"
    hazard = (await take(ask, hazard, "report", OPERATOR, to="南安市应急管理局")).json()
    hazard = await through(ask, hazard, "rectify", "submit")
    answer = await take(ask, hazard, "close")
    assert answer.status_code == 409
    assert "挂牌督办" in answer.json()["detail"]
    listed = await take(
        ask, hazard, "supervise", number="督〔2026〕7号", authority="泉州市应急管理局", since="2026-11-23"
    )
    closed = await through(ask, listed.json(), "close")
    assert closed["lifted"] == closed["closed"]


async def test_an_impossible_step_names_the_state(ask: Ask) -> None:
    hazard = await opened(ask)
    for step in ("grade", "rectify", "submit", "close"):
        answer = await take(ask, hazard, step)
        assert answer.status_code == 409
        assert "is found" in answer.json()["detail"]
    assert (await ask(OPERATOR).get(f"{HAZARDS}/{hazard['id']}")).json() == hazard


async def test_of_two_who_saw_the_same_hazard_the_second_reads_again(ask: Ask) -> None:
    hazard = await opened(ask)
    assert (await take(ask, hazard, "register")).status_code == 200
    again = await take(ask, hazard, "register")
    assert again.status_code == 409
    assert "version 2, not 1" in again.json()["detail"]


async def test_an_operator_cannot_judge_and_an_inspector_cannot_rectify(ask: Ask) -> None:
    hazard = await through(ask, await opened(ask), "register")
    assert (await take(ask, hazard, "grade", OPERATOR)).status_code == 403
    hazard = await through(ask, hazard, "grade")
    assert hazard["possible"] == ["grade", "dismiss"]
    assert (await ask(OPERATOR).get(f"{HAZARDS}/{hazard['id']}")).json()["possible"] == ["rectify"]
    assert (await take(ask, hazard, "rectify", INSPECTOR)).status_code == 403


async def test_an_admin_cannot_review_what_they_submitted(ask: Ask) -> None:
    hazard = await through(ask, await opened(ask), "register", "grade", "rectify")
    hazard = (await take(ask, hazard, "submit", ADMIN)).json()
    answer = await take(ask, hazard, "close", ADMIN)
    assert answer.status_code == 403
    assert "somebody else" in answer.json()["detail"]
    assert (await take(ask, hazard, "close", INSPECTOR)).status_code == 200


async def test_all_five_of_a_plan_are_needed(ask: Ask) -> None:
    hazard = await through(ask, await opened(ask), "register", "grade")
    for name in PLAN:
        rest = {key: value for key, value in PLAN.items() if key != name}
        answer = await ask(OPERATOR).post(
            f"{HAZARDS}/{hazard['id']}/rectify", json={"version": hazard["version"]} | rest
        )
        assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, name)
    for name, value in {"budget_yuan": "1.005", "deadline": "2026-11-22", "measure": " "}.items():
        answer = await take(ask, hazard, "rectify", **{name: value})
        assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, name)


async def test_what_is_out_of_scope_is_not_there(ask: Ask) -> None:
    hazard = await opened(ask)
    client = ask(ELSEWHERE)
    assert (await client.get(f"{HAZARDS}/{hazard['id']}")).status_code == 404
    assert (await take(ask, hazard, "register", ELSEWHERE)).status_code == 404
    assert (await client.post(HAZARDS, json=NEW)).status_code == 404
    assert (await client.get(HAZARDS)).json()["hazards"] == []
    assert (await client.get(HAZARDS, params={"plant": ALUMINIUM})).json()["hazards"] == []
    assert (await ask(OPERATOR).get(f"{HAZARDS}/{uuid4()}")).status_code == 404


async def test_a_hazard_from_an_alarm_names_an_alarm_of_its_plant(ask: Ask, hall: StandIn) -> None:
    alarm = hall.raise_alarm(ALUMINIUM, "CW_IN_P-01", "LL", 0.27)
    other = hall.raise_alarm(STEEL, "CO-01", "HH", 180.0)
    hazard = await opened(ask, source="alarm", origin=str(alarm.id))
    listed = (await ask(OPERATOR).get(HAZARDS, params={"origin": str(alarm.id)})).json()["hazards"]
    assert [found["id"] for found in listed] == [hazard["id"]]
    for origin in (str(other.id), "nonsense", None):
        answer = await ask(OPERATOR).post(HAZARDS, json=NEW | {"source": "alarm", "origin": origin})
        assert answer.status_code == 422, origin
    assert (await ask(OPERATOR).post(HAZARDS, json=NEW | {"source": "rule"})).status_code == 422
    assert (await ask(OPERATOR).post(HAZARDS, json=NEW | {"point": "CO-01"})).status_code == 422


async def test_the_overdue_are_found_and_lists_page_without_loss(ask: Ask, hall: StandIn) -> None:
    late = await through(ask, await opened(ask), "register", "grade", "rectify")
    for number in range(4):
        hall.time += 10**9
        await opened(ask, plant=WOOD, point=None, title=f"积尘 {number}")
    client = ask(INSPECTOR)
    assert (await client.get(HAZARDS, params={"overdue": True})).json()["hazards"] == []
    hall.time += 12 * 86_400 * 10**9
    (found,) = (await client.get(HAZARDS, params={"overdue": True})).json()["hazards"]
    assert (found["id"], found["overdue"]) == (late["id"], True)
    assert (await client.get(HAZARDS, params={"state": "rectifying"})).json()["hazards"] == [found]
    seen, cursor = [], None
    while True:
        page = (await client.get(HAZARDS, params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        seen += [hazard["title"] for hazard in page["hazards"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == ["积尘 3", "积尘 2", "积尘 1", "积尘 0", NEW["title"]]
    assert (await client.get(HAZARDS, params={"cursor": "x"})).status_code == 422


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "=HYPERLINK(1)", "\u202e隐患"])
async def test_texts_are_kept_as_they_were_written(text: str, ask: Ask) -> None:
    """Whoever writes them somewhere else makes them harmless there."""
    hazard = await opened(ask, title=text)
    assert (await ask(INSPECTOR).get(f"{HAZARDS}/{hazard['id']}")).json()["title"] == text


async def test_half_a_character_is_refused(ask: Ask) -> None:
    body = b'{"plant": "x", "title": "\\ud800", "description": "x", "place": "x"}'
    answer = await ask(OPERATOR).post(HAZARDS, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422


async def test_the_criteria_say_how_far_they_are_known(ask: Ask) -> None:
    found = (await ask(OPERATOR).get(f"{HAZARDS}/criteria")).json()
    assert "第10号" in found["edition"]
    assert {clause["confidence"] for clause in found["clauses"]} == {"found", "recalled"}
