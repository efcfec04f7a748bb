"""Safety pledges by API and page: once a day, by its hour, held against declared work, by township and month."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from ingest.domain.cases.days import begins, day_of
from ingest.domain.model.daily import PledgeDuty
from ingest.storage.state.audit import AuditStore
from tests.ingest.web.conftest import Ask
from tests.ingest.web.made_up_plants import ALUMINIUM, MINUTE, STEEL
from tests.ingest.web.stand_in import ELSEWHERE, INSPECTOR, OPERATOR, StandIn
from tests.ingest.web.test_works import declared, done, step

PLEDGES = "/api/v1/pledges"
HOUR = 60 * MINUTE


@pytest.fixture
def hall() -> StandIn:
    """Seven in the morning; the aluminium plant owes a pledge by nine since the 20th, the steel plant none."""
    made_up = StandIn(begins(dt.date(2026, 11, 23)) + 7 * HOUR)
    plant = made_up.known.plants[ALUMINIUM]
    duty = PledgeDuty(dt.time(9), dt.date(2026, 11, 20))
    made_up.known = replace(made_up.known, plants={**made_up.known.plants, ALUMINIUM: replace(plant, pledge=duty)})
    return made_up


def draft(hall: StandIn, **changes: Any) -> dict[str, Any]:
    return {
        "plant": ALUMINIUM,
        "day": day_of(hall.time).isoformat(),
        "assessment": "今日1号机动火检修，已落实措施",
        "person": "陈总",
        "running": 2,
        "stopped": 1,
        "works": {},
    } | changes


async def standings(ask: Ask, query: str = "") -> dict[str, str]:
    month = await done(await ask(INSPECTOR).get(f"{PLEDGES}/month?plant={ALUMINIUM}{query}"))
    return {day["day"]: day["standing"] for day in month["days"]}


async def test_a_pledge_is_given_once_a_day_by_its_hour_or_reported_missing(ask: Ask, hall: StandIn) -> None:
    assert (await standings(ask))["2026-11-23"] == "due"
    given = await done(await ask(OPERATOR).post(PLEDGES, json=draft(hall)))
    assert (given["late"], given["by"], given["number"]) == (False, "中控室 王建国", 1)
    assert "我承诺所有生产装置处于安全运行状态" in given["text"]
    twice = await ask(OPERATOR).post(PLEDGES, json=draft(hall))
    assert twice.status_code == 409
    assert twice.json()["message"]["zh"] == "该日已有有效的承诺，请先撤回。"
    body = {"version": 1, "remark": "装置数写错"}
    await done(await ask(OPERATOR).post(f"{PLEDGES}/{given['id']}/withdraw", json=body))
    hall.time += 3 * HOUR
    assert (await standings(ask))["2026-11-23"] == "missing", "what was withdrawn does not count"
    other = await done(await ask(OPERATOR).post(PLEDGES, json=draft(hall, running=3)))
    assert (other["late"], other["number"]) == (True, 2)
    hall.time += 24 * HOUR
    assert (await ask(OPERATOR).post(PLEDGES, json=draft(hall, day="2026-11-23"))).status_code == 422
    found = await standings(ask)
    assert found["2026-11-23"] == "late"
    assert found["2026-11-24"] == "missing"
    assert [day for day, standing in found.items() if standing == "missed"] == [f"2026-11-{n}" for n in (20, 21, 22)]
    assert found["2026-11-19"] == "not-owed"
    assert max(found) == "2026-11-24", "no day to come"
    trail = [row.act.action for row in AuditStore(hall.database.rows).acts(limit=9, kind="pledge")]
    assert trail == ["give", "withdraw", "give"]


async def test_a_pledge_without_hot_work_that_was_declared_is_reported_as_a_contradiction(
    ask: Ask, hall: StandIn
) -> None:
    given = await done(await ask(OPERATOR).post(PLEDGES, json=draft(hall)))
    assert given["contradictions"] == []
    work = await declared(ask, hall)
    shown = await done(await ask(INSPECTOR).get(f"{PLEDGES}/{given['id']}"))
    (found,) = shown["contradictions"]
    assert found["text"]["zh"] == "动火作业：承诺 0 处，报备 1 处"
    for path in (f"/pledges/{given['id']}", "/pledges"):
        assert found["text"]["zh"] in (await ask(INSPECTOR).get(path)).text
    await step(ask, work, "cancel", remark="改期")
    shown = await done(await ask(INSPECTOR).get(f"{PLEDGES}/{given['id']}"))
    assert shown["contradictions"] == []


async def test_each_sees_its_own_and_a_township_its_region(ask: Ask, hall: StandIn) -> None:
    assert (await ask(INSPECTOR).post(PLEDGES, json=draft(hall))).status_code == 403
    assert (await ask(ELSEWHERE).post(PLEDGES, json=draft(hall))).status_code == 404
    given = await done(await ask(OPERATOR).post(PLEDGES, json=draft(hall)))
    await done(await ask(OPERATOR).post(PLEDGES, json=draft(hall, plant=STEEL)))
    assert (await ask(ELSEWHERE).get(f"{PLEDGES}/{given['id']}")).status_code == 404
    assert (await done(await ask(ELSEWHERE).get(PLEDGES)))["pledges"] == []
    region = hall.known.plants[ALUMINIUM].region
    here = await done(await ask(INSPECTOR).get(f"{PLEDGES}?region={region}"))
    assert given["id"] in {each["id"] for each in here["pledges"]}
    assert (await done(await ask(INSPECTOR).get(f"{PLEDGES}?region=11")))["pledges"] == []
    empty = await done(await ask(INSPECTOR).get(f"{PLEDGES}/month?region=11"))
    assert empty["days"] == []
    first = await done(await ask(INSPECTOR).get(f"{PLEDGES}?limit=1"))
    rest = await done(await ask(INSPECTOR).get(f"{PLEDGES}?limit=1&cursor={first['next']}"))
    assert len({each["id"] for page in (first, rest) for each in page["pledges"]}) == 2


async def test_the_page_has_the_missing_first_and_the_form_that_gives_it(ask: Ask, hall: StandIn) -> None:
    hall.time += 3 * HOUR
    operator = ask(OPERATOR)
    page = (await operator.get("/pledges")).text
    assert "未承诺" in page
    assert "漏报" in page
    form = {
        "plant": ALUMINIUM,
        "assessment": "已研判",
        "text": "我承诺",
        "person": "陈总",
        "running": "2",
        "stopped": "0",
    }
    answer = await operator.post("/pledges", data=form | {"hot-work": "1"})
    assert answer.status_code == 303, answer.text
    at = answer.headers["location"]
    shown = (await operator.get(at)).text
    assert "超时承诺" in shown
    assert "动火作业：承诺 1 处，报备 0 处" in shown
    answer = await operator.post(f"{at}/withdraw", data={"version": "1", "remark": "写错"})
    assert answer.status_code == 303, answer.text
    assert "已撤回" in (await operator.get(at)).text
    assert (await operator.get("/pledges?month=2026-10&region=35")).status_code == 200
