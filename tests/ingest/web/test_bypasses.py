"""REST: a bypass is asked for, approved by somebody else, extended, put back, listed and exported."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ingest.web.afternoon import busy
from tests.ingest.web.conftest import Ask
from tests.ingest.web.interlocks import LANCE, bypass, let_pass, show, with_interlock
from tests.ingest.web.made_up_plants import STEEL
from tests.ingest.web.stand_in import ELSEWHERE, INSPECTOR, OPERATOR, StandIn

BYPASSES = "/api/v1/bypasses"
REQUEST = {"plant": STEEL, "point": LANCE, "reason": "更换变送器", "measure": "专人监护", "hours": 2}


@pytest.fixture
def hall() -> StandIn:
    made = busy()
    with_interlock(made)
    return made


async def done(ask: Ask, token: str, path: str, body: dict[str, Any], status: int = 200) -> Any:
    answer = await ask(token).post(f"{BYPASSES}{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_bypass_lives_from_request_to_restored(ask: Ask, hall: StandIn) -> None:
    """Level 2 until it is approved, level 1 until its time is over, 2 again; closed by putting the interlock back."""
    alarm = bypass(hall)

    async def shown_interlock() -> tuple[int, Any]:
        shown = (await ask(OPERATOR).get(f"/api/v1/alarms/{alarm.id}")).json()
        return shown["level"], shown["bypass"] and shown["bypass"]["title"]["zh"]

    assert await shown_interlock() == (2, None)
    made = await done(ask, OPERATOR, "", REQUEST, 201)
    assert (made["state"], made["interlock"], made["until"], await shown_interlock()) == (
        "requested",
        "bypassed",
        None,
        (2, None),
    )
    at = f"/{made['id']}"
    await done(ask, OPERATOR, f"{at}/approve", {"version": 1}, 403)
    await done(ask, ELSEWHERE, f"{at}/restore", {"version": 1, "remark": "好"}, 404)
    approved = await done(ask, INSPECTOR, f"{at}/approve", {"version": 1})
    assert (approved["state"], await shown_interlock()) == ("in-force", (1, "已登记旁路"))
    again = await ask(OPERATOR).post(BYPASSES, json=REQUEST)
    assert (again.status_code, again.json()["changed"]["zh"][:4]) == (409, "中控室 ")
    await let_pass(hall, 2)
    assert await shown_interlock() == (2, "旁路登记已到期")
    seen = (await ask(OPERATOR).get(f"{BYPASSES}{at}")).json()
    assert seen["state"] == "expired"
    asked = await done(ask, OPERATOR, f"{at}/extend", {"version": seen["version"], "hours": 3, "reason": "备件未到"})
    granted = await done(ask, INSPECTOR, f"{at}/grant", {"version": asked["version"]})
    assert (granted["state"], granted["hours"], await shown_interlock()) == ("in-force", 3, (1, "已登记旁路"))
    show(hall, 0.0)
    assert (await ask(OPERATOR).get(f"{BYPASSES}{at}")).json()["to_close"] is True
    closed = await done(ask, OPERATOR, f"{at}/restore", {"version": granted["version"], "remark": "试验合格"})
    assert (closed["state"], closed["restored_by"], closed["to_close"]) == ("restored", "中控室 王建国", False)
    await done(ask, OPERATOR, f"{at}/restore", {"version": closed["version"], "remark": "再次"}, 409)
    acts = [row["action"] for row in (await ask(INSPECTOR).get("/api/v1/audit?kind=bypass")).json()["acts"]]
    assert acts == ["restore", "grant", "extend", "expired", "approve", "request"]
    rows = (await ask(INSPECTOR).get("/api/v1/lists/bypasses.json")).json()["rows"]
    assert [(row["point"], row["state"], row["decided_by"]) for row in rows] == [
        (LANCE, "已恢复投用", "南安市应急管理局")
    ]


@pytest.mark.parametrize(("value", "stale"), [(None, False), (0.0, True)])
async def test_what_nobody_knows_is_not_in_service(ask: Ask, hall: StandIn, value: float | None, stale: bool) -> None:
    """A bad or stale signal is unknown, and no reason to close the registration."""
    made = await done(ask, OPERATOR, "", REQUEST, 201)
    await done(ask, INSPECTOR, f"/{made['id']}/approve", {"version": 1})
    show(hall, value, stale=stale)
    (listed,) = (await ask(OPERATOR).get(BYPASSES, params={"state": "in-force"})).json()["bypasses"]
    assert (listed["interlock"], listed["to_close"]) == ("unknown", False)


async def test_what_cannot_be_so_is_refused_by_name(ask: Ask, hall: StandIn) -> None:
    """Too long, no interlock, not in scope."""
    long = await ask(OPERATOR).post(BYPASSES, json=REQUEST | {"hours": 25})
    assert (long.status_code, "hours" in long.text, "24" in long.text) == (422, True, True)
    point = await ask(OPERATOR).post(BYPASSES, json=REQUEST | {"point": "CO-01"})
    assert (point.status_code, "not the state of an interlock" in point.text) == (409, True)
    await done(ask, ELSEWHERE, "", REQUEST, 404)
    assert (await ask(OPERATOR).get(BYPASSES)).json()["bypasses"] == []
