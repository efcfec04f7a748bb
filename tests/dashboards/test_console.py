"""The console in a real browser: what an operator does in a shift."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, ViewportSize, expect

from ingest.domain.model.alarm import AlarmState
from ingest.web.server import ApiServer
from tests.browser import Watched, chromium, watched
from tests.ingest.web.afternoon import busy
from tests.ingest.web.made_up_plants import ALUMINIUM, STEEL, WOOD
from tests.ingest.web.serving import served
from tests.ingest.web.stand_in import INSPECTOR, OPERATOR, StandIn

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAME = "yujing.test"  # a plain name over http: to the browser no secure context, as in most control rooms


@pytest.fixture
def hall() -> StandIn:
    return busy()


@pytest_asyncio.fixture(loop_scope="module")
async def server(hall: StandIn, tmp_path: Path) -> AsyncIterator[ApiServer]:
    async with served(hall, tmp_path) as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One for all tests, each of which has a context of its own in it."""
    async with chromium(f"--host-resolver-rules=MAP {NAME} 127.0.0.1") as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def visitor(server: ApiServer, browser: Browser) -> AsyncIterator[Watched]:
    """A page on the console's own name; the test fails if anything on it went wrong."""
    context = await browser.new_context(
        base_url=f"http://{NAME}:{server.port}", viewport=ViewportSize(width=1366, height=800)
    )
    visitor = await watched(context)
    yield visitor
    await context.close()
    assert visitor.wrong == []
    assert visitor.asked == {f"http://{NAME}:{server.port}"}


async def sign_in(page: Page, token: str = OPERATOR) -> None:
    await page.goto("/signin")
    await page.get_by_label("访问令牌").fill(token)
    await page.get_by_role("button", name="登录").click()
    await expect(page.locator("#link[data-state=live]")).to_be_visible()


async def test_an_alarm_arrives_by_itself_and_is_acknowledged_with_a_comment(hall: StandIn, visitor: Watched) -> None:
    page = visitor.page
    await sign_in(page)
    await expect(page).to_have_title("(3) 报警 · 预警")
    await page.evaluate("window.untouched = true")
    alarm = hall.raise_alarm(ALUMINIUM, "CW_IN_P-01", "LL", 0.274)
    row = page.locator(f'tr[data-alarm="{alarm.id}"]')
    await expect(row).to_contain_text("结晶器冷却水进水压力 低低报")
    await expect(row).to_contain_text("0.274 / 0.280 MPa")
    await expect(row).to_contain_text("二级")
    await expect(page.locator("#announce")).to_contain_text("低低报")
    await expect(page).to_have_title("(4) 报警 · 预警")
    assert await page.evaluate("window.untouched")  # no reload

    await row.get_by_role("link", name="确认").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("结晶器冷却水进水压力 低低报")
    await dialog.get_by_label("备注").fill("已到现场，补水阀已开")
    hall.raise_alarm(STEEL, "CO-02", "HH", 171.0)  # news while typing takes nothing away
    await expect(page.locator("#alarms")).to_contain_text("热风炉区一氧化碳 高高报")
    await expect(dialog.get_by_label("备注")).to_have_value("已到现场，补水阀已开")
    await dialog.get_by_role("button", name="确认").click()
    await expect(row).to_contain_text("已确认")
    changed = hall.book[alarm.id]
    assert (changed.acked_by, changed.comment) == ("中控室 王建国", "已到现场，补水阀已开")


async def test_the_console_speaks_english_on_request(visitor: Watched) -> None:
    page = visitor.page
    await sign_in(page)
    await page.goto(f"/plants/{ALUMINIUM}")
    await page.get_by_role("button", name="English").click()
    await expect(page.get_by_role("heading", name="Nan'an Demo Aluminium Co.")).to_be_visible()
    await expect(page.locator('[data-point="CW_IN_T-01"]')).to_contain_text("stale")
    await page.get_by_role("button", name="中文").click()
    await expect(page.get_by_role("heading", name="南安市示范铝业有限公司")).to_be_visible()


async def test_a_rule_that_has_warmed_up_loses_its_mark_by_itself(hall: StandIn, visitor: Watched) -> None:
    """In the language of the page, and without a reload."""
    page = visitor.page
    await sign_in(page)
    await page.goto(f"/plants/{ALUMINIUM}/points/CW_IN_P-01")
    low = page.locator("#rules tr").filter(has=page.get_by_text("L", exact=True))
    await expect(low).to_contain_text("未评估 · 预热中")
    await page.get_by_role("button", name="English").click()
    await expect(low).to_contain_text("not evaluated · warming up")
    await page.evaluate("window.untouched = true")
    hall.silent.clear()
    await expect(low.locator(".unjudged")).to_have_count(0, timeout=15_000)
    await expect(low).to_contain_text("evaluated")
    assert await page.evaluate("window.untouched")


@pytest.mark.parametrize("width", [360, 768])
async def test_no_page_scrolls_sideways_on_a_phone(width: int, visitor: Watched, hall: StandIn) -> None:
    page = visitor.page
    await page.set_viewport_size(ViewportSize(width=width, height=740))
    await sign_in(page)
    alarm = next(iter(hall.book))
    pages = ("/alarms", f"/alarms/{alarm}", "/plants", f"/plants/{ALUMINIUM}", "/gateways", "/quarantine",
             f"/plants/{ALUMINIUM}/points/LVL_MOLD-01?span=28800",
             f"/plants/{ALUMINIUM}/points/CW_IN_P-01")  # fmt: skip
    for path in pages:
        await page.goto(path)
        await expect(page.locator("#link[data-state=live]")).to_be_visible()
        wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert await page.evaluate(wider) <= 0, path


async def test_a_lost_connection_says_that_data_may_be_stale(server: ApiServer, visitor: Watched) -> None:
    page = visitor.page
    await sign_in(page)
    await expect(page.locator("#stale")).to_be_hidden()
    server.stop()
    await expect(page.locator("#stale")).to_be_visible(timeout=10_000)
    await expect(page.locator("#stale")).to_contain_text("数据可能已过期")
    await expect(page.locator("#link")).to_contain_text("已断开")
    visitor.wrong = [line for line in visitor.wrong if "ERR_" not in line]  # the browser's own word for the lost server


async def test_more_windows_than_a_browser_has_connections_are_all_live(hall: StandIn, visitor: Watched) -> None:
    """A desk with eight of them: browsers allow six connections to one server. Whoever signs in anew listens anew."""
    await sign_in(visitor.page)
    windows = [visitor.page]
    for path in ["/alarms"] * 3 + ["/plants"] * 4:
        windows.append(await visitor.page.context.new_page())
        await windows[-1].goto(path)
    for page in windows:
        await expect(page.locator("#link[data-state=live]")).to_be_visible()
    for title in ("结晶器冷却水进水压力 低低报", "热风炉区一氧化碳 高高报"):
        if title.startswith("结"):
            hall.raise_alarm(ALUMINIUM, "CW_IN_P-01", "LL", 0.274)
        else:
            hall.raise_alarm(STEEL, "CO-02", "HH", 171.0)
        for page in windows:
            await expect(page.locator("#announce")).to_contain_text(title)
        await windows.pop(0).close()  # the one that came first goes first
    page = windows[0]
    await page.get_by_role("button", name="退出").click()
    await sign_in(page, INSPECTOR)
    hall.raise_alarm(ALUMINIUM, "CW_IN_P-01", "L", 0.29)
    await expect(page.locator("#announce")).to_contain_text("低报")


async def test_a_list_that_could_not_be_fetched_is_never_shown_as_live(hall: StandIn, visitor: Watched) -> None:
    """The stream goes on beside it. It says how old the list is, and recovers by itself."""
    page = visitor.page
    await sign_in(page)
    link, banner = page.locator("#link"), page.locator("#stale")
    await page.route("**/alarms/table*", lambda route: route.fulfill(status=503, body="away"))
    hall.raise_alarm(STEEL, "CO-02", "HH", 171.0)
    await expect(page.locator("#announce")).to_contain_text("高高报")
    await expect(link).to_have_attribute("data-state", "old")
    await expect(link).not_to_contain_text("实时", use_inner_text=True)
    await expect(banner).to_contain_text("不是现在的情况")
    await expect(banner).to_contain_text("秒前")
    await page.unroute("**/alarms/table*")
    await expect(page.locator("#alarms")).to_contain_text("热风炉区一氧化碳 高高报", timeout=30_000)
    await expect(link).to_have_attribute("data-state", "live")
    await expect(banner).to_be_hidden()
    visitor.wrong = [line for line in visitor.wrong if "503" not in line]


async def test_what_was_written_outlives_the_session(hall: StandIn, visitor: Watched) -> None:
    """Sent after its end, or ended while somebody was writing: they sign in and find it in its form, not done."""
    page = visitor.page
    await sign_in(page)
    alarm = hall.raise_alarm(STEEL, "CO-02", "HH", 171.0)
    words = page.locator("#comment textarea")

    async def end_the_session(route: Route) -> None:
        await page.context.clear_cookies()
        await route.continue_()

    for how in ("sent", "written"):
        await page.goto(f"/alarms/{alarm.id}#comment")
        await words.fill("已撤人，正在通风")
        if how == "sent":  # not a moment sooner: the page notices its end by itself
            await page.route("**/comment", end_the_session, times=1)
            await page.locator("#comment").get_by_role("button", name="添加备注").click()
            await expect(page.get_by_role("alert")).to_contain_text("没有完成")
        else:
            await page.context.clear_cookies()
            hall.raise_alarm(WOOD, "DP-01", "HH", 1600)
        await page.get_by_label("访问令牌").fill(OPERATOR)
        await page.get_by_role("button", name="登录").click()
        await expect(words).to_have_value("已撤人，正在通风")
        await expect(page.locator("#comment")).to_contain_text("没有完成")
        assert hall.book[alarm.id].comment is None
    await page.locator("#comment").get_by_role("button", name="添加备注").click()
    await expect(page.locator("#body")).to_contain_text("已撤人，正在通风")
    await expect(words).to_have_value("")
    visitor.wrong = [line for line in visitor.wrong if "401" not in line]


async def test_sending_one_form_takes_nothing_from_what_is_written_in_the_others(
    hall: StandIn, visitor: Watched
) -> None:
    """Time and again, also when the language is changed or the session ends; what was sent is not there again."""
    page = visitor.page
    await sign_in(page)
    alarm = hall.raise_alarm(STEEL, "CO-02", "H", 30.0)
    comment, to, why = (
        page.locator("#comment textarea"),
        page.locator("#assign input[name=to]"),
        page.locator("#shelve textarea"),
    )
    await page.goto(f"/alarms/{alarm.id}")
    for fold in ("#comment", "#assign", "#shelve"):
        await page.locator(f"{fold} summary").click()
    await to.fill("李班长")
    await why.fill("更换变送器")
    await page.locator("#shelve").get_by_label("2 小时").check()
    await comment.fill("正在通风")
    await page.locator("#comment button").click()
    await expect(page.locator("#body")).to_contain_text("正在通风")
    await expect(to).to_have_value("李班长")
    await expect(to).to_be_visible()
    await expect(comment).to_have_value("")
    await page.get_by_role("button", name="English").click()
    await expect(to).to_have_value("李班长")
    await page.get_by_role("button", name="中文").click()
    await page.locator("#assign button").click()
    await expect(page.locator("#body")).to_contain_text("李班长")
    await expect(why).to_have_value("更换变送器")
    await expect(page.locator("#shelve").get_by_label("2 小时")).to_be_checked()
    assert await page.get_by_text("没有完成").count() == 0
    await page.locator("#comment summary").click()
    await comment.fill("已撤人")
    await page.context.clear_cookies()
    hall.raise_alarm(WOOD, "DP-01", "HH", 1600)
    await page.get_by_label("访问令牌").fill(OPERATOR)
    await page.get_by_role("button", name="登录").click()
    await expect(comment).to_have_value("已撤人")
    await expect(why).to_have_value("更换变送器")
    await page.goto(f"/alarms/{alarm.id}")
    await expect(why).to_have_value("")
    visitor.wrong = [line for line in visitor.wrong if "401" not in line]


async def test_acknowledging_far_down_a_list_stays_there_on_a_small_screen_and_nothing_is_clipped(
    hall: StandIn, visitor: Watched
) -> None:
    """A window of half a screen (or text at 200 %): the button is within it, and the list stays where it was."""
    for number in range(40):
        hall.raise_alarm(STEEL, "CO-02", "HH", 171.0 + number, ago_s=number)
    page = visitor.page
    for width in (800, 960):
        await page.set_viewport_size(ViewportSize(width=width, height=700))
        await sign_in(page)
        right, before = await page.evaluate(
            """() => {
                const button = document.querySelectorAll("[data-ack]")[30];
                const { right } = button.getBoundingClientRect();
                button.scrollIntoView({ block: "center" });
                button.click();
                return [right, scrollY];
            }"""
        )
        assert right <= width
        assert before > 1000
        await page.get_by_role("dialog").get_by_role("button", name="确认").click()
        await expect(page.locator(".is-acknowledged").first).to_be_attached()
        await expect(page.locator("#link[data-state=live]")).to_be_visible()
        assert abs(await page.evaluate("scrollY") - before) < 200
        hall.book.update({key: replace(alarm, state=AlarmState.UNACKNOWLEDGED) for key, alarm in hall.book.items()})


async def test_paper_has_what_stands_and_nothing_to_press(visitor: Watched) -> None:
    page = visitor.page
    await sign_in(page)
    await page.emulate_media(media="print")
    for gone in (".main-nav", ".bar-end form", ".link-live", ".filters", "[data-ack]", ".cell-action"):
        await expect(page.locator(gone).first).to_be_hidden()
    await expect(page.locator("tr.alarm").first).to_be_visible()
    day = await page.evaluate("getComputedStyle(document.querySelector('#updated'), '::before').content")
    assert re.match(r'"\d{4}-\d\d-\d\d "', day)  # a sheet of paper says of when it is
    await expect(page.locator("#updated")).to_be_visible()


async def test_a_yearly_summary_uses_the_whole_of_a_wide_screen(visitor: Watched) -> None:
    page = visitor.page
    await page.set_viewport_size(ViewportSize(width=1920, height=900))
    await sign_in(page)
    await page.goto("/lists/summary/2026")
    sheet = "document.querySelector('.list-sheet')"
    assert await page.evaluate(f"{sheet}.scrollWidth - {sheet}.clientWidth") <= 0


async def test_a_trend_draws_itself_anew(hall: StandIn, visitor: Watched) -> None:
    page = visitor.page
    await sign_in(page)
    await page.goto(f"/plants/{ALUMINIUM}/points/CW_IN_P-01?span=600")
    line = page.locator(".drawing.wide .trend-line").first
    before = await line.get_attribute("d")
    hall.time += 60_000_000_000
    await expect(line).not_to_have_attribute("d", str(before), timeout=15_000)
    await expect(page.locator(".drawing.wide")).to_contain_text("LL 0.280")


async def test_everything_can_be_reached_by_keyboard(hall: StandIn, visitor: Watched) -> None:
    """Skip link first; Escape leaves the dialog; focus survives the table drawn anew."""
    page = visitor.page
    await sign_in(page)
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.className") == "skip"
    button = page.locator("[data-ack]").first
    await button.focus()
    focused = await page.evaluate("document.activeElement.id")
    hall.raise_alarm(WOOD, "DP-01", "HH", 1600)
    await expect(page.locator("#alarms")).to_contain_text("压差 高高报")
    assert await page.evaluate("document.activeElement.id") == focused
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()


async def test_an_inspector_reads_and_signs_out(visitor: Watched) -> None:
    page = visitor.page
    await sign_in(page, INSPECTOR)
    await expect(page.locator("[data-ack]")).to_have_count(0)
    await page.get_by_role("button", name="退出").click()
    await expect(page.get_by_label("访问令牌")).to_be_visible()
    await page.goto("/alarms")
    await expect(page.get_by_label("访问令牌")).to_be_visible()
    visitor.wrong = [line for line in visitor.wrong if "401" not in line]  # the sign-in page in place of the alarms
