"""REST on suppressions and on the audit trail: hidden by rule, by name, and never for good."""

from __future__ import annotations

import asyncio
import html
import json
import re
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from ingest.domain.model.suppression import Suppression, SuppressionKind, SuppressionState
from tests.deploy.written import blocks
from tests.ingest.web.afternoon import busy
from tests.ingest.web.conftest import Ask
from tests.ingest.web.made_up_plants import NOON, STEEL, WOOD
from tests.ingest.web.serving import served
from tests.ingest.web.stand_in import ADMIN, ELSEWHERE, INSPECTOR, OPERATOR, StandIn

SUPPRESSIONS = "/api/v1/suppressions"
LATER = "2026-11-23T16:20:00+08:00"  # within the eight hours a shelf may last


def draft(**changed: Any) -> dict[str, Any]:
    return {
        "kind": "shelved", "plant": STEEL, "point": "CO-02", "rule": "H", "reason": "校准", "until": LATER, **changed,
    }  # fmt: skip


async def out_of_service(client: httpx.AsyncClient) -> str:
    """Apply for a point to be taken out of service; its id."""
    body = draft(kind="out-of-service", rule=None, until=None, reason="更换传感器")
    answer = await client.post(SUPPRESSIONS, json=body)
    assert answer.status_code == 201, answer.text
    assert answer.json()["state"] == "applied"
    return str(answer.json()["id"])


async def test_a_shelved_alarm_is_shown_with_who_why_and_until_when(hall: StandIn, ask: Ask) -> None:
    assert hall.time == NOON
    alarm = hall.raise_alarm(STEEL, "CO-02", "H", 26.0)
    client = ask(OPERATOR)
    made = (await client.post(SUPPRESSIONS, json=draft())).json()
    assert (made["state"], made["applicant"], made["reason"]) == ("in-force", "中控室 王建国", "校准")
    shown = (await client.get(f"/api/v1/alarms/{alarm.id}")).json()
    assert shown["state"] == "shelved"
    assert shown["history"][-1]["detail"] == {"suppression": made["id"], "reason": "校准"}
    listed = (await client.get(SUPPRESSIONS, params={"plant": STEEL, "state": "in-force"})).json()["suppressions"]
    assert [alarm_out["id"] for alarm_out in listed] == [made["id"]]
    ended = await client.post(f"{SUPPRESSIONS}/{made['id']}/end", json={"comment": "校准完成"})
    assert (ended.json()["state"], ended.json()["ended_by"]) == ("ended", "中控室 王建国")
    assert (await client.get(f"/api/v1/alarms/{alarm.id}")).json()["state"] == "unacknowledged"


async def test_paging_by_ten_meets_each_of_many_that_were_applied_for_at_once(hall: StandIn, ask: Ask) -> None:
    made = many(hall, 120)
    client, seen, before = ask(OPERATOR), list[str](), dict[str, str]()
    while True:
        page = (await client.get(SUPPRESSIONS, params={"limit": 10, **before})).json()
        seen += [suppression["id"] for suppression in page["suppressions"]]
        if page["next"] is None:
            break
        before = {"before": page["next"]}
    assert (len(seen), set(seen)) == (120, made)
    assert (await client.get(SUPPRESSIONS, params={"before": "2026-11-23T08:00:00.000Z"})).status_code == 422


async def test_the_console_shows_all_that_is_in_force_and_pages_through_what_is_over(hall: StandIn, ask: Ask) -> None:
    in_force, over = many(hall, 600), many(hall, 120, state=SuppressionState.ENDED)
    client, seen, path = ask(OPERATOR), set[str](), "/suppressions"
    while path:
        page = (await client.get(path)).text
        seen |= set(re.findall(r'data-suppression="([^"]+)"', page))
        older = re.search(r'href="(/suppressions\?[^"]*cursor=[^"]*)"', page)
        path = html.unescape(older[1]) if older else ""
    assert seen == in_force | over


def many(hall: StandIn, count: int, state: SuppressionState = SuppressionState.IN_FORCE) -> set[str]:
    """So many of one point, all applied for in one moment; their ids."""
    made = [
        Suppression(
            uuid4(), SuppressionKind.SHELVED, state, STEEL, "CO-02", "H", "校准", "王建国", NOON + 1, NOON, None
        )
        for _ in range(count)
    ]
    hall.hidden |= {suppression.id: suppression for suppression in made}
    return {str(suppression.id) for suppression in made}


async def test_only_the_supervision_decides_on_what_goes_out_of_service_and_nobody_on_their_own(ask: Ask) -> None:
    waiting = await out_of_service(ask(OPERATOR))
    assert (await ask(OPERATOR).post(f"{SUPPRESSIONS}/{waiting}/approve")).status_code == 403
    approved = (await ask(INSPECTOR).post(f"{SUPPRESSIONS}/{waiting}/approve")).json()
    assert (approved["state"], approved["approver"]) == ("in-force", "南安市应急管理局")
    again = await ask(INSPECTOR).post(f"{SUPPRESSIONS}/{waiting}/reject")
    assert again.status_code == 409
    assert (await ask(OPERATOR).post(f"{SUPPRESSIONS}/{waiting}/end")).status_code == 200
    own = await out_of_service(ask(ADMIN))
    refused = await ask(ADMIN).post(f"{SUPPRESSIONS}/{own}/approve")
    assert (refused.status_code, "applied for it" in refused.json()["detail"]) == (409, True)
    rejected = await ask(INSPECTOR).post(f"{SUPPRESSIONS}/{own}/reject", json={"comment": "备件未到"})
    assert rejected.json()["state"] == "rejected"


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"rule": "HH"}, 409),
        ({"until": None}, 409),
        ({"until": "2030-01-01T00:00:00Z"}, 409),
        ({"reason": " "}, 422),
        ({"kind": "forever"}, 422),
        ({"point": "CO-99"}, 404),
        ({"rule": "XX"}, 404),
        ({"applicant": "李四"}, 422),
    ],
)
async def test_what_cannot_be_hidden_is_refused(changed: dict[str, Any], status: int, hall: StandIn, ask: Ask) -> None:
    answer = await ask(OPERATOR).post(SUPPRESSIONS, json=draft(**changed))
    assert answer.status_code == status, answer.text
    assert hall.hidden == {}


async def test_another_plants_suppressions_do_not_exist(ask: Ask) -> None:
    waiting = await out_of_service(ask(OPERATOR))
    client = ask(ELSEWHERE)
    assert (await client.get(SUPPRESSIONS)).json()["suppressions"] == []
    assert (await client.post(f"{SUPPRESSIONS}/{waiting}/end")).status_code == 404
    assert (await client.post(SUPPRESSIONS, json=draft())).status_code == 404


async def test_the_audit_trail_shows_who_did_what_within_the_plants_of_the_caller(hall: StandIn, ask: Ask) -> None:
    alarm = hall.raise_alarm(STEEL, "CO-02", "H", 26.0)
    await ask(OPERATOR).post(f"/api/v1/alarms/{alarm.id}/acknowledge", json={"comment": "已到现场"})
    waiting = await out_of_service(ask(OPERATOR))
    acts = (await ask(INSPECTOR).get("/api/v1/audit", params={"plant": STEEL, "limit": 2})).json()["acts"]
    assert [(act["actor"], act["action"], act["kind"], act["subject"]) for act in acts] == [
        ("中控室 王建国", "applied", "suppression", waiting),
        ("中控室 王建国", "acknowledged", "alarm", str(alarm.id)),
    ]
    assert acts[1]["detail"]["comment"] == "已到现场"
    only = (await ask(INSPECTOR).get("/api/v1/audit", params={"subject": str(alarm.id)})).json()["acts"]
    assert [act["action"] for act in only] == ["acknowledged"]
    page = (await ask(INSPECTOR).get("/api/v1/audit", params={"limit": 1})).json()
    rest = (await ask(INSPECTOR).get("/api/v1/audit", params={"before": page["next"], "limit": 1})).json()["acts"]
    assert page["acts"] + rest == acts
    theirs = (await ask(ELSEWHERE).get("/api/v1/audit", params={"limit": 1000})).json()["acts"]
    assert {act["plant"] for act in theirs} <= {WOOD}
    assert (await ask(ELSEWHERE).get("/api/v1/audit", params={"plant": STEEL})).json()["acts"] == []
    assert (await ask(ADMIN).get("/api/v1/audit/verify")).json()["broken"] is None


async def test_maintenance_by_the_commands_of_the_operations_page(tmp_path: Path) -> None:
    """Applied for, approved by somebody else, listed, ended; then shelved for two hours: with curl, as written."""
    hall = busy(time.time_ns())
    for name, token in (("operator", OPERATOR), ("inspector", INSPECTOR)):
        (tmp_path / name).write_text(f"Authorization: Bearer {token}\nContent-Type: application/json\n")
    first, apply, approve, listed, end, shelve = blocks("检修 Maintenance")[0].splitlines()
    async with served(hall, tmp_path) as server:
        api = f"{first.replace('http://127.0.0.1:8080', server.url)}\n"

        async def curl(line: str, suppression: str = "") -> Any:
            line = line.replace("PLANT", STEEL).replace("POINT", "CO-02").replace("/ID/", f"/{suppression}/")
            shell = await asyncio.create_subprocess_exec(
                "bash", "-euc", api + line, cwd=tmp_path, stdout=asyncio.subprocess.PIPE
            )
            output, _ = await shell.communicate()
            assert shell.returncode == 0, line
            return json.loads(output)

        made = (await curl(apply))["id"]
        assert (await curl(listed))["suppressions"] == []
        assert (await curl(approve, made))["state"] == "in-force"
        assert [suppression["id"] for suppression in (await curl(listed))["suppressions"]] == [made]
        assert (await curl(end, made))["state"] == "ended"
        shelved = await curl(shelve)
        assert (shelved["kind"], shelved["rule"], shelved["state"]) == ("shelved", "H", "in-force")
