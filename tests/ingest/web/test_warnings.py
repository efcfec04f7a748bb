"""REST on warnings: lists, why they stand, what people may do about them, and the risk index."""

from __future__ import annotations

from typing import Any

import pytest

from ingest.domain.warnings.report import warning_body
from tests.ingest.web.conftest import Ask
from tests.ingest.web.made_up_plants import ALUMINIUM, STEEL, WOOD
from tests.ingest.web.stand_in import ADMIN, ELSEWHERE, INSPECTOR, OPERATOR, StandIn

WARNINGS = "/api/v1/warnings"


@pytest.fixture
def hall() -> StandIn:
    """Two plants with an alarm each, now and some minutes ago."""
    made = StandIn()
    made.raise_alarm(WOOD, "HOPPER_T-01", "H", 61.0, ago_s=500)
    made.raise_alarm(STEEL, "CO-01", "HH", 180.0)
    return made


async def only(ask: Ask, token: str, **query: str) -> dict[str, Any]:
    (found,) = (await ask(token).get(WARNINGS, params=query)).json()["warnings"]
    return dict(found)


async def test_warnings_come_newest_first_and_page_without_loss(ask: Ask) -> None:
    whole = (await ask(OPERATOR).get(WARNINGS)).json()
    assert [(warning_out["plant"], warning_out["colour"]) for warning_out in whole["warnings"]] == [
        (STEEL, "orange"),
        (WOOD, "blue"),
    ]
    first = (await ask(OPERATOR).get(WARNINGS, params={"limit": 1})).json()
    second = (await ask(OPERATOR).get(WARNINGS, params={"limit": 1, "cursor": first["next"]})).json()
    assert first["warnings"] + second["warnings"] == whole["warnings"]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("query", "plants"),
    [
        ({"colour": "orange"}, {STEEL}),
        ({"colour": ["orange", "blue"]}, {STEEL, WOOD}),
        ({"peak": "red"}, set()),
        ({"state": "closed"}, set()),
        ({"plant": WOOD}, {WOOD}),
        ({"since": "2026-11-23T06:12:00Z"}, {STEEL}),
        ({"until": "2026-11-23T06:12:00Z"}, {WOOD}),
    ],
)
async def test_filters_narrow_the_list(query: dict[str, str], plants: set[str], ask: Ask) -> None:
    found = (await ask(OPERATOR).get(WARNINGS, params=query)).json()["warnings"]
    assert {warning_out["plant"] for warning_out in found} == plants


async def test_a_warning_of_another_plant_looks_like_none(ask: Ask) -> None:
    steel = await only(ask, ADMIN, plant=STEEL)
    for path in ("", "/explain"):
        assert (await ask(ELSEWHERE).get(f"{WARNINGS}/{steel['id']}{path}")).status_code == 404
    for verb in ("acknowledge", "feedback"):
        body = {"cause": "?", "measure": "?"} if verb == "feedback" else None
        assert (await ask(ELSEWHERE).post(f"{WARNINGS}/{steel['id']}/{verb}", json=body)).status_code == 404
    assert [warning_out["plant"] for warning_out in (await ask(ELSEWHERE).get(WARNINGS)).json()["warnings"]] == [WOOD]


async def test_a_warning_says_why_and_who_is_asked_until_when(ask: Ask) -> None:
    key = (await only(ask, OPERATOR, plant=STEEL))["id"]
    found = (await ask(OPERATOR).get(f"{WARNINGS}/{key}")).json()
    reasons = {reason["rule"]: reason for reason in found["reasons"]}
    assert set(reasons) == {"L2"}
    assert reasons["L2"]["confidence"] == "engineering default"
    (fact,) = reasons["L2"]["facts"]
    assert (fact["point"], fact["rule"], fact["value"], fact["limit"]) == ("CO-01", "HH", 180.0, 160.0)
    assert (found["step"], found["who"], found["asking"]) == ("enterprise", ["企业安全负责人"], "acknowledgement")
    assert found["until"] == "2026-11-23T06:27:30.200Z"  # 15 min for orange
    assert found["title"]["zh"].endswith("橙色预警：有二级报警")
    assert [step["event"] for step in found["history"]] == ["raised"]


async def test_rest_and_webhooks_show_a_warning_alike(hall: StandIn, ask: Ask) -> None:
    expected = warning_body(hall.warned[-1], hall.known.plants[STEEL])["warning"]
    assert await only(ask, OPERATOR, plant=STEEL) == expected


async def test_an_operator_acknowledges_until_it_has_gone_up_then_an_inspector_must(hall: StandIn, ask: Ask) -> None:
    key = (await only(ask, OPERATOR, plant=STEEL))["id"]
    hall.pass_time(901)
    refused = await ask(OPERATOR).post(f"{WARNINGS}/{key}/acknowledge")
    assert refused.status_code == 409
    assert "township" in refused.json()["detail"]
    seen = await ask(INSPECTOR).post(f"{WARNINGS}/{key}/acknowledge", json={"comment": "已通知企业"})
    assert seen.status_code == 200
    assert (seen.json()["acknowledged_by"], seen.json()["asking"]) == ("南安市应急管理局", "feedback")
    assert seen.json()["history"][-1]["detail"] == {"comment": "已通知企业"}
    assert (await ask(INSPECTOR).post(f"{WARNINGS}/{key}/acknowledge")).status_code == 409


async def test_feedback_closes_it_once_the_colour_is_gone(hall: StandIn, ask: Ask) -> None:
    found = await only(ask, OPERATOR, plant=STEEL)
    answer = {"cause": "冷却水泵跳停", "measure": "切换备用泵"}
    given = await ask(OPERATOR).post(f"{WARNINGS}/{found['id']}/feedback", json=answer)
    assert given.status_code == 200
    assert (given.json()["state"], given.json()["feedback"]["cause"]) == ("open", "冷却水泵跳停")
    alarm = next(alarm for alarm in hall.book.values() if alarm.plant == STEEL)
    hall.return_alarm(alarm)
    hall.pass_time(601)
    closed = (await ask(OPERATOR).get(f"{WARNINGS}/{found['id']}")).json()
    assert (closed["state"], closed["colour"]) == ("closed", None)
    late = await ask(OPERATOR).post(f"{WARNINGS}/{found['id']}/feedback", json=answer)
    assert late.status_code == 409


@pytest.mark.parametrize(
    "body", [{}, {"cause": "x"}, {"cause": " ", "measure": "y"}, {"cause": "x", "measure": "y", "z": 1}]
)
async def test_feedback_must_be_whole(body: dict[str, Any], ask: Ask) -> None:
    key = (await only(ask, OPERATOR, plant=STEEL))["id"]
    assert (await ask(OPERATOR).post(f"{WARNINGS}/{key}/feedback", json=body)).status_code == 422


async def test_why_was_it_orange_then(hall: StandIn, ask: Ask) -> None:
    """An explanation describes its moment, whatever came later; without one, of the highest colour's beginning."""
    key = (await only(ask, OPERATOR, plant=WOOD))["id"]
    hall.pass_time(200)
    alarm = next(alarm for alarm in hall.book.values() if alarm.plant == WOOD)
    hall.return_alarm(alarm)
    hall.pass_time(1300)
    explain = f"{WARNINGS}/{key}/explain"
    early = (await ask(OPERATOR).get(explain, params={"at": "2026-11-23T06:10:00Z"})).json()
    assert (early["colour"], [reason["rule"] for reason in early["reasons"]]) == ("blue", ["L1"])
    grave = (await ask(OPERATOR).get(explain)).json()
    assert (grave["colour"], [reason["rule"] for reason in grave["reasons"]]) == ("yellow", ["L1-OLD", "L1"])
    assert grave["reasons"][0]["facts"][0]["age_s"] == 600
    fading = (await ask(OPERATOR).get(explain, params={"at": "2026-11-23T06:16:30Z"})).json()
    assert (fading["colour"], fading["reasons"]) == ("yellow", [])
    assert {ground["colour"] for ground in fading["fading"]} == {"yellow", "blue"}
    before = await ask(OPERATOR).get(explain, params={"at": "2026-11-23T05:00:00Z"})
    assert before.status_code == 422
    assert before.json()["errors"][0]["parameter"] == "at"


async def test_the_risk_index_of_plants_equipment_and_regions(hall: StandIn, ask: Ask) -> None:
    hall.pass_time(1)
    found = (await ask(OPERATOR).get("/api/v1/risk")).json()
    by_plant = {plant["plant"]: plant for plant in found["plants"]}
    assert by_plant[STEEL]["index"] > by_plant[ALUMINIUM]["index"] == by_plant[ALUMINIUM]["inherent"]
    assert by_plant[STEEL]["equipment"][0]["index"] == by_plant[STEEL]["index"]
    assert [region["region"] for region in found["regions"]] == ["35", "3505", "350583"]
    assert {region["plants"] for region in found["regions"]} == {3}
    mine = (await ask(ELSEWHERE).get("/api/v1/risk")).json()
    assert [plant["plant"] for plant in mine["plants"]] == [WOOD]
    assert {region["plants"] for region in mine["regions"]} == {1}
    assert (await ask(ELSEWHERE).get("/api/v1/risk", params={"plant": STEEL})).status_code == 404


async def test_the_band_is_the_same_for_whoever_asks_and_whenever(hall: StandIn, ask: Ask) -> None:
    """82 after 90 is red, also to somebody who never saw the 90; the console says the number alone."""
    second = hall.raise_alarm(STEEL, "CO-02", "HH", 180.0)
    hall.return_alarm(second)
    hall.pass_time(960)
    for wait, band in ((0, "red"), (600, "orange")):
        hall.pass_time(wait)
        (found,) = (await ask(OPERATOR).get("/api/v1/risk", params={"plant": STEEL})).json()["plants"]
        assert (found["band"], 70 < found["index"] < 84) == (band, True)
        page = (await ask(OPERATOR).get(f"/plants/{STEEL}")).text
        shown = page[page.index('class="risk"') :].partition("</dd>")[0]
        assert f"<b>{found['index']:.0f}</b> / 100" in shown
        assert "colour-" not in shown
