"""Leads and inspections: taken, carried out, findings that are hazards, a result and a document at the end."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx

from ingest.storage.state.audit import AuditStore
from tests.ingest.web.conftest import Ask
from tests.ingest.web.made_up_plants import ALUMINIUM, STEEL, WOOD
from tests.ingest.web.stand_in import ELSEWHERE, INSPECTOR, OPERATOR, StandIn
from tests.ingest.web.test_hazards import opened

LEADS, INSPECTIONS = "/api/v1/leads", "/api/v1/inspections"
PLAN = {
    "plant": ALUMINIUM,
    "basis": "plan",
    "reference": "2026年第4季度计划",
    "inspectors": ["王检查", "赵检查"],
    "day": "2026-11-24",
    "scope": "深井铸造联锁装置",
}
NEW = {"title": "联锁未投用", "description": "进水流量报警未与快速切断阀联锁", "place": "1号机"}


async def post(ask: Ask, path: str, body: dict[str, Any], token: str = INSPECTOR) -> httpx.Response:
    return await ask(token).post(path, json=body)


async def done(ask: Ask, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await post(ask, path, body)
    assert answer.status_code < 300, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_lead_leads_to_an_inspection_and_its_findings_are_hazards(ask: Ask, hall: StandIn) -> None:
    lead = await done(ask, LEADS, {"plant": ALUMINIUM, "text": "群众举报：联锁被短接"})
    draft = PLAN | {"basis": "lead", "lead": lead["id"], "reference": None}
    inspection = await done(ask, INSPECTIONS, draft)
    taken = (await ask(INSPECTOR).get(f"{LEADS}/{lead['id']}")).json()
    assert (taken["state"], taken["inspection"], taken["taken_by"]) == ("taken", inspection["id"], "南安市应急管理局")
    path = f"{INSPECTIONS}/{inspection['id']}"
    early = await post(ask, f"{path}/findings", {"version": 1, "text": "x", "new": NEW})
    assert early.status_code == 409
    assert "is planned" in early.json()["detail"]
    inspection = await done(ask, f"{path}/begin", {"version": 1})
    known = await opened(ask)
    inspection = await done(ask, f"{path}/findings", {"version": 2, "text": "变送器失效", "hazard": known["id"]})
    inspection = await done(ask, f"{path}/findings", {"version": 3, "text": "联锁未投用", "new": NEW})
    made = (await ask(INSPECTOR).get(f"/api/v1/hazards/{inspection['findings'][1]['hazard']}")).json()
    assert (made["source"], made["origin"], made["plant"], made["title"]) == (
        "inspection", inspection["id"], ALUMINIUM, NEW["title"],
    )  # fmt: skip
    end = {"version": 4, "result": "rectify", "document": "南应急责改〔2026〕31号"}
    passed = await post(ask, f"{path}/conclude", end | {"result": "passed"})
    assert passed.status_code == 422, "what found something did not pass"
    inspection = await done(ask, f"{path}/conclude", end)
    assert (inspection["state"], inspection["document"], [f["number"] for f in inspection["findings"]]) == (
        "concluded",
        end["document"],
        [1, 2],
    )
    assert (await post(ask, f"{path}/cancel", {"version": 5, "remark": "x"})).status_code == 409
    closed = await done(ask, f"{LEADS}/{lead['id']}/close", {"version": 2, "remark": "已责令整改"})
    assert closed["state"] == "closed"
    trail = AuditStore(hall.database.rows).acts(limit=99)
    acts = [(row.act.kind, row.act.action) for row in reversed(trail)]
    assert acts == [
        ("lead", "open"), ("inspection", "plan"), ("lead", "take"), ("inspection", "begin"), ("hazard", "find"),
        ("inspection", "find"), ("hazard", "find"), ("inspection", "find"), ("inspection", "conclude"),
        ("lead", "close"),
    ]  # fmt: skip


async def test_a_hazard_and_its_finding_are_opened_together_or_not_at_all(ask: Ask) -> None:
    inspection = await done(ask, INSPECTIONS, PLAN)
    path = f"{INSPECTIONS}/{inspection['id']}"
    await done(ask, f"{path}/begin", {"version": 1})
    stale = await post(ask, f"{path}/findings", {"version": 1, "text": "x", "new": NEW})
    assert stale.status_code == 409
    assert (await ask(INSPECTOR).get("/api/v1/hazards")).json()["hazards"] == []
    for body in ({}, {"hazard": str(uuid4()), "new": NEW}):
        assert (await post(ask, f"{path}/findings", {"version": 2, "text": "x"} | body)).status_code == 422
    assert (await post(ask, f"{path}/findings", {"version": 2, "text": "x", "hazard": str(uuid4())})).status_code == 404


async def test_what_an_inspection_needs(ask: Ask) -> None:
    for changes, parameter in (
        ({"reference": None}, "reference"),
        ({"basis": "lead"}, "lead"),
        ({"inspectors": []}, "inspectors"),
        ({"inspectors": [" "]}, "inspectors"),
        ({"scope": ""}, "scope"),
    ):
        answer = await post(ask, INSPECTIONS, PLAN | changes)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["parameter"].startswith(parameter)
    lead = await done(ask, LEADS, {"plant": WOOD, "text": "x"})
    answer = await post(ask, INSPECTIONS, PLAN | {"basis": "lead", "lead": lead["id"]})
    assert answer.status_code == 422, "a lead of another plant"


async def test_inspecting_is_the_authoritys_and_reading_is_by_scope(ask: Ask) -> None:
    inspection = await done(ask, INSPECTIONS, PLAN)
    lead = await done(ask, LEADS, {"plant": STEEL, "text": "x"})
    assert (await post(ask, INSPECTIONS, PLAN, OPERATOR)).status_code == 403
    assert (await post(ask, LEADS, {"plant": STEEL, "text": "x"}, OPERATOR)).status_code == 403
    assert (await ask(OPERATOR).get(f"{INSPECTIONS}/{inspection['id']}")).json() == inspection
    client = ask(ELSEWHERE)
    assert (await client.get(f"{INSPECTIONS}/{inspection['id']}")).status_code == 404
    assert (await client.get(f"{LEADS}/{lead['id']}")).status_code == 404
    assert (await client.get(INSPECTIONS)).json()["inspections"] == []
    assert (await client.get(LEADS)).json()["leads"] == []


async def test_lists_are_filtered(ask: Ask) -> None:
    inspection = await done(ask, INSPECTIONS, PLAN)
    await done(ask, INSPECTIONS, PLAN | {"plant": STEEL, "day": "2026-12-24"})
    client = ask(INSPECTOR)
    for asked in ({"plant": ALUMINIUM}, {"until": "2026-12-01"}, {"since": "2026-11-24", "until": "2026-11-25"}):
        found = (await client.get(INSPECTIONS, params=asked)).json()["inspections"]
        assert [shown["id"] for shown in found] == [inspection["id"]], asked
    assert (await client.get(INSPECTIONS, params={"state": "concluded"})).json()["inspections"] == []
    assert len((await client.get(INSPECTIONS, params={"limit": 1})).json()["inspections"]) == 1
    await done(ask, LEADS, {"plant": STEEL, "text": "x"})
    assert len((await client.get(LEADS, params={"state": "open", "source": "by-hand"})).json()["leads"]) == 1
    assert (await client.get(LEADS, params={"state": "taken"})).json()["leads"] == []
