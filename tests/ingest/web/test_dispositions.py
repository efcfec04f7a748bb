"""A disposition is stored before the engine gets it, for alarms of one plant and one form, with its evidence."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest

from ingest.domain.model.alarm import Alarm
from ingest.storage.state.audit import AuditStore
from tests.ingest.web.conftest import Ask
from tests.ingest.web.made_up_plants import ALUMINIUM, STEEL, WOOD
from tests.ingest.web.stand_in import ELSEWHERE, INSPECTOR, OPERATOR, StandIn

DISPOSITIONS = "/api/v1/dispositions"
GIVEN = {
    "cause": "process.water",
    "measure": "开启备用泵，压力恢复",
    "person": "李工",
    "handled": "2026-11-23T06:10:00Z",
}


def alarm(
    hall: StandIn, code: str = "LL", point: str = "CW_IN_P-01", plant: str = ALUMINIUM, ago_s: float = 0
) -> Alarm:
    return hall.raise_alarm(plant, point, code, 0.27, ago_s=ago_s)


async def give(ask: Ask, *alarms: Alarm, token: str = OPERATOR, **changes: Any) -> httpx.Response:
    body = {"alarms": [str(record.id) for record in alarms]} | GIVEN | changes
    return await ask(token).post(DISPOSITIONS, json=body)


async def test_one_disposition_answers_several_alarms(ask: Ask, hall: StandIn) -> None:
    alarms = [alarm(hall, "LL"), alarm(hall, "L", ago_s=60)]
    answer = await give(ask, *alarms)
    assert answer.status_code == 201, answer.text
    given = answer.json()
    assert (given["plant"], given["form"], given["cause_said"]["zh"], given["by"]) == (
        ALUMINIUM, "process", "冷却水异常", "中控室 王建国",
    )  # fmt: skip
    assert given["told"] is not None
    for each in alarms:
        events = [event for event in hall.log if event.alarm.id == each.id]
        assert events[-1].kind == "disposed"
        assert events[-1].detail == {"disposition": given["id"]}
        found = (await ask(INSPECTOR).get(DISPOSITIONS, params={"alarm": str(each.id)})).json()["dispositions"]
        assert [shown["id"] for shown in found] == [given["id"]]
    assert (await ask(INSPECTOR).get(f"{DISPOSITIONS}/{given['id']}")).json() == given
    (row,) = AuditStore(hall.database.rows).acts(limit=9, kind="disposition")
    assert (row.act.action, row.act.subject) == ("disposed", given["id"])
    assert row.act.detail["alarms"] == [str(each.id) for each in alarms]


async def test_a_command_without_an_answer_is_kept_and_submitted_again(ask: Ask, hall: StandIn) -> None:
    raised = alarm(hall)
    hall.engine_away = True
    answer = await give(ask, raised)
    assert (answer.status_code, answer.json()["told"]) == (201, None)
    assert [str(kept.id) for kept in hall.cases.store.unreported(limit=9)] == [answer.json()["id"]]
    assert hall.book[raised.id].disposed is None


async def test_devices_and_the_process_have_forms_of_their_own(ask: Ask, hall: StandIn) -> None:
    process, device = alarm(hall), alarm(hall, "OFFLINE", "GW-01")
    assert (await give(ask, device)).json()["errors"][0]["parameter"] == "cause"
    assert (await give(ask, process, cause="device.power")).json()["errors"][0]["parameter"] == "cause"
    both = await give(ask, process, device)
    assert (both.status_code, both.json()["errors"][0]["parameter"]) == (422, "alarms")
    assert (await give(ask, device, cause="device.power")).json()["form"] == "device"
    assert hall.book[process.id].disposed is None
    causes = (await ask(OPERATOR).get(f"{DISPOSITIONS}/causes")).json()
    assert {"device", "process", "false_alarm"} == set(causes)
    assert causes["device"][0]["text"]["zh"]


@pytest.mark.parametrize(
    ("changes", "parameter"),
    [
        ({"false_alarm": "test"}, "words"),
        ({"false_alarm": "test", "words": "  "}, "words"),
        ({"false_alarm": "because", "words": "x"}, "false_alarm"),
        ({"cause": "process.other"}, "words"),
        ({"measure": " "}, "measure"),
        ({"person": ""}, "person"),
        ({"handled": "2026-11-24T06:10:00Z"}, "handled"),
        ({"evidence": [str(uuid4())]}, "evidence"),
        ({"alarms": []}, "alarms"),
        ({"form": "device"}, "form"),
    ],
)
async def test_what_does_not_hold_together_is_refused(
    changes: dict[str, Any], parameter: str, ask: Ask, hall: StandIn
) -> None:
    raised = alarm(hall)
    answer = await give(ask, raised, **changes)
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, parameter)
    assert hall.book[raised.id].disposed is None
    assert (await ask(OPERATOR).get(DISPOSITIONS)).json()["dispositions"] == []


async def test_a_false_alarm_says_why(ask: Ask, hall: StandIn) -> None:
    assert (await give(ask, alarm(hall), false_alarm="test", words="每月联锁试验")).status_code == 201
    assert (await give(ask, alarm(hall, ago_s=60))).status_code == 201
    client = ask(INSPECTOR)
    for asked in (True, False):
        found = (await client.get(DISPOSITIONS, params={"false_alarm": asked})).json()["dispositions"]
        assert [disposition["false_alarm"] is not None for disposition in found] == [asked]


async def test_alarms_of_two_plants_or_none_are_refused(ask: Ask, hall: StandIn) -> None:
    here, there = alarm(hall), alarm(hall, "HH", "CO-01", STEEL)
    assert (await give(ask, here, there)).status_code == 422
    assert (await give(ask, here, alarms=[str(here.id)] * 2)).status_code == 422
    assert (await give(ask, here, alarms=[str(uuid4())])).status_code == 404
    assert (await give(ask, here, token=ELSEWHERE)).status_code == 404
    assert (await give(ask, here, token=INSPECTOR)).status_code == 403
    assert (await give(ask, here, alarms=[], warning=str(uuid4()))).status_code == 404
    given = (await give(ask, here)).json()
    assert (await ask(ELSEWHERE).get(f"{DISPOSITIONS}/{given['id']}")).status_code == 404
    assert (await ask(ELSEWHERE).get(DISPOSITIONS)).json()["dispositions"] == []


async def test_evidence_belongs_to_the_plant_of_the_alarm(ask: Ask, hall: StandIn) -> None:
    ids = {}
    for plant in (ALUMINIUM, WOOD):
        files = {"file": ("x.pdf", b"%PDF-1.7", "application/pdf")}
        ids[plant] = (await ask(OPERATOR).post("/api/v1/evidence", data={"plant": plant}, files=files)).json()["id"]
    assert (await give(ask, alarm(hall), evidence=[ids[WOOD]])).status_code == 422
    answer = await give(ask, alarm(hall), evidence=[ids[ALUMINIUM]])
    assert answer.json()["evidence"] == [ids[ALUMINIUM]]
