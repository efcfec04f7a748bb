"""Alarms: their sections, what each role is offered, and what the forms lead to."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from html import unescape
from uuid import UUID

import httpx
import pytest

from ingest.domain.model.alarm import Alarm, AlarmState
from ingest.domain.model.suppression import SuppressionKind, SuppressionState
from ingest.domain.model.text import Text
from ingest.web.console.trend_svg import LOCAL
from tests.ingest.web.conftest import Ask
from tests.ingest.web.filled import PDF, fill
from tests.ingest.web.stand_in import (
    ADMIN,
    ALUMINIUM,
    ELSEWHERE,
    INSPECTOR,
    MINUTE,
    NOON,
    OPERATOR,
    SECOND,
    STEEL,
    WOOD,
    StandIn,
)

ALWAYS = ("dispositions", "comment", "assign", "out-of-service")
"""What the plant's people can do about any alarm that is not cleared."""


def section(page: str, title: str) -> str:
    """One section of the list, from its heading to the next."""
    return next(part for part in re.split(r"<h[12]>", page)[1:] if part.startswith(title))


def offered(page: str) -> set[str]:
    """The forms on a page, by the last part of their address; forms of the frame apart."""
    found = re.findall(r'<form[^>]* method="post" action="([^"]+)"', page)
    return {action.rpartition("/")[2] for action in found} - {"language", "signout"}


def standing(hall: StandIn, point: str) -> Alarm:
    return next(a for a in hall.book.values() if a.point == point and a.state is not AlarmState.NORMAL)


async def test_each_alarm_is_in_the_section_that_says_what_is_missing(hall: StandIn, ask: Ask) -> None:
    """Standing, hidden with until and by whom, waiting for feedback, over."""
    filled = await fill(hall)
    over = hall.record_alarm(STEEL, "CO-02", "HH", 180.0, ago_s=60, lasted_s=20)
    page = (await ask(OPERATOR).get("/alarms")).text
    hidden = section(page, "已隐藏")
    assert f'data-alarm="{filled.shelved}"' in hidden
    for phrase in ("已搁置", "11-23 14:57:30", "剩 45 分钟", "中控室 王建国", "更换热电偶，旁站监护"):
        assert phrase in hidden
    waiting = section(page, "待处置")
    assert "热风炉区一氧化碳 高报" in waiting
    assert "处置反馈" in waiting
    assert f'data-alarm="{over.id}"' in section(page, "已结束")
    assert "结晶器冷却水进水压力 低报" in section(page, "当前报警")


async def test_an_alarm_says_first_what_to_do(hall: StandIn, ask: Ask) -> None:
    """Above the actions, in the language of the reader; without a text, that there is none."""
    page = (await ask(OPERATOR).get(f"/alarms/{standing(hall, 'CW_IN_P-01').id}")).text
    assert page.index("停止浇铸，切断铝液，撤到铸造间外。") < page.index('id="actions"')
    assert "1 分钟内开始" in page
    gone = hall.raise_alarm(STEEL, "CO-02", "HH", 180.0)
    assert "没有登记处置要点" in (await ask(OPERATOR).get(f"/alarms/{gone.id}")).text


async def test_standing_alarms_stand_with_their_equipment(ask: Ask) -> None:
    page = section((await ask(OPERATOR).get("/alarms")).text, "当前报警")
    groups = re.findall(r'class="group".*?</a> · ([^<]+) <', page)
    assert groups == ["网关与其他", "1号深井铸造机", "1号除尘器", "2号高炉"]


def flood(hall: StandIn) -> list[Alarm]:
    """3,300 standing alarms, of which the 900 of level 2 are the oldest; a third was acknowledged. The plain order."""
    hall.book.clear()
    hall.log.clear()
    made = []
    for number in range(3_300):
        level, plant = (2, STEEL) if number < 900 else (1, WOOD)
        time = hall.time - (4_000 - number) * SECOND
        made.append(
            Alarm(
                UUID(int=number),
                plant,
                f"P-{number}",
                "H",
                1 if level == 1 else 2,
                AlarmState.UNACKNOWLEDGED if number % 3 else AlarmState.ACKNOWLEDGED,
                Text(f"第{number}号 高报", f"No. {number} high"),
                1.0,
                1.0,
                "",
                time,
                time,
                annunciated=time,
                raises=1,
            )
        )
    hall.book |= {alarm.id: alarm for alarm in made}
    return sorted(
        made, key=lambda alarm: (alarm.state is AlarmState.UNACKNOWLEDGED, alarm.level, alarm.annunciated), reverse=True
    )


async def listed(client: httpx.AsyncClient, page: str) -> list[UUID]:
    """The alarms of a page and of all that follow by its own links, in the order in which they are shown."""
    found = []
    for _ in range(20):
        text = (await client.get(page)).text
        found += [UUID(match) for match in re.findall(r'data-alarm="([^"]+)"', text)]
        more = [unescape(match) for match in re.findall(r'class="more" href="([^"]+)"', text) if "cursor=" in match]
        if not more:
            return found
        page = more[0]
    raise AssertionError("the pages do not end")


async def test_in_a_flood_level_2_comes_first_and_every_alarm_is_on_some_page(hall: StandIn, ask: Ask) -> None:
    """900 old alarms of level 2 under 2,400 newer ones of level 1: nothing is cut off by its age."""
    order = flood(hall)
    client = ask(OPERATOR)
    assert await listed(client, "/alarms?state=standing") == [alarm.id for alarm in order]
    first = (await client.get("/alarms")).text
    assert '当前报警 <span class="tally">3300</span>' in first
    assert "二级 900，一级 2400，未确认 2200" in first
    assert "其余 2800 条当前报警" in first
    assert await listed(client, "/alarms") == [alarm.id for alarm in order]


async def test_counts_are_those_of_what_the_filter_asks_for(hall: StandIn, ask: Ask) -> None:
    flood(hall)
    page = (await ask(OPERATOR).get("/alarms", params={"level": "2"})).text
    assert '当前报警 <span class="tally">900</span>' in page
    assert "二级 900，一级 0，未确认 600" in page


async def test_a_filter_lists_what_the_rows_say(hall: StandIn, ask: Ask) -> None:
    """Every alarm is found by the word its row bears, and by no other."""
    await fill(hall)
    hall.record_alarm(STEEL, "CO-02", "HH", 180.0, ago_s=60, lasted_s=20)
    over = next(a for a in hall.book.values() if a.state is AlarmState.NORMAL and not a.historical)
    hall.book[over.id] = replace(over, disposed=hall.time, cleared=hall.time)
    client = ask(OPERATOR)
    options = re.findall(r'<option value="([^"]+)"', (await client.get("/alarms")).text.split('name="state"')[1])
    found = []
    for option in options:
        if option in {"standing", "hidden"}:
            continue
        page = (await client.get("/alarms", params={"state": option})).text
        rows = re.findall(r'<tr class="alarm.*?</tr>', page, re.DOTALL)
        assert all(f'class="state is-{option}"' in row for row in rows), option
        found += re.findall(r'data-alarm="([^"]+)"', page)
    assert sorted(found) == sorted(map(str, hall.book))


async def test_what_follows_from_an_alarm_is_folded_under_it_with_its_count(hall: StandIn, ask: Ask) -> None:
    """The gateway is away: silence of its points says nothing new, and is still there to look at."""
    silent = [hall.raise_alarm(WOOD, point, "SILENT", None, ago_s=30) for point in ("HOPPER_T-01", "DP-01")]
    page = (await ask(OPERATOR).get("/alarms")).text
    fold = re.findall(r"<details id=\"fold-.*?</details>", page, re.DOTALL)
    assert len(fold) == 1
    assert "另有 2 条由此引起" in fold[0]
    assert all(str(alarm.id) in fold[0] for alarm in silent)
    assert not any(f'data-alarm="{alarm.id}"' in page for alarm in silent)


async def test_first_chattering_and_stale_alarms_are_marked(hall: StandIn, ask: Ask) -> None:
    for ago in (50, 30, 10):
        hall.raise_alarm(STEEL, "GH_LVL-01", "HH", 91.0, ago_s=ago)
    hall.raise_alarm(STEEL, "CW_DT-01", "H", 15.6, ago_s=5)
    old = hall.raise_alarm(STEEL, "CO-02", "HH", 180.0, ago_s=90_000)
    client = ask(OPERATOR)
    page = (await client.get("/alarms")).text
    row = page[page.index(f'data-alarm="{old.id}"') :].partition("</tr>")[0]
    assert ">长期<" in row
    assert ">抖动<" in page
    assert ">首发<" in page
    client.cookies.set("lang", "en")
    page = (await client.get("/alarms")).text
    assert all(f">{mark}<" in page for mark in ("stale", "chattering", "first out"))


async def test_a_state_is_said_in_words_and_by_shape(ask: Ask) -> None:
    page = (await ask(OPERATOR).get("/alarms")).text
    shapes = {
        word: shape for shape, word in re.findall(r'aria-hidden="true"><path d="([^"]+)"/></svg>([^<]+)</span>', page)
    }
    states = {"未确认", "已确认", "已恢复，未确认", "待处置"}
    assert states <= set(shapes)
    assert len({shapes[word] for word in states}) == len(states)


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
    page = (await ask(token).get(f"/alarms/{standing(hall, point).id}")).text
    assert offered(page) == forms


async def test_a_latched_alarm_can_be_reset_once_it_was_seen(hall: StandIn, ask: Ask) -> None:
    alarm = standing(hall, "CO-01")
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


async def test_comment_and_assignment_are_in_the_history_with_who_said_it(hall: StandIn, ask: Ask) -> None:
    alarm = standing(hall, "CW_IN_P-01")
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
    alarm = standing(hall, "CW_IN_P-01")
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
    alarm = standing(hall, "CO-01")
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
    page = (await ask(OPERATOR).get(f"/alarms/{standing(hall, 'GW-01').id}")).text
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
    alarm = standing(hall, "CO-01")
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
    alarm = standing(hall, "CO-01")
    for away in ("https://evil.example/x", "http://yujing.test//evil.example"):
        answer = await ask(OPERATOR).post(f"/alarms/{alarm.id}/acknowledge", headers={"referer": away})
        assert answer.status_code == 409
        assert "evil" not in answer.text
        assert "返回上一页" not in answer.text


async def test_a_file_that_is_no_picture_or_paper_is_refused(hall: StandIn, ask: Ask) -> None:
    alarm = standing(hall, "CO-01")
    form = {"alarm": str(alarm.id), "cause": "process.gas", "measure": "x", "person": "y"}
    client = ask(OPERATOR)
    bad = [("files", ("a.pdf", b"<script>", "application/pdf"))]
    assert (await client.post("/dispositions", data=form, files=bad)).status_code == 422
    many = [("files", (f"{n}.pdf", PDF, "application/pdf")) for n in range(4)]
    assert (await client.post("/dispositions", data=form, files=many)).status_code == 422
    assert hall.book[alarm.id].disposed is None


async def test_feedback_is_only_for_alarms_in_scope(hall: StandIn, ask: Ask) -> None:
    alarm = standing(hall, "CW_IN_P-01")
    form = {"alarm": str(alarm.id), "cause": "process.water", "measure": "x", "person": "y"}
    assert (await ask(ELSEWHERE).post("/dispositions", data=form)).status_code == 404
    assert (await ask(INSPECTOR).post("/dispositions", data=form)).status_code == 403
    assert ALUMINIUM not in (await ask(ELSEWHERE).get("/alarms")).text


async def test_an_alarm_whose_point_was_removed_is_listed_as_that_and_not_as_returned(hall: StandIn, ask: Ask) -> None:
    alarm = hall.raise_alarm(WOOD, "DP-01", "HH", 1523)
    hall.book[alarm.id] = replace(alarm, state=AlarmState.REMOVED)
    for path in ("/alarms", "/alarms?state=removed", f"/alarms/{alarm.id}"):
        page = (await ask(OPERATOR).get(path)).text
        assert "测点已移出配置" in page
    record = (await ask(OPERATOR).get(f"/api/v1/alarms/{alarm.id}")).json()
    assert (record["state"], record["returned"]) == ("removed", None)


async def test_the_first_and_the_latest_raise_are_told_alike_while_it_stands_and_after(hall: StandIn, ask: Ask) -> None:
    """In the list and on its page; of one that was raised once there is one time."""
    once = hall.raise_alarm(STEEL, "CO-02", "HH", 171.0, ago_s=60)
    first = hall.raise_alarm(WOOD, "DP-01", "HH", 1600.0, ago_s=720)
    again = replace(first, raises=3, annunciated=NOON)
    client = ask(OPERATOR)
    for state in (AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED):
        hall.book[first.id] = replace(again, state=state, returned=NOON if state is AlarmState.RETURNED else None)
        row = (await client.get("/alarms")).text.split(f'data-alarm="{first.id}"')[1].split("</tr>")[0]
        times = row.split('class="cell-since"')[1].split("</td>")[0]
        assert "<time>11-23 14:12:30</time>" in times
        assert "首次触发 11-23 14:00:30" in times
        page = (await client.get(f"/alarms/{first.id}/body")).text
        assert re.search(r"<dt>首次触发</dt><dd>11-23 14:00:30.*12 分钟前", page)
        assert re.search(r"<dt>最近触发</dt><dd>11-23 14:12:30.*0 秒前", page)
    page = (await client.get(f"/alarms/{once.id}/body")).text
    assert re.search(r"<dt>报警触发</dt><dd>11-23 14:11:30", page)
    assert "首次触发" not in page


async def test_an_alarm_whose_steps_are_not_kept_any_more_says_where_they_are(hall: StandIn, ask: Ask) -> None:
    """After years its events are let go of; the page still stands, by REST too."""
    alarm = hall.raise_alarm(STEEL, "CO-01", "HH", 180.0)
    assert "仍在审计记录中" not in (await ask(OPERATOR).get(f"/alarms/{alarm.id}")).text
    hall.log = [event for event in hall.log if event.alarm.id != alarm.id]
    assert "仍在审计记录中" in (await ask(OPERATOR).get(f"/alarms/{alarm.id}")).text
    assert (await ask(OPERATOR).get(f"/api/v1/alarms/{alarm.id}")).json()["history"] == []
