"""Registers of daily duty as files: by days of the plant, with the days that lack a pledge; nothing in them runs."""

from __future__ import annotations

import csv
import datetime as dt
import io
from dataclasses import replace
from typing import Any

import pytest

from ingest.domain.cases.days import begins
from ingest.domain.model.daily import CleaningArea, PledgeDuty
from ingest.domain.model.payload import iso
from ingest.domain.model.text import Text
from tests.ingest.web.conftest import Ask
from tests.ingest.web.made_up_plants import ALUMINIUM, MINUTE, WOOD
from tests.ingest.web.stand_in import ELSEWHERE, INSPECTOR, OPERATOR, StandIn
from tests.ingest.web.test_lists import HOSTILE, fetch, shapes_agree
from tests.ingest.web.test_works import declared, done, step

HOUR = 60 * MINUTE
DAY = 24 * HOUR


@pytest.fixture
def hall() -> StandIn:
    """Half past twelve at night; the wood plant cleans an area and owes a pledge by nine since the 20th."""
    made_up = StandIn(begins(dt.date(2026, 11, 23)) + 30 * MINUTE)
    plant = replace(
        made_up.known.plants[WOOD],
        pledge=PledgeDuty(dt.time(9), dt.date(2026, 11, 20)),
        cleaning=(CleaningArea("A1", Text("打磨间", "grinding"), "吸尘", "打磨班", "A1", 24.0),),
    )
    made_up.known = replace(made_up.known, plants={**made_up.known.plants, WOOD: plant})
    return made_up


async def rows(ask: Ask, name: str, query: str = "", token: str = INSPECTOR) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await done(await ask(token).get(f"/api/v1/lists/{name}.json{query}")))["rows"]
    return found


async def cleaned(ask: Ask, done_at: int, **changes: Any) -> Any:
    body = {"plant": WOOD, "area": "A1", "done": iso(done_at), "cleaner": "李工", "result": "无积尘"}
    return await done(await ask(OPERATOR).post("/api/v1/cleanings", json=body | changes))


async def pledged(ask: Ask, day: str, **changes: Any) -> Any:
    body = {
        "plant": WOOD,
        "day": day,
        "assessment": "正常生产",
        "person": "陈总",
        "running": 2,
        "stopped": 0,
        "works": {},
    }
    return await done(await ask(OPERATOR).post("/api/v1/pledges", json=body | {"works": {}} | changes))


async def test_declared_work_is_listed_on_each_day_it_was_declared_for(ask: Ask, hall: StandIn) -> None:
    """With the equipment's name, how it stands now, and every name and time of its steps."""
    work = await declared(ask, hall, equipment="CAST-01", begins=iso(hall.time - HOUR), ends=iso(hall.time + HOUR))
    for name, token in (("approve", INSPECTOR), ("begin", OPERATOR)):
        work = await step(ask, work, name, token)
    hall.time += MINUTE
    await declared(ask, hall, equipment=None, begins=iso(hall.time + 3 * DAY), ends=iso(hall.time + 4 * DAY))
    hall.time += 2 * HOUR
    first, second = await rows(ask, "works")
    machine = next(each for each in hall.known.plants[ALUMINIUM].equipment if each.id == "CAST-01")
    assert (first["equipment"], first["state"], first["approved_by"], first["late"], first["finished"]) == (
        machine.name.zh, "超时未完工", "南安市应急管理局", "是", None,
    )  # fmt: skip
    assert (first["begins"], first["ends"]) == ("2026-11-22T23:30:00+08:00", "2026-11-23T01:30:00+08:00")
    assert (second["equipment"], second["state"], second["late"]) == ("全厂", "待审批", None)
    for since, through, found in (("22", "22", 1), ("23", "23", 1), ("24", "25", 0), ("21", "21", 0), ("22", "27", 2)):
        query = f"?since=2026-11-{since}&through=2026-11-{through}"
        assert len(await rows(ask, "works", query)) == found, query
    await shapes_agree(ask, "lists/works", "?since=2026-11-22")


async def test_records_of_cleaning_are_listed_by_the_day_of_the_plant(ask: Ask, hall: StandIn) -> None:
    """A quarter past midnight is the 23rd here, whatever the day is in UTC; a voided record stays."""
    first = await cleaned(ask, hall.time - 15 * MINUTE, thickness_um=800)
    two = await cleaned(ask, hall.time - HOUR)
    await done(await ask(OPERATOR).post(f"/api/v1/cleanings/{two['id']}/void", json={"version": 1, "remark": "填错"}))
    found = await rows(ask, "cleanings")
    assert [(row["id"], row["area"], row["state"], row["thickness_um"], row["remark"]) for row in found] == [
        (two["id"], "打磨间", "已作废", None, "填错"), (first["id"], "打磨间", "有效", 800, None),
    ]  # fmt: skip
    (row,) = await rows(ask, "cleanings", "?since=2026-11-23")
    assert (row["id"], row["done"]) == (first["id"], "2026-11-23T00:15:00+08:00")
    (row,) = await rows(ask, "cleanings", "?through=2026-11-22")
    assert row["id"] == two["id"]
    await shapes_agree(ask, "lists/cleanings")


async def test_pledges_are_listed_with_the_days_that_lack_one(ask: Ask, hall: StandIn) -> None:
    """Missed, in time, withdrawn and given again late, missing today; and where it differs from declared work."""
    hall.time += 7 * HOUR
    first = await pledged(ask, "2026-11-23", works={"hot-work": 2})
    hall.time += 3 * HOUR
    body = {"version": 1, "remark": "数量写错"}
    await done(await ask(OPERATOR).post(f"/api/v1/pledges/{first['id']}/withdraw", json=body))
    await pledged(ask, "2026-11-23", works={"hot-work": 1})
    hall.time += DAY
    found = await rows(ask, "pledges", f"?plant={WOOD}")
    assert [(row["day"], row["state"], row["person"], row["hot-work"], row["differs"]) for row in found] == [
        ("2026-11-20", "漏报", None, None, None),
        ("2026-11-21", "漏报", None, None, None),
        ("2026-11-22", "漏报", None, None, None),
        ("2026-11-23", "已撤回", "陈总", 2, None),
        ("2026-11-23", "超时承诺", "陈总", 1, "动火作业：承诺 1 处，报备 0 处"),
        ("2026-11-24", "未承诺", None, None, None),
    ]
    assert (found[3]["remark"], found[4]["given"]) == ("数量写错", "2026-11-23T10:30:00+08:00")
    for query, days in (
        ("?since=2026-11-22&through=2026-11-23", 3),
        ("?through=2026-11-19", 0),
        ("?since=2030-01-01", 0),
    ):
        assert len(await rows(ask, "pledges", query)) == days, query
    await shapes_agree(ask, "lists/pledges")


async def test_a_register_is_of_the_callers_plants_and_of_one_that_is_gone(ask: Ask, hall: StandIn) -> None:
    await declared(ask, hall)
    await cleaned(ask, hall.time)
    assert await rows(ask, "works", token=ELSEWHERE) == []
    assert [row["plant"] for row in await rows(ask, "cleanings", token=ELSEWHERE)] == ["晨光木业有限公司"]
    assert (await ask(ELSEWHERE).get(f"/api/v1/lists/works.csv?plant={ALUMINIUM}")).status_code == 404
    hall.known = replace(hall.known, plants={key: plant for key, plant in hall.known.plants.items() if key != WOOD})
    (row,) = await rows(ask, "cleanings")
    assert (row["plant"], row["area"]) == (WOOD, "A1"), "what is not known by name any more keeps its id"


@pytest.mark.parametrize("text", HOSTILE)
async def test_what_people_wrote_in_a_register_is_no_formula(text: str, ask: Ask, hall: StandIn) -> None:
    await cleaned(ask, hall.time, result=text.strip(), cleaner=text.strip())
    await declared(ask, hall, area=text.strip(), measures=text.strip())
    await pledged(ask, "2026-11-23", person=text.strip(), text=text.strip())
    for name in ("works", "cleanings", "pledges"):
        raw = (await fetch(ask, f"lists/{name}.csv")).decode("utf-8-sig")
        cells = [cell for row in csv.reader(io.StringIO(raw)) for cell in row]
        assert any(text.strip() in cell for cell in cells)
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "＝")) for cell in cells)


async def test_days_that_cannot_be_are_refused_by_name(ask: Ask, hall: StandIn) -> None:
    """Of a list as of now; in the wrong order; no day at all. The audit trail holds which days were exported."""
    client = ask(INSPECTOR)
    for path, part in (
        ("hazards.csv?since=2026-11-01", "since"),
        ("enterprises.json?through=2026-11-01", "through"),
        ("works.csv?since=2026-11-02&through=2026-11-01", "through"),
        ("works.csv?since=2026-02-30", "since"),
    ):
        answer = await client.get(f"/api/v1/lists/{path}")
        assert (answer.status_code, part in answer.text) == (422, True), path
    page = await client.get("/lists/works?since=2026-11-02&through=2026-11-01")
    assert (page.status_code, "不早于 2026-11-02 的日期" in page.text) == (422, True)
    assert (await client.get("/lists/works?through=9999-12-31")).status_code == 422
    await fetch(ask, "lists/works.csv?since=2026-11-01&through=2026-11-30")
    assert hall.trail[-1].act.detail["days"] == "2026-11-01 to 2026-11-30"


async def test_the_pages_lead_to_their_files_by_days(ask: Ask, hall: StandIn) -> None:
    """This month unless others are asked for; the files are of the days that the page shows."""
    await cleaned(ask, hall.time)
    client = ask(INSPECTOR)
    for page, name in (("/works", "works"), ("/cleaning", "cleanings"), ("/pledges", "pledges")):
        assert f'href="/lists/{name}' in (await client.get(page)).text
        assert f'href="/lists/{name}"' in (await client.get("/lists")).text
    text = (await client.get("/lists/cleanings")).text
    assert "2026-11-01 起" in text
    assert 'href="/api/v1/lists/cleanings.xlsx?since=2026-11-01"' in text
    assert "打磨间" in text
    text = (await client.get(f"/lists/cleanings?plant={WOOD}&since=&through=2026-11-22")).text
    assert f"cleanings.csv?plant={WOOD}&amp;through=2026-11-22" in text
    assert "没有记录" in text
    await client.post("/language", data={"lang": "en", "onward": "/lists"})
    text = (await client.get("/lists/pledges")).text
    assert "missed" in text
    assert "漏报" not in text
