"""Warnings: the gravest first, the ladder as it stands, what led to it then and now, and who may do what."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from uuid import UUID

import pytest

from ingest.domain.model.warning import Asked, Colour, EarlyWarning, Step, WarningEventKind, WarningState
from tests.ingest.web.conftest import Ask
from tests.ingest.web.console.shown import offered
from tests.ingest.web.filled import PDF
from tests.ingest.web.made_up_plants import ALUMINIUM, STEEL, WOOD
from tests.ingest.web.serving import Halls
from tests.ingest.web.stand_in import ELSEWHERE, INSPECTOR, OPERATOR, StandIn


def of(hall: StandIn, plant: str) -> EarlyWarning:
    """The plant's open warning, else its newest."""
    newest = {event.warning.id: event.warning for event in hall.warned if event.warning.plant == plant}
    return next((warning for warning in newest.values() if warning.state is WarningState.OPEN), [*newest.values()][-1])


def ladder(page: str) -> dict[str, str]:
    """The steps as drawn: word -> how."""
    drawn = page[page.index('<ol class="steps') :].partition("</ol>")[0]
    return dict(re.findall(r'class="step-(\w+)".*?<span>([^<]+)</span>', drawn, re.DOTALL)) | {
        word: how for how, word in re.findall(r'class="step-(\w+)".*?<span>([^<]+)</span>', drawn, re.DOTALL)
    }


async def test_the_gravest_colour_stands_first_with_its_step_and_what_is_left_of_its_time(
    hall: StandIn, ask: Ask
) -> None:
    page = (await ask(INSPECTOR).get("/warnings")).text
    cards = re.split(r'<article class="card warning-card', page)[1:]
    colours = [next(c for c in (*Colour, "none") if f"colour-edge-{c}" in card.partition(">")[0]) for card in cards]
    assert colours[:3] == [Colour.ORANGE, Colour.YELLOW, Colour.BLUE]
    for phrase in ("橙色", "风险指数", "有二级报警", "等待 <b>确认</b>", "剩 ", "企业安全负责人", "晨光木业有限公司"):
        assert phrase in cards[0]
    assert 'aria-current="step"' in cards[0]


async def test_however_many_there_are_the_gravest_stand_first_and_each_is_on_some_page(hall: StandIn, ask: Ask) -> None:
    """700 that wait for feedback, of which the 30 red ones are the oldest: none is cut off by its age."""
    event = hall.warned[0]
    hall.warned = [
        replace(
            event,
            warning=replace(
                event.warning,
                id=UUID(int=number),
                plant=STEEL if number < 30 else WOOD,
                colour=Colour.RED if number < 30 else Colour.BLUE,
                raised=event.warning.raised + number,
            ),
        )
        for number in range(700)
    ]
    client = ask(INSPECTOR)
    page = (await client.get("/warnings")).text
    assert '当前预警 <span class="tally">700</span>' in page
    found = re.findall(r'data-warning="([^"]+)"', page)
    assert {UUID(key).int for key in found[:30]} == set(range(30))
    while more := re.search(r'href="(/warnings\?[^"]*after=[^"]+)"', page):
        page = (await client.get(unescape(more[1]))).text
        found += re.findall(r'data-warning="([^"]+)"', page)
    assert sorted(UUID(key).int for key in found) == list(range(700))
    plants = (await client.get("/plants")).text
    assert plants.count("colour-red") == 1


async def test_a_colour_is_also_shown_by_word_and_shape(ask: Ask) -> None:
    page = (await ask(INSPECTOR).get("/warnings")).text
    shapes = {word: shape for shape, word in re.findall(r'class="shape"[^>]*>(<[^>]+>)</svg>(.色)</span>', page)}
    assert set(shapes) >= {"橙色", "黄色", "蓝色"}
    assert len(set(shapes.values())) == len(shapes)


async def test_plants_without_a_warning_are_listed_with_their_risk(hall: StandIn, ask: Ask) -> None:
    hall.watches.by_plant.clear()
    hall.warned.clear()
    page = (await ask(INSPECTOR).get("/warnings")).text
    assert "没有预警。" in page
    assert page.count("无预警</span>") == 3
    assert "南安市示范铝业有限公司" in page


async def test_the_ladder_is_drawn_as_it_was_climbed(hall: StandIn, ask: Ask) -> None:
    """Who did not answer is shown as timed out and never ticked; the present step is marked. The list knows less."""
    warning = of(hall, ALUMINIUM)
    hall.pass_time(2 * 7200 + 60)
    now = of(hall, ALUMINIUM)
    assert (now.id, now.step) == (warning.id, Step.COUNTY)
    page = (await ask(INSPECTOR).get(f"/warnings/{now.id}")).text
    drawn, steps = ladder(page), ("企业", "乡镇", "县级", "市级", "省级")
    assert [drawn[word] for word in steps] == ["late", "late", "now", "next", "next"]
    assert page.count("超时</span>") == 2
    assert 'class="step-done"' not in (await ask(INSPECTOR).get("/warnings")).text


async def test_the_inputs_of_a_warning_are_shown_with_their_source_now_and_at_an_earlier_time(
    hall: StandIn, ask: Ask
) -> None:
    client = ask(INSPECTOR)
    warning = of(hall, WOOD)
    page = (await client.get(f"/warnings/{warning.id}")).text
    why = page[page.index('id="why"') : page.index('id="history"')]
    for phrase in ("有二级报警", "车间网关", "工程默认值", "规则版本"):
        assert phrase in why
    steel = of(hall, STEEL)
    first, *_, last = [event.seq for event in hall.warned if event.warning.id == steel.id]
    for seq, expected in ((first, False), (last, True)):
        then = (await client.get(f"/warnings/{steel.id}?event={seq}")).text
        assert ("一级报警超过 10 分钟未消除" in then[then.index('id="why"') : then.index('id="history"')]) is expected
    early = (await client.get(f"/warnings/{steel.id}?at=2026-11-23T13:52")).text
    assert "一级报警超过 10 分钟未消除" not in early[early.index('id="why"') : early.index('id="history"')]
    assert (await client.get(f"/warnings/{warning.id}?at=2020-01-01T00:00")).status_code == 422
    assert (await client.get(f"/warnings/{warning.id}?at=nonsense")).status_code == 422
    assert (await client.get(f"/warnings/{warning.id}?at=2026-11-23T14:12")).status_code == 200


@pytest.mark.parametrize(
    ("token", "climbed", "forms"),
    [
        (OPERATOR, False, {"acknowledge", "dispositions"}),
        (OPERATOR, True, {"dispositions"}),
        (INSPECTOR, True, {"acknowledge", "feedback"}),
    ],
)
async def test_only_who_is_asked_can_acknowledge(
    token: str, climbed: bool, forms: set[str], hall: StandIn, ask: Ask
) -> None:
    """The plant's own people no longer once it has gone up."""
    if climbed:
        hall.pass_time(2 * 7200 + 60)
    warning = of(hall, ALUMINIUM)
    assert offered((await ask(token).get(f"/warnings/{warning.id}")).text) == forms


async def test_a_warning_is_acknowledged_and_answered_with_evidence(hall: StandIn, ask: Ask) -> None:
    warning = of(hall, ALUMINIUM)
    client = ask(OPERATOR)
    answer = await client.post(f"/warnings/{warning.id}/acknowledge", data={"comment": "已派人"})
    assert answer.status_code == 303
    assert of(hall, ALUMINIUM).asking is Asked.FEEDBACK
    form = {"warning": str(warning.id), "cause": "process.water", "measure": "补水阀已开", "person": "赵敏"}
    files = [("files", ("阀.pdf", PDF, "application/pdf"))]
    assert (await client.post("/dispositions", data=form, files=files)).status_code == 303
    page = (await client.get(f"/warnings/{warning.id}")).text
    for phrase in ("已派人", "补水阀已开", "冷却水异常", "阀.pdf", "已反馈"):
        assert phrase in page
    assert offered(page) == set()


async def test_supervision_can_answer_in_its_own_words(hall: StandIn, ask: Ask) -> None:
    warning = of(hall, ALUMINIUM)
    client = ask(INSPECTOR)
    words = {"cause": "<b>停水</b>", "measure": "协调供水"}
    assert (await client.post(f"/warnings/{warning.id}/feedback", data=words)).status_code == 303
    page = (await client.get(f"/warnings/{warning.id}")).text
    assert "&lt;b&gt;停水&lt;/b&gt;" in page
    again = await client.post(f"/warnings/{warning.id}/feedback", data=words)
    assert again.status_code == 409


async def test_closed_warnings_are_listed_below_with_their_cause(hall: StandIn, ask: Ask) -> None:
    client = ask(INSPECTOR)
    over = next(
        warning
        for warning in {e.warning.id: e.warning for e in hall.warned}.values()
        if warning.state is WarningState.OVER
    )
    await client.post(f"/warnings/{over.id}/feedback", data={"cause": "process.gas", "measure": "通风"})
    past = (await client.get("/warnings")).text.split("<h2>已办结</h2>")[1]
    assert f'href="/warnings/{over.id}"' in past
    assert "煤气泄漏或压力异常" in past


async def test_the_count_is_of_what_waits_for_somebody(hall: StandIn, ask: Ask) -> None:
    waiting = {e.warning.id: e.warning for e in hall.warned}.values()
    expected = sum(warning.asking is not None for warning in waiting)
    client = ask(INSPECTOR)
    assert f'data-unacknowledged="{expected}"' in (await client.get("/warnings/count")).text


async def test_plants_show_their_colour_and_risk_the_gravest_first(hall: StandIn, ask: Ask) -> None:
    client = ask(INSPECTOR)
    page = (await client.get("/plants")).text
    assert re.findall(r'id="plant-([a-z-]+)"', page) == [WOOD, STEEL, ALUMINIUM]
    assert "橙色" in page
    plant = (await client.get(f"/plants/{WOOD}")).text
    for phrase in ("橙色", "风险指数", "/ 100", f'href="/enterprises/{WOOD}"'):
        assert phrase in plant


async def test_others_warnings_are_not_there(hall: StandIn, ask: Ask) -> None:
    client = ask(ELSEWHERE)
    assert STEEL not in (await client.get("/warnings")).text
    assert (await client.get(f"/warnings/{of(hall, STEEL).id}")).status_code == 404
    assert (await client.post(f"/warnings/{of(hall, STEEL).id}/acknowledge")).status_code == 404


async def test_a_colour_that_is_only_held_says_why_it_was_and_until_when(hall: StandIn, ask: Ask) -> None:
    """On the card, on the page with what had called for it, and in the API; also when something lesser still holds."""
    offline = next(alarm for alarm in hall.book.values() if alarm.rule == "OFFLINE")
    hall.return_alarm(offline)
    hall.pass_time(15)
    warning = of(hall, WOOD)
    assert warning.colour is Colour.ORANGE
    assert all(ground.colour is not Colour.ORANGE for ground in warning.inputs)
    held = "橙色保持中：依据自 11-23 14:12:30 起不再成立，若不再出现，11-23 14:22:30 降级"
    client = ask(INSPECTOR)
    card = (await client.get("/warnings")).text.split(f'data-warning="{warning.id}"')[1].split("</article>")[0]
    assert held in card
    assert "有二级报警" not in card
    why = (await client.get(f"/warnings/{warning.id}")).text.split('id="why"')[1].split('id="history"')[0]
    assert held in why
    assert "有二级报警" in why.split("此前的依据")[1].split("现在成立的依据")[0]
    explanation = (await client.get(f"/api/v1/warnings/{warning.id}/explain?at=2026-11-23T06:12:45Z")).json()
    assert explanation["held"]["since"] == "2026-11-23T06:12:30.200Z"
    assert [reason["text"]["zh"] for reason in explanation["held"]["reasons"]] == ["有二级报警"]
    title = (await client.get(f"/api/v1/warnings/{warning.id}")).json()["title"]
    assert title["zh"].endswith("依据已不成立，颜色保持中")
    hall.pass_time(600)
    later = (await client.get(f"/warnings/{warning.id}")).text
    assert "橙色保持中" not in later


async def test_plants_of_one_colour_stand_in_the_order_of_their_risk(halls: Halls, ask: Ask) -> None:
    """And an index bears no colour of its own: that of the plant is the warning's."""
    halls.hall = quiet = StandIn()
    client = ask(INSPECTOR)
    found = re.findall(r'id="plant-([\w-]+)"', (await client.get("/plants")).text)
    assert found == [ALUMINIUM, STEEL, WOOD]
    for number in range(3):
        quiet.raise_alarm(WOOD, "HOPPER_T-01", "HH", 75.0 + number, ago_s=number)
    page = (await client.get(f"/plants/{WOOD}")).text
    index = page.split("风险指数</dt>")[1].split("</dd>")[0]
    assert "colour-" not in index


@pytest.mark.parametrize("asked", ["2026-11-23T14:12", "2026-11-23T14:12:40"])
async def test_the_moment_that_was_asked_for_is_the_one_that_is_shown(hall: StandIn, ask: Ask, asked: str) -> None:
    page = (await ask(INSPECTOR).get(f"/warnings/{of(hall, WOOD).id}?at={asked}")).text
    assert f"时间 <time>11-23 {asked[11:]}</time>" in page


async def test_reasons_that_come_and_go_are_one_moment_that_says_what_changed(hall: StandIn, ask: Ask) -> None:
    """Each can still be opened; an act or another colour begins a new one."""
    hall.raise_alarm(STEEL, "CO-02", "HH", 171.0)
    for _ in range(6):
        alarm = hall.raise_alarm(STEEL, "CW_DT-01", "H", 16.0)
        hall.pass_time(1)
        hall.return_alarm(hall.book[alarm.id])
        hall.pass_time(12)
    hall.raise_alarm(STEEL, "GH_LVL-01", "H", 86.0)
    warning = of(hall, STEEL)
    kinds = [event.kind for event in hall.warning_history(warning.id)]
    assert kinds.count(WarningEventKind.INPUTS_CHANGED) > 8
    client = ask(INSPECTOR)
    await client.post(f"/warnings/{warning.id}/acknowledge", data={"peak": warning.peak})
    hall.raise_alarm(STEEL, "GH_LVL-01", "HH", 91.0)
    history = (await client.get(f"/warnings/{warning.id}")).text.split('id="history"')[1]
    drawn = history.split('<ol class="history"')[1].split("</ol>")[0]
    assert drawn.count("<b>依据变化</b>") <= 3
    fold = next(part for part in drawn.split("<li><p><b>")[1:] if "逐次查看" in part)
    assert re.search(r"\d+ 次，自 <time>11-23 14:12", fold)
    assert "新增 煤气柜柜位 高报" in fold
    assert "炉体冷却水" not in fold.split("<details")[0]  # come and gone within it
    assert "新增 煤气柜柜位 高高报" in drawn
    seqs = {event.seq for event in hall.warning_history(warning.id)}
    assert {int(seq) for seq in re.findall(r"\?event=(\d+)", drawn)} == seqs
