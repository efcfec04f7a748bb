"""The console's pages as HTML: what they show, to whom, in which language."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from uuid import uuid4

import pytest
from anyio import to_thread

from detectors.detector import Reason
from ingest.domain.model.audit import YUJING, Act
from ingest.domain.model.plant import SERVICE
from ingest.engine.commands import Acknowledge, Dispose, Person
from ingest.plants.numbering import MemoryNumbering
from ingest.plants.view import Latest
from ingest.storage.history.bounded_reads import IN_FLIGHT
from ingest.storage.journal.records import Quarantined
from ingest.storage.state.audit import AuditRow
from ingest.web.server import READERS
from tests.ingest.web.conftest import Ask
from tests.ingest.web.made_up_plants import ALUMINIUM, SECOND, STEEL, WOOD
from tests.ingest.web.stand_in import ADMIN, ELSEWHERE, INSPECTOR, OPERATOR, StandIn
from tests.small_plant import PLANT, TEXT, small_configuration


def titles(page: str) -> list[str]:
    """The alarms on a page, in order."""
    return re.findall(r'href="/alarms/[0-9a-f-]{36}">([^<]+)</a>', page)


async def test_what_is_most_urgent_stands_first(ask: Ask) -> None:
    """Unacknowledged before acknowledged, level 2 before 1, holding before returned, newest first."""
    page = (await ask(OPERATOR).get("/alarms")).text
    assert titles(page)[:4] == [
        "车间网关 网关离线",
        "结晶器冷却水进水压力 低报",
        "灰斗内部温度 高报",
        "炉前平台一氧化碳 高报",
    ]
    assert '<html lang="zh-CN">' in page


async def test_a_level_is_shown_by_word_and_shape_not_only_by_colour(ask: Ask) -> None:
    page = (await ask(OPERATOR).get("/alarms/table?level=2")).text
    assert "二级" in page
    assert '<path d="M8 1 15.5 15H.5Z"/>' in page
    assert "一级" not in page.partition("<table")[2], "the counts above name both, of none too"


async def test_the_fragment_is_the_table_of_the_page(ask: Ask) -> None:
    """One way to draw: what the module fetches is what the page began with."""
    client = ask(OPERATOR)
    for page, fragment in (
        ("/alarms", "/alarms/table"),
        ("/plants", "/plants/table"),
        ("/gateways", "/gateways/table"),
    ):
        whole, part = (await client.get(page)).text, (await client.get(fragment)).text
        assert part.strip() in whole
        assert f'data-source="{fragment}"' in whole


async def test_english_is_a_choice_that_is_remembered(ask: Ask) -> None:
    client = ask(OPERATOR)
    answer = await client.post("/language", data={"lang": "en", "onward": "/alarms?level=2"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/alarms?level=2")
    page = (await client.get("/alarms")).text
    assert '<html lang="en">' in page
    assert "Mould cooling water inlet pressure low" in page
    assert "Standing alarms" in page


async def test_inspectors_read_and_are_not_offered_to_act(ask: Ask, hall: StandIn) -> None:
    client = ask(INSPECTOR)
    page = (await client.get("/alarms")).text
    assert "data-ack" not in page
    assert "/quarantine" not in page
    alarm = next(iter(hall.book))
    page = (await client.get(f"/alarms/{alarm}")).text
    assert re.findall(rf'action="/alarms/{alarm}/([a-z-]+)"', page) == ["comment"]


async def test_an_alarm_says_why_it_was_raised(hall: StandIn, ask: Ask) -> None:
    alarm = next(alarm for alarm in hall.book.values() if alarm.point == "CW_IN_P-01")
    page = (await ask(OPERATOR).get(f"/alarms/{alarm.id}")).text
    for phrase in ("0.311 MPa", "L 0.315 MPa", "CAST_LEN-01 &gt;= 500", "工程默认值", "数值越过 0.315 MPa：低报"):
        assert phrase in page


async def test_a_point_page_says_what_each_rule_finds(ask: Ask) -> None:
    page = (await ask(OPERATOR).get("/plants/nanan-aluminium/points/CW_IN_P-01")).text
    for phrase in ("说明", "数值越过 0.28 MPa：低低报", "数值越过 0.315 MPa：低报"):
        assert phrase in page


@pytest.mark.parametrize(
    ("reason", "zh", "en"),
    [
        (Reason.WARMING_UP, "预热中", "warming up"),
        (Reason.GATE_CLOSED, "闸门关闭", "gate closed"),
        (Reason.NEVER_HEARD, "从未收到数据", "never heard"),
        (Reason.NO_VALUE, "无有效值", "no usable value"),
        (Reason.GATE_UNKNOWN, "门控测点未知", "gate unknown"),
    ],
)
async def test_a_rule_that_says_nothing_is_marked_with_the_reason(
    reason: Reason, zh: str, en: str, hall: StandIn, ask: Ask
) -> None:
    """In the reader's language; the rule beside it is shown as evaluated."""
    hall.silent = {(ALUMINIUM, "CW_IN_P-01", "L"): reason}
    client = ask(OPERATOR)
    for lang, not_evaluated, evaluated in (
        ("zh", f"未评估 · {zh}", "正在评估"),
        ("en", f"not evaluated · {en}", "evaluated"),
    ):
        client.cookies.set("lang", lang)
        page = (await client.get(f"/plants/{ALUMINIUM}/points/CW_IN_P-01")).text
        rows = {row.split("<")[0]: row for row in re.split(r'class="limit-tag level-\d">', page.split('id="rules"')[1])}
        assert not_evaluated in rows["L"]
        assert f">{evaluated}<" in rows["LL"]
        assert not_evaluated not in rows["LL"]


async def test_whether_rules_are_evaluated_is_drawn_anew(hall: StandIn, ask: Ask) -> None:
    """A rule that has warmed up loses its mark without a reload."""
    client, path = ask(OPERATOR), f"/plants/{ALUMINIUM}/points/CW_IN_P-01"
    whole, part = (await client.get(path)).text, (await client.get(f"{path}/rules")).text
    assert part.strip() in whole
    assert f'data-source="{path}/rules"' in whole
    hall.silent.clear()
    assert "预热中" in part
    assert "预热中" not in (await client.get(f"{path}/rules")).text


async def test_the_list_of_alarms_says_what_each_rule_finds_in_both_languages(ask: Ask) -> None:
    client = ask(OPERATOR)
    assert "数值越过 0.315 MPa：低报" in (await client.get("/alarms")).text
    client.cookies.set("lang", "en")
    assert "The value is beyond 0.315 MPa: low" in (await client.get("/alarms")).text


async def test_the_quarantine_says_in_both_languages_why_and_what_was_deleted(hall: StandIn, ask: Ask) -> None:
    client = ask(OPERATOR)
    detail = "values.CO-01 has 2 entries; expected 1"
    hall.quarantine.append(
        Quarantined(99, hall.time, f"yujing/v1/{STEEL}/GW-01/frame", "column-length", detail, 2, b"{}")
    )
    page = (await client.get("/quarantine")).text
    assert "列长与时间数不符" in page
    assert "values.CO-01 有 2 项；应为 1" in page
    assert "已删除" not in page
    hall.deleted = 28
    assert "已删除 28 条" in (await client.get("/quarantine")).text
    client.cookies.set("lang", "en")
    page = (await client.get("/quarantine")).text
    assert "28 messages were deleted" in page
    assert "a column of another length than time" in page
    assert detail in page


async def test_what_people_and_gateways_write_is_never_run(hall: StandIn, ask: Ask) -> None:
    client = ask(OPERATOR)
    assert "<script>alert" not in (await client.get("/quarantine")).text
    alarm = hall.raise_alarm(STEEL, "CO-02", "HH", 180.0)
    await client.post(f"/alarms/{alarm.id}/acknowledge", data={"comment": '<img src=x onerror="x()">'})
    page = (await client.get(f"/alarms/{alarm.id}")).text
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


async def test_a_plant_page_shows_values_limits_and_what_is_not_evaluated(ask: Ask) -> None:
    page = (await ask(OPERATOR).get(f"/plants/{ALUMINIUM}")).text
    rows = {part.split('"')[0]: part.split("</tr>")[0] for part in page.split('data-point="')[1:]}
    assert "MPa" in rows["CW_IN_P-01"]
    assert 'class="trend-limit level-2"' in rows["CW_IN_P-01"]
    assert "数据过期" in rows["CW_IN_T-01"]
    assert "<b>—</b>" in rows["CW_IN_T-01"]
    assert "未评估" in rows["PIT_LVL-01"]
    assert "GW-01" not in rows


async def test_a_county_sees_the_most_pressing_plant_first(ask: Ask) -> None:
    page = (await ask(INSPECTOR).get("/plants")).text
    assert re.findall(r'id="plant-([a-z-]+)"', page)[0] == WOOD
    assert "2024-12-31" in page


@pytest.mark.parametrize("span", [600, 3600, 28_800, 86_400, 5])
async def test_a_point_is_drawn_over_each_span(span: int, ask: Ask) -> None:
    page = (await ask(OPERATOR).get(f"/plants/{ALUMINIUM}/points/CW_IN_P-01?span={span}")).text
    assert page.count('<svg class="trend"') == 2
    assert "LL 0.280" in page


async def test_history_that_is_away_leaves_the_rest_of_the_page(hall: StandIn, ask: Ask) -> None:
    hall.history_away = True
    hall.time += 7200 * SECOND  # no other test has had those trends drawn: the application keeps them
    client = ask(OPERATOR)
    page = await client.get(f"/plants/{ALUMINIUM}/points/CW_IN_P-01")
    assert page.status_code == 200
    assert "历史库暂不可用" in page.text
    page = await client.get(f"/plants/{ALUMINIUM}")
    assert (page.status_code, page.text.count("历史库没有应答，或拒绝了查询")) == (200, 1)
    assert "曲线暂缺" in page.text


@pytest.mark.parametrize("away", [False, True])
async def test_a_history_that_takes_no_writes_is_not_reported_as_empty_or_unreachable(
    hall: StandIn, ask: Ask, away: bool
) -> None:
    """Whether or not it answers what is asked of it."""
    hall.history_refusing, hall.history_away = "readings: HTTP 400: field type conflict", away
    hall.time += (3 + away) * 7200 * SECOND  # no other test has had those trends drawn: the application keeps them
    client = ask(OPERATOR)
    point = f"/plants/{ALUMINIUM}/points/CW_IN_P-01"
    for path in (f"/plants/{ALUMINIUM}", f"/plants/{ALUMINIUM}/table", point, f"{point}/trend"):
        page = (await client.get(path)).text
        assert page.count("历史库有应答，但拒绝写入") == 1
        assert "历史库没有应答" not in page
        assert "历史库暂不可用" not in page
        hall.history_refusing = None
        assert "拒绝写入" not in (await client.get(path)).text
        hall.history_refusing = "readings: HTTP 400: field type conflict"


async def test_a_plants_page_asks_the_history_once(hall: StandIn, ask: Ask) -> None:
    """And not again while its drawings are as they were."""
    hall.time += 3600 * SECOND  # no other test of this file has had those drawn
    for _ in range(3):
        assert (await ask(OPERATOR).get(f"/plants/{ALUMINIUM}/table")).text.count('<svg class="trend"') > 5
    (queries,) = [asked for asked in hall.queries if asked]
    assert len(queries) > 5


async def test_pages_that_wait_for_a_history_that_hangs_hold_up_no_other(hall: StandIn, ask: Ask) -> None:
    """However many they are: not one of the few threads that draw pages is theirs."""
    to_thread.current_default_thread_limiter().total_tokens = READERS
    hall.history_answers.clear()
    client = ask(OPERATOR)
    point = f"/plants/{ALUMINIUM}/points/CW_IN_P-01"
    asked = [f"/plants/{ALUMINIUM}", point, f"{point}/trend", f"/api/v1{point}/readings"]
    hall.time += 7200 * SECOND  # no other test of this file has had those drawn
    waiting = [asyncio.create_task(client.get(path)) for path in asked * 3]
    async with asyncio.timeout(60):
        while len(hall.queries) < IN_FLIGHT:
            await asyncio.sleep(0.002)
        for _ in range(3):
            assert (await ask(INSPECTOR).get("/alarms")).status_code == 200
    assert [task.result() for task in waiting if task.done()] == []
    hall.history_answers.set()
    assert [(await task).status_code for task in waiting] == [200] * len(waiting)


async def test_while_the_state_database_is_away_every_page_says_that_nothing_is_judged(hall: StandIn, ask: Ask) -> None:
    """In the reader's language, to whoever is signed in, and only then."""
    client, says = ask(INSPECTOR), ("目前不做评估", "nothing is judged")
    for path in ("/gateways", "/plants", "/nowhere"):
        for hall.state_away, lang, shown in ((None, "zh", ""), ("away", "zh", says[0]), ("away", "en", says[1])):
            client.cookies.set("lang", lang)
            page = (await client.get(path)).text
            assert [text for text in says if text in page] == ([shown] if shown else [])
    hall.state_away = "away"
    assert says[0] not in (await ask(None).get("/signin")).text


async def test_a_page_that_cannot_be_shown_says_why_in_the_readers_language(ask: Ask) -> None:
    assert "没有找到" in (await ask(OPERATOR).get("/plants/nowhere")).text
    assert "没有此操作的权限" in (await ask(INSPECTOR).get("/quarantine")).text
    assert "参数不正确" in (await ask(OPERATOR).get("/alarms?level=9")).text


async def test_an_acknowledged_alarm_cannot_be_acknowledged_again_from_an_old_page(hall: StandIn, ask: Ask) -> None:
    alarm = next(alarm for alarm in hall.book.values() if alarm.point == "CO-01")
    answer = await ask(OPERATOR).post(f"/alarms/{alarm.id}/acknowledge")
    assert answer.status_code == 409
    assert "赵敏 已于 11-23 13:52:10 确认该报警。" in answer.text


async def test_cleared_alarms_page_on(hall: StandIn, ask: Ask) -> None:
    for n in range(60):
        alarm = hall.raise_alarm(WOOD, "DP-01", "HH", 1600, ago_s=50_000 + n)
        who = Person("x", "operator")
        await hall.order(Acknowledge(alarm.id, who))
        hall.return_alarm(hall.book[alarm.id])
        await hall.order(Dispose((alarm.id,), who, uuid4()))
    client = ask(ELSEWHERE)
    page = (await client.get("/alarms")).text
    older = re.findall(r'href="(/alarms\?[^"]*cursor=[^"]+)"', page)
    rest = (await client.get(older[0].replace("&amp;", "&"))).text
    assert len(titles(page)) == 2 + 1 + 50, "standing, waiting for feedback, over"
    assert len(titles(rest)) == 10


async def test_a_backfilled_alarm_lies_among_the_past_ones_under_its_own_mark(hall: StandIn, ask: Ask) -> None:
    client = ask(OPERATOR)
    count = (await client.get("/alarms/count")).text
    past = hall.record_alarm(STEEL, "CO-02", "HH", 180.0, ago_s=1, lasted_s=1)
    page = (await client.get("/alarms")).text
    row = page[page.index(f'data-alarm="{past.id}"') :].partition("</tr>")[0]
    assert "补传" in row
    assert "已消除" not in row
    assert f'data-ack="{past.id}"' not in page
    assert page.index(f'data-alarm="{past.id}"') > page.index("<h2>")
    assert (await client.get("/alarms/count")).text == count
    assert "补传记录" in (await client.get(f"/alarms/{past.id}")).text


async def test_the_count_follows_what_nobody_acknowledged(ask: Ask) -> None:
    assert 'data-unacknowledged="3"' in (await ask(OPERATOR).get("/alarms/count")).text
    assert 'data-unacknowledged="2"' in (await ask(ELSEWHERE).get("/alarms/count")).text


async def test_a_file_of_the_console_is_kept_until_it_changes(ask: Ask) -> None:
    page = (await ask(None).get("/signin")).text
    (address,) = re.findall(r'href="(/static/console\.css\?v=[0-9a-f]+)"', page)
    answer = await ask(None).get(address)
    assert answer.headers["content-type"].startswith("text/css")
    assert "immutable" in answer.headers["cache-control"]
    assert (await ask(None).get("/static/..%2Ftemplates%2Flayout.html")).status_code in {401, 404}
    assert (await ask(None).get("/static/other.css")).status_code == 404


@pytest.mark.parametrize(("lang", "off"), [("zh", "超出限值"), ("en", "beyond its limit")])
async def test_a_gateways_clock_is_marked_when_it_is_beyond_a_limit(lang: str, off: str, ask: Ask) -> None:
    """On its plant's page and among all gateways; one that is right is shown plainly."""
    client = ask(OPERATOR)
    await client.post("/language", data={"lang": lang, "onward": "/alarms"})
    wrong, right, silent = [(await client.get(f"/plants/{of}")).text for of in (ALUMINIUM, STEEL, WOOD)]
    assert f'<span class="poor">+75.0 s ▲ {off}</span>' in wrong
    assert "<span>-0.2 s</span>" in right
    assert "-0.2 s" not in silent
    assert off not in right + silent
    assert (await client.get("/gateways")).text.count(off) == 1
    assert (await client.get(f"/gateways/table?plant={STEEL}")).text.strip() in right


@pytest.mark.parametrize("behind", [-59.9, -60.0])
async def test_a_clock_may_be_beyond_its_limit_on_either_side(behind: float, hall: StandIn, ask: Ask) -> None:
    hall.put(STEEL, "GW-01.clock", Latest(hall.time, behind, 0, stale=False))
    page = (await ask(OPERATOR).get(f"/plants/{STEEL}")).text
    assert ("超出限值" in page) is (behind == -60)


async def test_a_renamed_point_says_what_it_was_called_on_its_page_in_its_record_and_in_the_audit_trail(
    hall: StandIn, ask: Ask, tmp_path: Path
) -> None:
    numbering = MemoryNumbering()
    small_configuration(tmp_path, numbering)
    hall.known = small_configuration(tmp_path, numbering, TEXT.replace('id = "CO-01"', 'id = "CO-09"\nwas = "CO-01"'))
    act = Act(hall.time, YUJING, "service", "renamed", "point", "CO-09", PLANT, {"was": "CO-01", "point": "CO-09"})
    hall.trail.append(AuditRow(1, act, "0" * 64))
    client = ask(ADMIN)
    assert "<dt>原测点编号</dt><dd>CO-01</dd>" in (await client.get(f"/plants/{PLANT}/points/CO-09")).text
    assert (await client.get(f"/api/v1/plants/{PLANT}/points/CO-09")).json()["was"] == "CO-01"
    gone = await client.get(f"/api/v1/plants/{PLANT}/points/CO-01")
    assert (gone.status_code, gone.json()["detail"]) == (404, "point 'CO-01' of plant 'small' is called 'CO-09' now")
    trail = (await client.get("/audit?kind=point")).text
    for phrase in ("测点更名", "原测点编号", "CO-01", "CO-09"):
        assert phrase in trail


async def test_what_the_service_watches_of_itself_is_a_plant_for_those_who_see_all(
    hall: StandIn, ask: Ask, tmp_path: Path
) -> None:
    """Its points are listed with their values; it has none of the duties of an enterprise."""
    hall.known = small_configuration(tmp_path)
    hall.values = {}
    hall.put(SERVICE, "DISK", Latest(hall.time - SECOND, 81_920.0, 0, stale=False))
    page = (await ask(OPERATOR).get(f"/plants/{SERVICE}")).text
    for phrase in ("监测服务", "日志盘剩余空间", "<b>81920</b>", "消息代理连接"):
        assert phrase in page
    for duty in ("统一社会信用代码", "应接入期限", "行政区划"):
        assert duty not in page
    assert (await ask(OPERATOR).get(f"/plants/{SERVICE}/points/DISK")).status_code == 200
    assert "监测服务" in (await ask(INSPECTOR).get("/plants")).text
    assert "监测服务" not in (await ask(ELSEWHERE).get("/plants")).text
    for hidden in (f"/plants/{SERVICE}", f"/api/v1/plants/{SERVICE}", f"/api/v1/plants/{SERVICE}/points/DISK"):
        assert (await ask(ELSEWHERE).get(hidden)).status_code == 404


async def test_a_page_without_script_says_of_when_it_is_and_that_it_stays_so(ask: Ask) -> None:
    """It waits for no connection: nothing would ever make one."""
    page = (await ask(OPERATOR).get("/alarms")).text
    assert 'data-state="still"' in page
    assert "不自动更新 · 11-23 14:12:30 的内容" in page
    assert 'data-state="connecting"' not in page
