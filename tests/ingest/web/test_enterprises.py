"""Enterprise records: what the plant file says, what people note, who is late with what."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from ingest.base.config import Secret
from ingest.services.config import TokenConfig
from ingest.storage.state.audit import AuditStore
from ingest.web.app import build_api
from tests.ingest.web.conftest import Ask
from tests.ingest.web.made_up_plants import ALUMINIUM, SECOND, STEEL, WOOD
from tests.ingest.web.stand_in import ELSEWHERE, INSPECTOR, OPERATOR, StandIn, config

ENTERPRISES, SELF = "/api/v1/enterprises", "/api/v1/self-inspections"
DONE = {
    "plant": ALUMINIUM,
    "period": "2026-11",
    "day": "2026-11-20",
    "principal": "陈总",
    "summary": "检查深井铸造联锁与应急水源",
    "found": 1,
}


async def show(ask: Ask, plant: str = ALUMINIUM, token: str = OPERATOR) -> dict[str, Any]:
    found: dict[str, Any] = (await ask(token).get(f"{ENTERPRISES}/{plant}")).json()
    return found


async def test_numbers_are_whole_for_who_may_call_and_masked_on_a_wall(hall: StandIn, tmp_path: Path) -> None:
    """On every page, list and file, and in the audit trail."""
    number, hidden = "0595-86380012", "059*-******12"
    (tmp_path / "wall").write_text("token-of-the-wall-display", encoding="utf-8")
    wall = TokenConfig(name="大屏", role="display", token=Secret(file=tmp_path / "wall"))
    settings = config(tmp_path)
    app = build_api(hall.ports, settings.model_copy(update={"tokens": (*settings.tokens, wall)}))
    paths = (
        ENTERPRISES,
        f"{ENTERPRISES}/{ALUMINIUM}",
        "/enterprises",
        f"/enterprises/{ALUMINIUM}",
        "/api/v1/lists/enterprises.json",
        "/api/v1/lists/enterprises.csv",
        "/api/v1/audit",
        "/audit",
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://yujing.test") as client:

        def bearer(token: str) -> dict[str, str]:
            return {"authorization": f"Bearer {token}"}

        noted = {"version": 0, "principal": "陈总", "principal_phone": number}
        assert (await client.patch(f"{ENTERPRISES}/{ALUMINIUM}", json=noted, headers=bearer(OPERATOR))).is_success
        for row in AuditStore(hall.database.rows).acts(limit=9, kind="enterprise"):
            hall.record(row.act)
        for path in paths:
            for token, shown, untold in ((INSPECTOR, number, hidden), ("token-of-the-wall-display", hidden, number)):
                text = (await client.get(path, headers=bearer(token))).text
                assert (shown in text, untold in text) == (True, False), (path, token)


async def test_a_record_is_noted_by_the_enterprise_and_classified_by_the_authority(ask: Ask, hall: StandIn) -> None:
    path = f"{ENTERPRISES}/{ALUMINIUM}"
    before = await show(ask)
    assert (before["version"], before["risk_class"], before["kind"], before["connect_by"]) == (
        0,
        None,
        "aluminium",
        "2025-12-31",
    )
    record = {
        "version": 0,
        "principal": "陈总",
        "safety_head": "李工",
        "safety_phone": "0595-86380000",
        "connected_on": "2025-10-01",
    }
    enterprise = (await ask(OPERATOR).patch(path, json=record)).json()
    assert (enterprise["version"], enterprise["principal"], enterprise["changed_by"]) == (1, "陈总", "中控室 王建国")
    assert (await ask(OPERATOR).patch(path, json=record)).status_code == 409, "it is at version 1"
    grade = {"version": 1, "risk_class": "red", "reason": "深井铸造，从业260人"}
    assert (await ask(OPERATOR).post(f"{path}/classification", json=grade)).status_code == 403
    enterprise = (await ask(INSPECTOR).post(f"{path}/classification", json=grade)).json()
    assert (enterprise["risk_class_said"]["zh"], enterprise["graded_by"], enterprise["graded_on"]) == (
        "红（A）重大风险",
        "南安市应急管理局",
        "2026-11-23",
    )
    enterprise = (await ask(OPERATOR).patch(path, json={"version": 2, "principal": None})).json()
    assert (enterprise["principal"], enterprise["safety_head"], enterprise["risk_class"]) == (None, "李工", "red"), (
        "what is left out stays"
    )
    trail = AuditStore(hall.database.rows).acts(limit=9, kind="enterprise")
    assert [row.act.action for row in reversed(trail)] == ["noted", "classified", "noted"]
    assert trail[0].act.detail == {"principal": None}


@pytest.mark.parametrize(
    "body", [{"principal": " "}, {"safety_phone": "call me"}, {"connected_on": "1999-12-31"}, {"risk_class": "red"}]
)
async def test_what_cannot_be_noted(body: dict[str, Any], ask: Ask) -> None:
    answer = await ask(OPERATOR).patch(f"{ENTERPRISES}/{ALUMINIUM}", json={"version": 0} | body)
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, next(iter(body)))


async def test_who_is_connected_and_who_is_late(ask: Ask, hall: StandIn) -> None:
    """Connected within a day; else late since the deadline or since the last reading, whichever is later."""
    connection = {plant: (await show(ask, plant))["connection"] for plant in (ALUMINIUM, STEEL, WOOD)}
    assert set(connection.values()) == {"connected"}
    hall.time += 86_400 * SECOND
    late = await show(ask, WOOD)
    assert (late["connection"], late["connection_days"]) == ("late", 1)
    hall.positions = [replace(at, received=0) if at.plant == WOOD else at for at in hall.positions if at.plant != STEEL]
    never, long = await show(ask, STEEL), await show(ask, WOOD)
    assert (never["connection"], never["connection_days"], never["heard"]) == ("late", 328, None)
    assert (long["connection"], long["connection_days"]) == ("late", 693)
    found = (await ask(INSPECTOR).get(ENTERPRISES, params={"connection": "late"})).json()
    assert [connected["plant"] for connected in found] == [WOOD, STEEL, ALUMINIUM]


async def test_the_principal_inspects_each_month_where_metal_is_melted_each_quarter_elsewhere(
    ask: Ask, hall: StandIn
) -> None:
    path = f"{ENTERPRISES}/{ALUMINIUM}"
    await ask(OPERATOR).patch(path, json={"version": 0, "connected_on": "2026-09-15"})
    owed = (await show(ask))["duties"]
    assert [(duty["period"], duty["overdue"]) for duty in owed] == [
        ("2026-09", True), ("2026-10", True), ("2026-11", False),
    ]  # fmt: skip
    assert [duty["period"] for duty in (await show(ask, WOOD))["duties"]] == ["2026-Q4"]
    assert (await ask(OPERATOR).post(SELF, json=DONE)).status_code == 201
    late = await ask(OPERATOR).post(SELF, json=DONE | {"period": "2026-10"})
    assert late.status_code == 201
    assert (await ask(OPERATOR).post(SELF, json=DONE)).status_code == 409, "once for its month"
    inspections = (await ask(INSPECTOR).get(SELF, params={"plant": ALUMINIUM})).json()
    assert [(duty["period"], duty["done"], duty["overdue"], duty["late"]) for duty in inspections["owed"]] == [
        ("2026-09", None, True, False), ("2026-10", "2026-11-20", False, True), ("2026-11", "2026-11-20", False, False),
    ]  # fmt: skip
    assert len(inspections["done"]) == 2
    found = (await ask(INSPECTOR).get(ENTERPRISES, params={"overdue": True})).json()
    assert [owing["plant"] for owing in found] == [ALUMINIUM]
    assert len(AuditStore(hall.database.rows).acts(limit=9, kind="self-inspection")) == 2


@pytest.mark.parametrize(
    ("changes", "parameter"),
    [
        ({"day": "2026-11-24"}, "day"),
        ({"period": "2026-12"}, "period"),
        ({"period": "2026-Q4"}, "period"),
        ({"period": "soon"}, "period"),
        ({"found": -1}, "found"),
        ({"summary": " "}, "summary"),
    ],
)
async def test_a_self_inspection_that_cannot_be(changes: dict[str, Any], parameter: str, ask: Ask) -> None:
    answer = await ask(OPERATOR).post(SELF, json=DONE | changes)
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, parameter)


async def test_records_are_by_scope(ask: Ask) -> None:
    client = ask(ELSEWHERE)
    assert [enterprise["plant"] for enterprise in (await client.get(ENTERPRISES)).json()] == [WOOD]
    assert (await client.get(f"{ENTERPRISES}/{STEEL}")).status_code == 404
    assert (await client.patch(f"{ENTERPRISES}/{STEEL}", json={"version": 0})).status_code == 404
    assert (await client.post(SELF, json=DONE)).status_code == 404
    assert (await client.get(SELF, params={"plant": STEEL})).status_code == 404
