"""REST on alarms: lists that page without loss, and acknowledging."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from ingest.domain.alarms.report import alarm_body
from ingest.domain.model.alarm import AlarmState
from ingest.domain.model.contribution import Contribution, PointAspect
from ingest.domain.model.payload import iso
from ingest.domain.model.text import Text
from tests.ingest.web.conftest import Ask
from tests.ingest.web.made_up_plants import ALUMINIUM, STEEL, WOOD
from tests.ingest.web.stand_in import ADMIN, ELSEWHERE, INSPECTOR, OPERATOR, StandIn

ALARMS = "/api/v1/alarms"


async def test_alarms_come_newest_first_and_page_without_loss(hall: StandIn, ask: Ask) -> None:
    for minute in range(10):
        hall.raise_alarm(STEEL, "CO-02", "HH", 180.0, ago_s=60 * minute)
    client = ask(OPERATOR)
    whole = (await client.get(ALARMS)).json()["alarms"]
    seen, cursor = [], None
    while True:
        page = (await client.get(ALARMS, params={"limit": 3, **({"cursor": cursor} if cursor else {})})).json()
        seen += page["alarms"]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == whole
    assert len(whole) == 16
    assert [alarm["raised"] for alarm in whole] == sorted((alarm["raised"] for alarm in whole), reverse=True)


async def test_standing_alarms_page_by_urgency_and_a_cursor_is_good_for_its_own_order_only(
    hall: StandIn, ask: Ask
) -> None:
    """Unacknowledged, then level 2, then the newest; a cursor of the other order would leave some out."""
    for minute in range(10):
        hall.raise_alarm(STEEL, "CO-02", "HH" if minute > 6 else "H", 180.0, ago_s=60 * minute)
    client = ask(OPERATOR)
    seen: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        asked = {"order": "urgency", "limit": "4"} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(ALARMS, params=asked)).json()
        seen, cursor = seen + page["alarms"], page["next"]
    outstanding = [alarm for alarm in hall.book.values() if alarm.state is not AlarmState.NORMAL]
    outstanding.sort(key=lambda a: (a.state is not AlarmState.ACKNOWLEDGED, a.level, a.annunciated), reverse=True)
    assert [alarm_out["id"] for alarm_out in seen] == [str(alarm.id) for alarm in outstanding]
    for first, other in (("urgency", "raised"), ("raised", "urgency")):
        following = (await client.get(ALARMS, params={"order": first, "limit": 1})).json()["next"]
        answer = await client.get(ALARMS, params={"order": other, "cursor": following})
        assert answer.status_code == 422
        assert f"order={other}" in answer.text


@pytest.mark.parametrize(
    ("query", "points"),
    [
        ({"plant": WOOD, "level": "2"}, {"GW-01"}),
        ({"state": ["unacknowledged", "returned-unacknowledged"]}, {"GW-01", "CW_IN_P-01", "HOPPER_T-01"}),
        ({"point": "CO-01"}, {"CO-01"}),
        ({"since": "2026-11-23T14:05:00+08:00"}, {"CW_IN_P-01"}),
        ({"until": "2026-11-23T00:00:00Z"}, {"DP-01"}),
        ({"plant": "nowhere"}, set()),
    ],
)
async def test_filters_narrow_the_list(query: dict[str, str], points: set[str], ask: Ask) -> None:
    found = (await ask(OPERATOR).get(ALARMS, params=query)).json()["alarms"]
    assert {alarm["point"] for alarm in found} == points


async def test_a_historical_alarm_is_marked_and_does_not_stand(hall: StandIn, ask: Ask) -> None:
    client = ask(OPERATOR)
    before = (await client.get(f"/api/v1/plants/{STEEL}")).json()["standing"]
    past = hall.record_alarm(STEEL, "CO-02", "HH", 180.0, ago_s=7200, lasted_s=60)
    (found,) = (await client.get(ALARMS, params={"historical": True})).json()["alarms"]
    assert (found["id"], found["historical"], found["state"]) == (str(past.id), True, "normal")
    others = (await client.get(ALARMS, params={"historical": False})).json()["alarms"]
    assert others
    assert not any(alarm["historical"] for alarm in others)
    assert (await client.get(f"/api/v1/plants/{STEEL}")).json()["standing"] == before
    detail = (await client.get(f"{ALARMS}/{past.id}")).json()
    assert [step["event"] for step in detail["history"]] == ["recorded"]
    assert alarm_body(hall.log[-1], None)["alarm"]["historical"] is True


async def test_a_filter_cannot_widen_the_scope(ask: Ask) -> None:
    assert (await ask(ELSEWHERE).get(ALARMS, params={"plant": STEEL})).json()["alarms"] == []
    assert {a["plant"] for a in (await ask(ELSEWHERE).get(ALARMS)).json()["alarms"]} == {WOOD}


async def test_a_made_up_cursor_is_refused(ask: Ask) -> None:
    answer = await ask(OPERATOR).get(ALARMS, params={"cursor": "nonsense"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == "cursor"


async def test_an_alarm_tells_its_history_oldest_first(hall: StandIn, ask: Ask) -> None:
    alarm = next(alarm for alarm in hall.book.values() if alarm.point == "DP-01")
    shown = (await ask(INSPECTOR).get(f"{ALARMS}/{alarm.id}")).json()
    assert [step["event"] for step in shown["history"]] == ["raised", "acknowledged", "returned"]
    assert shown["state"] == "normal"


async def test_an_alarm_says_what_its_rule_finds(hall: StandIn, ask: Ask) -> None:
    alarm = next(alarm for alarm in hall.book.values() if alarm.point == "CW_IN_P-01")
    shown = (await ask(INSPECTOR).get(f"{ALARMS}/{alarm.id}")).json()
    assert shown["reason"] == {"zh": "数值越过 0.315 MPa：低报", "en": "The value is beyond 0.315 MPa: low"}


async def test_a_message_describes_the_finding_until_the_rule_is_removed(hall: StandIn) -> None:
    event = hall.log[-1]
    point = next(point for point in hall.known.plants[event.alarm.plant].points if point.id == event.alarm.point)
    rule = next(rule for rule in point.rules if rule.code == event.alarm.rule)
    assert alarm_body(event, None, rule)["reason"] == {"zh": rule.reason.zh, "en": rule.reason.en}
    assert alarm_body(event, None)["reason"] is None


async def test_an_alarm_says_what_to_do_and_its_events_while_it_holds(hall: StandIn, ask: Ask) -> None:
    alarm = next(alarm for alarm in hall.book.values() if alarm.point == "CW_IN_P-01")
    shown = (await ask(INSPECTOR).get(f"{ALARMS}/{alarm.id}")).json()["rationalization"]
    assert shown["action"]["zh"].startswith("停止浇铸")
    assert shown["respond_s"] == 60
    event = next(event for event in hall.log if event.alarm.id == alarm.id)
    point = next(point for point in hall.known.plants[alarm.plant].points if point.id == alarm.point)
    rule = next(rule for rule in point.rules if rule.code == alarm.rule)
    holding = replace(event, alarm=replace(event.alarm, returned=None))
    assert alarm_body(holding, None, rule)["rationalization"] == shown
    over = replace(event, alarm=replace(event.alarm, returned=event.time))
    assert alarm_body(over, None, rule)["rationalization"] is None
    assert alarm_body(holding, None)["rationalization"] is None


async def test_api_and_pages_name_what_contributed_most_in_its_order(hall: StandIn, ask: Ask) -> None:
    """On the alarm's page and on that of its point; nothing of the kind beside an alarm of a single point."""
    of_point = f"/plants/{STEEL}/points/CO-02"
    assert "主要贡献" not in (await ask(OPERATOR).get(of_point)).text
    alarm = hall.raise_alarm(STEEL, "CO-02", "HH", 180.0)
    page = f"/alarms/{alarm.id}"
    for path in (page, of_point):
        assert "主要贡献" not in (await ask(OPERATOR).get(path)).text
    assert (await ask(OPERATOR).get(f"{ALARMS}/{alarm.id}")).json()["contributions"] == []
    parts = (Contribution("CO-01", Text("炉前", "furnace"), 62.4), Contribution("CO-02", Text("风机", "fan"), 30.0))
    hall.book[alarm.id] = replace(alarm, contributions=parts)
    shown = (await ask(OPERATOR).get(f"{ALARMS}/{alarm.id}")).json()["contributions"]
    assert [(part["point"], part["name"]["zh"], part["share"]) for part in shown] == [
        ("CO-01", "炉前", 62.4),
        ("CO-02", "风机", 30.0),
    ]
    for path in (page, of_point):
        html = (await ask(OPERATOR).get(path)).text
        assert re.findall(r'data-contribution="([^"]+)".*?>([^<]+)</a>.*?</span> ([0-9.]+) %', html) == [
            ("CO-01", "炉前", "62.4"),
            ("CO-02", "风机", "30.0"),
        ]
    aspects = (Contribution("CO-01", Text("缓慢漂移", "slow drift"), 90.0, PointAspect.DRIFT),)
    hall.book[alarm.id] = replace(alarm, contributions=aspects)
    (shown_aspect,) = (await ask(OPERATOR).get(f"{ALARMS}/{alarm.id}")).json()["contributions"]
    assert (shown_aspect["aspect"], shown_aspect["name"]["en"], shown[0]["aspect"]) == ("drift", "slow drift", None)
    for path in (page, of_point):
        html = (await ask(OPERATOR).get(path)).text
        assert re.findall(r'data-aspect="drift">(\S+).*? ([0-9.]+) %</span>', html) == [("缓慢漂移", "90.0")]


async def test_rest_and_webhooks_show_an_alarm_alike(hall: StandIn, ask: Ask) -> None:
    """A receiver can feed both into the same code."""
    event = hall.log[-1]
    shown = (await ask(OPERATOR).get(f"{ALARMS}/{event.alarm.id}")).json()
    del (
        shown["history"],
        shown["reason"],
        shown["rationalization"],
        shown["display"],
    )  # of the configuration, and of what else stands
    body = alarm_body(event, None)
    assert shown.pop("work") == body["work"]
    assert shown == body["alarm"]


@pytest.mark.parametrize(("token", "name"), [(OPERATOR, "中控室 王建国"), (ADMIN, "admin")])
async def test_acknowledging_names_who_and_why(token: str, name: str, hall: StandIn, ask: Ask) -> None:
    alarm = hall.raise_alarm(ALUMINIUM, "CW_IN_P-01", "LL", 0.27)
    answer = await ask(token).post(f"{ALARMS}/{alarm.id}/acknowledge", json={"comment": "已到现场"})
    assert answer.status_code == 200
    assert (answer.json()["acknowledged_by"], answer.json()["comment"]) == (name, "已到现场")
    assert answer.json()["history"][-1]["event"] == "acknowledged"


async def test_an_alarm_is_acknowledged_once(hall: StandIn, ask: Ask) -> None:
    alarm = hall.raise_alarm(ALUMINIUM, "CW_IN_P-01", "LL", 0.27)
    client = ask(OPERATOR)
    assert (await client.post(f"{ALARMS}/{alarm.id}/acknowledge")).status_code == 200
    again = await client.post(f"{ALARMS}/{alarm.id}/acknowledge")
    assert again.status_code == 409
    assert "acknowledged" in again.json()["detail"]


async def test_an_engine_that_does_not_answer_is_no_acknowledgement(hall: StandIn, ask: Ask) -> None:
    alarm = hall.raise_alarm(ALUMINIUM, "CW_IN_P-01", "LL", 0.27)
    hall.engine_away = True
    answer = await ask(OPERATOR).post(f"{ALARMS}/{alarm.id}/acknowledge")
    assert answer.status_code == 503
    assert "retry-after" in answer.headers


async def test_what_cannot_be_acknowledged_says_why(hall: StandIn, ask: Ask) -> None:
    client = ask(OPERATOR)
    assert (await client.post(f"{ALARMS}/{uuid4()}/acknowledge")).status_code == 404
    assert (await client.post(f"{ALARMS}/no-uuid/acknowledge")).status_code == 422
    alarm = hall.raise_alarm(ALUMINIUM, "CW_IN_P-01", "LL", 0.27)
    for body in ({"comment": "x" * 501}, {"remark": "?"}):
        answer = await client.post(f"{ALARMS}/{alarm.id}/acknowledge", json=body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["parameter"] == next(iter(body))
    half = await client.post(
        f"{ALARMS}/{alarm.id}/acknowledge",
        content=b'{"comment": "\\ud800"}',
        headers={"content-type": "application/json"},
    )
    assert half.status_code == 422, "half a character could be neither stored nor sent"
    assert hall.book[alarm.id].acked is None


async def test_people_comment_assign_and_reset_and_the_history_says_who(hall: StandIn, ask: Ask) -> None:
    alarm = hall.raise_alarm(ALUMINIUM, "CW_IN_P-01", "LL", 0.27)
    client = ask(OPERATOR)
    await ask(INSPECTOR).post(f"{ALARMS}/{alarm.id}/comment", json={"comment": " 请立即核实 "})
    answer = await client.post(f"{ALARMS}/{alarm.id}/assign", json={"to": "维修班 王强"})
    assert (answer.json()["assigned"], answer.json()["comment"]) == ("维修班 王强", "请立即核实")
    history = [(step["event"], step["by"], step["detail"]) for step in answer.json()["history"][1:]]
    assert history == [
        ("commented", "南安市应急管理局", {"comment": "请立即核实"}),
        ("assigned", "中控室 王建国", {"to": "维修班 王强"}),
    ]
    refused = await client.post(f"{ALARMS}/{alarm.id}/reset")
    assert refused.status_code == 409
    assert "unacknowledged" in refused.json()["detail"]
    assigned = (await client.get(ALARMS, params={"assigned": "维修班 王强"})).json()["alarms"]
    assert [alarm_out["id"] for alarm_out in assigned] == [str(alarm.id)]
    assert (await client.post(f"{ALARMS}/{alarm.id}/assign", json={"to": None})).json()["assigned"] is None


async def test_a_reset_that_wants_a_signed_inspection_takes_it_by_the_api(hall: StandIn, ask: Ask) -> None:
    hall.sign(WOOD, "DP-01")
    alarm = hall.raise_alarm(WOOD, "DP-01", "HH", 1600.0)
    hall.book[alarm.id] = replace(alarm, state=AlarmState.LATCHED_ACKNOWLEDGED, returned=hall.time)
    client, path = ask(ADMIN), f"{ALARMS}/{alarm.id}/reset"
    refused = await client.post(path)
    assert (refused.status_code, "who inspected" in refused.json()["detail"]) == (409, True)
    inspection = {"by": "陈志强", "at": iso(hall.time), "result": "无余烬"}
    assert (await client.post(path, json={"inspection": {"by": "陈志强"}})).status_code == 422
    answer = await client.post(path, json={"inspection": inspection})
    assert answer.status_code == 200
    assert answer.json()["history"][-1]["detail"]["inspected_by"] == "陈志强"


@pytest.mark.parametrize("body", [{}, {"comment": "  "}, {"comment": "x" * 501}, {"comment": "x", "by": "李四"}])
async def test_a_comment_without_words_or_in_another_name_is_refused(
    body: dict[str, str], hall: StandIn, ask: Ask
) -> None:
    alarm = hall.raise_alarm(ALUMINIUM, "CW_IN_P-01", "LL", 0.27)
    assert (await ask(OPERATOR).post(f"{ALARMS}/{alarm.id}/comment", json=body)).status_code == 422
    assert hall.book[alarm.id].comment is None
