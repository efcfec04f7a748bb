"""Alarms: their sections, what each role is offered, and what the forms lead to."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from uuid import UUID

import httpx

from ingest.domain.model.alarm import Alarm, AlarmState
from ingest.domain.model.text import Text
from tests.ingest.web.conftest import Ask
from tests.ingest.web.console.shown import alarm_at, section
from tests.ingest.web.filled import fill
from tests.ingest.web.made_up_plants import NOON, SECOND, STEEL, WOOD
from tests.ingest.web.stand_in import OPERATOR, StandIn


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
    page = (await ask(OPERATOR).get(f"/alarms/{alarm_at(hall, 'CW_IN_P-01').id}")).text
    assert page.index("停止浇铸，切断铝液，撤到铸造间外。") < page.index('id="actions"')
    assert "1 分钟内开始" in page
    gone = hall.raise_alarm(STEEL, "CO-02", "HH", 180.0)
    assert "没有登记处置要点" in (await ask(OPERATOR).get(f"/alarms/{gone.id}")).text


async def test_standing_alarms_stand_with_their_equipment(ask: Ask) -> None:
    page = section((await ask(OPERATOR).get("/alarms")).text, "当前报警")
    groups = re.findall(r'class="group".*?</a> · ([^<]+) <', page)
    assert groups == ["网关与其他", "1号深井铸造机", "1号除尘器", "2号高炉"]


def flood(hall: StandIn) -> list[Alarm]:
    """3,300 outstanding alarms, of which the 900 of level 2 are the oldest; a third acknowledged. The plain order."""
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
    """The gateway is away: silence of its points is no news, and is still listed."""
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


async def test_a_state_is_shown_by_word_and_shape(ask: Ask) -> None:
    page = (await ask(OPERATOR).get("/alarms")).text
    shapes = {
        word: shape for shape, word in re.findall(r'aria-hidden="true"><path d="([^"]+)"/></svg>([^<]+)</span>', page)
    }
    states = {"未确认", "已确认", "已恢复，未确认", "待处置"}
    assert states <= set(shapes)
    assert len({shapes[word] for word in states}) == len(states)


async def test_an_alarm_whose_point_was_removed_is_listed_as_that_and_not_as_returned(hall: StandIn, ask: Ask) -> None:
    alarm = hall.raise_alarm(WOOD, "DP-01", "HH", 1523)
    hall.book[alarm.id] = replace(alarm, state=AlarmState.REMOVED)
    for path in ("/alarms", "/alarms?state=removed", f"/alarms/{alarm.id}"):
        page = (await ask(OPERATOR).get(path)).text
        assert "测点已移出配置" in page
    record = (await ask(OPERATOR).get(f"/api/v1/alarms/{alarm.id}")).json()
    assert (record["state"], record["returned"]) == ("removed", None)


async def test_first_and_latest_raise_are_the_same_while_it_is_outstanding_and_after(hall: StandIn, ask: Ask) -> None:
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
