"""Access is in the audit trail: who came in, who was denied what, who took what away."""

from __future__ import annotations

from fastapi import FastAPI

from ingest.domain.model.audit import Act
from ingest.storage.state.audit import AuditStore
from ingest.web.admission import GUESSES_OF_PREFIX
from tests.ingest.web.conftest import Ask
from tests.ingest.web.filled import fill
from tests.ingest.web.made_up_plants import STEEL, WOOD
from tests.ingest.web.serving import Clock
from tests.ingest.web.stand_in import ADMIN, ELSEWHERE, INSPECTOR, OPERATOR, StandIn


def acts_of(hall: StandIn, kind: str = "access") -> list[tuple[str, str, str]]:
    return [(act.actor, act.action, act.subject) for act in acts(hall, kind)]


def acts(hall: StandIn, kind: str = "access") -> list[Act]:
    return [row.act for row in hall.trail if row.act.kind == kind]


async def test_signing_in_and_out_is_recorded_with_the_address(ask: Ask, hall: StandIn) -> None:
    client = ask(None)
    await client.post("/signin", data={"token": OPERATOR})
    csrf = (await client.get("/plants")).text.split('name="csrf" value="')[1].split('"')[0]
    await client.post("/signout", data={"csrf": csrf})
    assert acts_of(hall) == [("中控室 王建国", "signed-in", "/signin"), ("中控室 王建国", "signed-out", "/signout")]
    assert [act.detail["client"] for act in acts(hall)] == ["127.0.0.1"] * 2


async def test_a_denial_is_logged_once_a_minute_and_counted_meanwhile(ask: Ask, hall: StandIn, clock: Clock) -> None:
    path = "/api/v1/audit/verify"
    for _ in range(40):
        assert (await ask(OPERATOR).get(path)).status_code == 403
    assert (await ask(INSPECTOR).get("/quarantine")).status_code == 403
    assert acts_of(hall) == [
        ("中控室 王建国", "denied", f"GET {path}"),
        ("南安市应急管理局", "denied", "GET /quarantine"),
    ]
    clock.now += 61
    await ask(OPERATOR).get(path)
    assert hall.trail[-1].act.detail == {"client": "127.0.0.1", "status": 403, "repeated": 39}


async def test_wrong_tokens_are_recorded_and_requests_without_one_are_not(
    ask: Ask, hall: StandIn, clock: Clock
) -> None:
    for number in range(GUESSES_OF_PREFIX + 5):
        await ask(f"zzzz wrong {number}").get("/api/v1/plants")
        await ask(None).get("/api/v1/plants")
        await ask(None).get(f"/{number}")
    assert acts_of(hall) == [("(unknown)", "denied", "GET /api/v1/plants")] * 2, "wrong, then braked"
    assert [act.detail["status"] for act in acts(hall)] == [401, 429]
    assert [act.role for act in acts(hall)] == ["nobody"] * 2
    clock.now += 3600


async def test_lists_and_evidence_that_leave_the_service_are_recorded(ask: Ask, hall: StandIn) -> None:
    await fill(hall)
    assert (await ask(INSPECTOR).get("/api/v1/lists/hazards.csv", params={"plant": STEEL})).status_code == 200
    assert acts_of(hall, "export")[0] == ("南安市应急管理局", "exported", "hazards")
    (exported,) = acts(hall, "export")
    assert (exported.plant, exported.detail["ending"]) == (STEEL, "csv")
    proof, *_ = [row.act.subject for row in AuditStore(hall.database.rows).acts(limit=9, kind="evidence")]
    assert (await ask(OPERATOR).get(f"/api/v1/evidence/{proof}/file")).status_code == 200
    assert acts_of(hall, "evidence")[-1] == ("中控室 王建国", "downloaded", proof)


async def test_the_trail_is_filtered_by_who_and_when(app: FastAPI, ask: Ask, hall: StandIn) -> None:
    await ask(ELSEWHERE).get("/api/v1/audit/verify")
    hall.time += 3600 * 10**9
    await ask(OPERATOR).get("/api/v1/audit/verify")
    asked = {"actor": "晨光木业"}
    found = (await ask(ADMIN).get("/api/v1/audit", params=asked)).json()["acts"]
    assert [act["actor"] for act in found] == ["晨光木业"]
    since = {"since": "2026-11-23T06:30:00Z", "until": "2026-11-24T00:00:00Z", "kind": "access"}
    found = (await ask(ADMIN).get("/api/v1/audit", params=since)).json()["acts"]
    assert [act["actor"] for act in found] == ["中控室 王建国"]
    page = (await ask(ADMIN).get("/audit", params={"since": "2026-11-23T14:30", "actor": "中控室 王建国"})).text
    assert "被拒绝" in page
    assert "晨光木业</span>" not in page
    assert 'value="2026-11-23T14:30"' in page
    assert {act["plant"] for act in (await ask(ELSEWHERE).get("/api/v1/audit")).json()["acts"]} == {WOOD}, (
        "of no plant: not for a scoped token"
    )
