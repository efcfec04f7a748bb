"""What a person does with an alarm by the forms of its page, and what a form refuses."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace

import pytest

from ingest.domain.model.alarm import AlarmState
from ingest.domain.model.suppression import SuppressionKind, SuppressionState
from ingest.web.console.trend_svg import LOCAL
from tests.ingest.web.conftest import Ask
from tests.ingest.web.console.shown import alarm_at, offered, section
from tests.ingest.web.filled import PDF
from tests.ingest.web.made_up_plants import ALUMINIUM, MINUTE, SECOND, WOOD
from tests.ingest.web.stand_in import ADMIN, ELSEWHERE, INSPECTOR, OPERATOR, StandIn

ALWAYS = ("dispositions", "comment", "assign", "out-of-service")
"""What the plant's people can do about any alarm that is not cleared."""


@pytest.mark.parametrize(
    ("token", "point", "forms"),
    [
        (OPERATOR, "CW_IN_P-01", {"acknowledge", *ALWAYS, "shelve", "suppress"}),
        (ADMIN, "CO-01", {*ALWAYS, "shelve", "suppress"}),
        (OPERATOR, "GW-01", {"acknowledge", *ALWAYS}),
        (OPERATOR, "HOPPER_T-01", {"acknowledge", *ALWAYS}),
        (INSPECTOR, "CW_IN_P-01", {"comment"}),
    ],
)
async def test_only_what_can_be_done_is_offered(
    token: str, point: str, forms: set[str], hall: StandIn, ask: Ask
) -> None:
    """By role, state and level: level 2 is not hidden, what is over is not shelved, supervision only comments."""
    page = (await ask(token).get(f"/alarms/{alarm_at(hall, point).id}")).text
    assert offered(page) == forms


async def test_a_latched_alarm_can_be_reset_once_it_was_seen(hall: StandIn, ask: Ask) -> None:
    alarm = alarm_at(hall, "CO-01")
    hall.book[alarm.id] = replace(alarm, state=AlarmState.LATCHED_ACKNOWLEDGED, returned=hall.time)
    client = ask(OPERATOR)
    assert "reset" in offered((await client.get(f"/alarms/{alarm.id}")).text)
    assert (await client.post(f"/alarms/{alarm.id}/reset")).status_code == 303
    assert hall.book[alarm.id].state is AlarmState.NORMAL


async def test_where_an_inspection_is_to_be_signed_the_page_asks_for_it_and_the_history_shows_it(
    hall: StandIn, ask: Ask
) -> None:
    hall.sign(WOOD, "DP-01")
    alarm = hall.raise_alarm(WOOD, "DP-01", "HH", 1600.0)
    hall.book[alarm.id] = replace(alarm, state=AlarmState.LATCHED_ACKNOWLEDGED, returned=hall.time)
    client = ask(ADMIN)
    page = (await client.get(f"/alarms/{alarm.id}")).text
    assert all(f'name="{field}"' in page for field in ("by", "at", "result", "remark"))
    refused = await client.post(f"/alarms/{alarm.id}/reset", data={"by": "陈志强"})
    assert refused.status_code == 409
    assert "须经现场检查签认" in refused.text
    when = dt.datetime.fromtimestamp(hall.time / 1e9, LOCAL).strftime("%Y-%m-%dT%H:%M:%S")
    signed = {"by": "陈志强", "at": when, "result": "除尘器内无余烬"}
    assert (await client.post(f"/alarms/{alarm.id}/reset", data=signed)).status_code == 303
    page = (await client.get(f"/alarms/{alarm.id}")).text
    assert "检查人" in page
    assert "除尘器内无余烬" in page


async def test_comments_and_assignments_are_in_the_history_with_their_author(hall: StandIn, ask: Ask) -> None:
    alarm = alarm_at(hall, "CW_IN_P-01")
    await ask(INSPECTOR).post(f"/alarms/{alarm.id}/comment", data={"comment": "请十分钟内反馈"})
    client = ask(OPERATOR)
    answer = await client.post(
        f"/alarms/{alarm.id}/assign", data={"to": "维修班 王强", "onward": f"/alarms/{alarm.id}"}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, f"/alarms/{alarm.id}")
    page = (await client.get(f"/alarms/{alarm.id}")).text
    history = page[page.index('class="history"') :]
    for phrase in (
        "请十分钟内反馈",
        "南安市应急管理局",
        "监管",
        "指派",
        "维修班 王强",
        "中控室 王建国",
        "触发",
        "系统",
    ):
        assert phrase in history
    assert f"/audit?kind=alarm&amp;subject={alarm.id}" in page
    await client.post(f"/alarms/{alarm.id}/assign", data={"to": ""})
    assert hall.book[alarm.id].assigned is None


async def test_shelving_takes_minutes_and_a_reason(hall: StandIn, ask: Ask) -> None:
    alarm = alarm_at(hall, "CW_IN_P-01")
    client = ask(OPERATOR)
    assert (await client.post(f"/alarms/{alarm.id}/shelve", data={"minutes": "30", "reason": " "})).status_code == 422
    answer = await client.post(f"/alarms/{alarm.id}/shelve", data={"minutes": "30", "reason": "更换变送器"})
    assert answer.status_code == 303
    (suppression,) = hall.hidden.values()
    assert (suppression.kind, suppression.rule, suppression.until) == (
        SuppressionKind.SHELVED,
        "L",
        hall.time + 30 * MINUTE,
    )
    assert hall.book[alarm.id].state is AlarmState.SHELVED
    page = (await client.get(f"/alarms/{alarm.id}")).text
    assert "取消搁置" in page
    assert "shelve" not in offered(page)


async def test_times_are_read_as_plant_time(hall: StandIn, ask: Ask) -> None:
    alarm = alarm_at(hall, "CO-01")
    form = {"reason": "检修", "begins": "2026-11-23T15:00", "until": "2026-11-23T18:00"}
    assert (await ask(OPERATOR).post(f"/alarms/{alarm.id}/out-of-service", data=form)).status_code == 303
    (suppression,) = hall.hidden.values()
    assert (suppression.state, suppression.rule) == (SuppressionState.APPLIED, None)
    assert (suppression.until or 0) - suppression.begins == 3 * 60 * MINUTE
    assert suppression.begins - hall.time == 47 * MINUTE + 30 * SECOND


async def test_feedback_with_evidence_clears_an_alarm_that_is_over(hall: StandIn, ask: Ask) -> None:
    """The form is that of its kind; the file can be fetched again, and only by who sees the plant."""
    alarm = next(a for a in hall.book.values() if a.point == "CO-02")
    client = ask(OPERATOR)
    page = (await client.get(f"/alarms/{alarm.id}")).text
    assert "煤气泄漏或压力异常" in page
    assert "通讯中断" not in page
    form = {"alarm": str(alarm.id), "cause": "process.gas", "measure": "紧固法兰并检漏", "person": "赵敏"}
    files = [("files", ("现场.pdf", PDF, "application/pdf"))]
    answer = await client.post("/dispositions", data=form | {"onward": f"/alarms/{alarm.id}"}, files=files)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/alarms/{alarm.id}")
    assert hall.book[alarm.id].cleared == hall.time
    listed = (await client.get("/alarms")).text
    assert f'data-alarm="{alarm.id}"' not in section(listed, "待处置")
    assert f'data-alarm="{alarm.id}"' in section(listed, "已结束")
    page = (await client.get(f"/alarms/{alarm.id}")).text
    assert "紧固法兰并检漏" in page
    (file,) = re.findall(r'href="(/api/v1/evidence/[^"]+/file)">现场\.pdf', page)
    assert (await client.get(file)).content == PDF
    assert (await ask(ELSEWHERE).get(file)).status_code == 404


async def test_a_gateways_alarm_has_the_form_for_devices(hall: StandIn, ask: Ask) -> None:
    page = (await ask(OPERATOR).get(f"/alarms/{alarm_at(hall, 'GW-01').id}")).text
    assert "通讯中断" in page
    assert "煤气泄漏或压力异常" not in page


@pytest.mark.parametrize(
    ("form", "label"),
    [
        ({"cause": "process.gas", "measure": "", "person": "赵敏"}, "措施"),
        ({"cause": "process.nothing", "measure": "x", "person": "赵敏"}, "原因"),
        ({"cause": "process.gas", "measure": "x", "person": "赵敏", "false_alarm": "test"}, "说明"),
    ],
)
async def test_what_is_missing_in_a_form_is_named_in_the_readers_language(
    form: dict[str, str], label: str, hall: StandIn, ask: Ask
) -> None:
    alarm = alarm_at(hall, "CO-01")
    client = ask(OPERATOR)
    answer = await client.post(
        "/dispositions", data=form | {"alarm": str(alarm.id)}, headers={"referer": "http://yujing.test/alarms?level=1"}
    )
    assert answer.status_code == 422
    assert f"<li><b>{label}</b>" in answer.text
    assert "应为：" in answer.text
    assert "expected" not in answer.text
    assert "None" not in answer.text
    assert 'href="/alarms?level=1">返回上一页' in answer.text
    assert hall.book[alarm.id].disposed is None


async def test_an_error_page_leads_back_to_this_site_only(hall: StandIn, ask: Ask) -> None:
    alarm = alarm_at(hall, "CO-01")
    for away in ("https://evil.example/x", "http://yujing.test//evil.example"):
        answer = await ask(OPERATOR).post(f"/alarms/{alarm.id}/acknowledge", headers={"referer": away})
        assert answer.status_code == 409
        assert "evil" not in answer.text
        assert "返回上一页" not in answer.text


async def test_a_file_that_is_no_picture_or_paper_is_refused(hall: StandIn, ask: Ask) -> None:
    alarm = alarm_at(hall, "CO-01")
    form = {"alarm": str(alarm.id), "cause": "process.gas", "measure": "x", "person": "y"}
    client = ask(OPERATOR)
    bad = [("files", ("a.pdf", b"<script>", "application/pdf"))]
    assert (await client.post("/dispositions", data=form, files=bad)).status_code == 422
    many = [("files", (f"{n}.pdf", PDF, "application/pdf")) for n in range(4)]
    assert (await client.post("/dispositions", data=form, files=many)).status_code == 422
    assert hall.book[alarm.id].disposed is None


async def test_feedback_is_only_for_alarms_in_scope(hall: StandIn, ask: Ask) -> None:
    alarm = alarm_at(hall, "CW_IN_P-01")
    form = {"alarm": str(alarm.id), "cause": "process.water", "measure": "x", "person": "y"}
    assert (await ask(ELSEWHERE).post("/dispositions", data=form)).status_code == 404
    assert (await ask(INSPECTOR).post("/dispositions", data=form)).status_code == 403
    assert ALUMINIUM not in (await ask(ELSEWHERE).get("/alarms")).text
