"""Every page of the console in a real browser, on a phone and on a desk: fits, can be touched, works without script."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, ViewportSize, expect

from ingest.domain.model.alarm import AlarmState
from ingest.domain.model.suppression import SuppressionState
from ingest.web.server import ApiServer
from tests.browser import Watched, chromium, watched
from tests.ingest.web.afternoon import busy
from tests.ingest.web.called_people import begin_call
from tests.ingest.web.filled import PDF, Filled, fill
from tests.ingest.web.made_up_plants import STEEL, WOOD
from tests.ingest.web.serving import served
from tests.ingest.web.stand_in import ADMIN, INSPECTOR, OPERATOR, StandIn

pytestmark = pytest.mark.asyncio(loop_scope="module")

STATIC = Path(__file__).parents[2] / "dashboards/console/static"
PHONE, SMALL, DESK = (390, 844), (360, 740), (1366, 800)
FINGER = 40  # px: what a thumb hits

TOUCHED = (
    "button, select, textarea, summary, a.button, a.more, nav a, tbody th[scope=row] > a:first-child,"
    " label:has(> [type=radio]), input:not([type=hidden], [type=radio])"
)
TOO_SMALL = f"""(least) => [...document.querySelectorAll('{TOUCHED}')]
  .filter((one) => one.checkVisibility() && one.getClientRects().length)
  .map((one) => [one.getBoundingClientRect().height, one.tagName, (one.textContent || one.name).trim().slice(0, 24)])
  .filter(([height]) => height < least - 0.5)"""

SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"

FIELDS = "select, textarea, input:not([type=hidden])"
UNREACHABLE = f"""() => [...document.querySelectorAll('a[href], button, summary, {FIELDS}')]
  .filter((one) => one.checkVisibility() && one.tabIndex < 0).map((one) => one.outerHTML.slice(0, 80))"""

UNNAMED = f"""() => [...document.querySelectorAll('{FIELDS}')]
  .filter((one) => !one.labels.length && !one.ariaLabel).map((one) => one.outerHTML.slice(0, 80))"""

OURS = (
    "label > span, button, summary, thead th, dt, legend, h1:not(.case-head h1), h2, h3:not([data-position]),"
    " .hint, .state"
)
CHINESE = f"""() => [...document.querySelectorAll('{OURS}')].map((one) => one.textContent.trim())
  .filter((said) => /[\\u4e00-\\u9fff]/.test(said) && said !== '中文')"""


FAULTS = f"""(least) => ({{
  sideways: Math.max(0, {SIDEWAYS}), unreachable: ({UNREACHABLE})(), unnamed: ({UNNAMED})(),
  small: ({TOO_SMALL})(least),
}})"""
"""By their kind, on the page as it is laid out at the moment; `least` px are what a target needs."""


@pytest.fixture
def hall() -> StandIn:
    return busy()


@pytest_asyncio.fixture(loop_scope="module")
async def filled(hall: StandIn) -> Filled:
    found = await fill(hall)
    hall.pass_time(30)
    return found


@pytest_asyncio.fixture(loop_scope="module")
async def server(hall: StandIn, filled: Filled, tmp_path: Path) -> AsyncIterator[ApiServer]:
    async with served(hall, tmp_path) as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One for all tests, each of which has a context of its own in it."""
    async with chromium() as browser:
        yield browser


def pages(hall: StandIn, filled: Filled) -> list[str]:
    """The address of every page there is."""
    return [
        *("/alarms", "/alarms?state=awaiting-feedback", "/alarms/metrics", "/suppressions", "/audit", "/warnings"),
        *(f"/alarms/{alarm}" for alarm in hall.book),
        *(f"/warnings/{warning}" for warning in {event.warning.id for event in hall.warned}),
        *("/hazards?state=all", "/hazards/new", "/inspections?state=all", "/inspections/new", "/leads?state=all"),
        *(f"/hazards/{hazard}" for hazard in filled.hazards.values()),
        *(f"/inspections/{filled.inspection}", f"/inspections/{filled.concluded}", f"/leads/{filled.lead}"),
        *("/instruments", "/instruments?state=overdue", f"/instruments/{filled.ledger}"),
        *("/enterprises", f"/enterprises/{STEEL}", "/self-inspections", "/lists", "/lists/summary/2026"),
        *(f"/lists/{name}" for name in ("enterprises", "hazards", "rectification", "responsibility")),
        *("/works", "/works/new", f"/works/new?plant={WOOD}", "/pledges", "/cleaning"),
        *("/calls?state=all", f"/calls/{begin_call(hall.calls, hall.time).id}", "/duty", f"/duty?plant={WOOD}"),
        *("/plants", f"/plants/{WOOD}", f"/plants/{STEEL}/points/CO-01", "/gateways", "/quarantine"),
    ]


@asynccontextmanager
async def somebody(
    browser: Browser, server: ApiServer, token: str, size: tuple[int, int], *, script: bool = True
) -> AsyncIterator[Watched]:
    """A signed-in page; the test fails if anything on it went wrong."""
    width, height = size
    context = await browser.new_context(
        base_url=f"http://127.0.0.1:{server.port}",
        viewport=ViewportSize(width=width, height=height),
        is_mobile=width < 500,
        has_touch=width < 500,
        java_script_enabled=script,
    )
    visitor = await watched(context)
    await visitor.page.goto("/signin")
    await visitor.page.locator("#token").fill(token)
    await visitor.page.locator("form.signin button").click()
    await visitor.page.wait_for_url("**/alarms")
    yield visitor
    await context.close()
    assert visitor.wrong == []


async def unfolded(page: Page) -> None:
    """Open every form that is folded away."""
    await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = one.id !== 'more-nav'; })")


async def test_only_style_sheets_ask_for_the_size_of_the_screen() -> None:
    """So that a page that is laid out anew is the one that another screen would have loaded."""
    asks = re.compile(r"matchMedia|innerWidth|innerHeight|clientWidth|clientHeight|visualViewport|screen\.|userAgent")
    for file in STATIC.iterdir():
        text = file.read_text(encoding="utf-8")
        assert file.suffix != ".js" or asks.findall(text) == [], file
        features = re.findall(r"\(([a-z-]+):", " ".join(re.findall(r"@media ([^{]+)\{", text)))
        assert {*features} <= {"min-width", "max-width", "prefers-color-scheme", "prefers-reduced-motion"}, file


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_every_page_fits_its_screen_and_can_be_touched_named_and_reached(
    lang: str, hall: StandIn, filled: Filled, server: ApiServer, browser: Browser
) -> None:
    """Forms unfolded: no sideways scrolling, targets for a thumb, a label on each field, everything by keyboard.

    On two phones and on a desk: each page is loaded once, which is what takes long, and laid out for all of them.
    """
    async with somebody(browser, server, ADMIN, PHONE) as visitor:
        page = visitor.page
        await page.context.add_cookies([{"name": "lang", "value": lang, "url": f"http://127.0.0.1:{server.port}"}])
        for path in pages(hall, filled):
            answer = await page.goto(path)
            assert answer is not None
            assert answer.status == 200, path
            await unfolded(page)
            for (width, height), least in ((PHONE, FINGER), (SMALL, FINGER), (DESK, 0)):
                await page.set_viewport_size(ViewportSize(width=width, height=height))
                faults = await page.evaluate(FAULTS, least)
                assert {name: fault for name, fault in faults.items() if fault} == {}, (path, width)
                assert await page.evaluate("innerWidth") == width
            if lang == "en":
                assert await page.evaluate(CHINESE) == [], path


async def test_the_forms_work_without_script_on_a_phone(
    hall: StandIn, filled: Filled, server: ApiServer, browser: Browser
) -> None:
    """Acknowledge, shelve, give feedback with a picture; supervision approves. No line of script runs."""
    alarm = next(a for a in hall.book.values() if a.point == "CW_IN_P-01")
    async with somebody(browser, server, OPERATOR, PHONE, script=False) as visitor:
        page = visitor.page
        await page.goto(f"/alarms/{alarm.id}")
        await page.locator("#acknowledge").get_by_label("备注").fill("已到现场")
        await page.locator("#acknowledge button").click()
        await expect(page.locator(".alarm-head")).to_contain_text("已确认")
        assert hall.book[alarm.id].comment == "已到现场"

        await page.locator("#shelve summary").click()
        await page.get_by_text("15 分钟").click()
        await page.locator("#shelve").get_by_label("原因").fill("更换变送器")
        await page.locator("#shelve button").click()
        await expect(page.locator(".alarm-head")).to_contain_text("已搁置")
        await page.get_by_role("button", name="取消搁置").click()
        await expect(page.locator(".alarm-head")).to_contain_text("未确认")
        assert hall.book[alarm.id].state is AlarmState.UNACKNOWLEDGED, "what was hidden is to be seen again"

        await page.locator("#dispose summary").click()
        form = page.locator("#dispose")
        await form.locator("[name=cause]").select_option(label="冷却水异常")
        await form.get_by_label("处置措施").fill("补水阀已开")
        await form.get_by_label("证据").set_input_files(
            {"name": "阀.pdf", "mimeType": "application/pdf", "buffer": PDF}
        )
        await form.get_by_role("button", name="提交反馈").click()
        await expect(page.get_by_role("link", name="阀.pdf")).to_be_visible()
        assert hall.book[alarm.id].disposed is not None

        await page.locator("#dispose summary").click()  # none chosen: a browser sends an empty file
        await form.locator("[name=cause]").select_option(label="操作不当")
        await form.get_by_label("处置措施").fill("再次检查")
        await form.get_by_role("button", name="提交反馈").click()
        await expect(page.locator(".disposition")).to_have_count(2)

    async with somebody(browser, server, INSPECTOR, PHONE, script=False) as visitor:
        page = visitor.page
        await page.locator("#more-nav summary").click()
        await page.locator("#more-nav").get_by_role("link", name="搁置与停用").click()
        await page.get_by_text("审批", exact=True).click()
        await page.get_by_label("审批意见").fill("限两小时")
        await page.get_by_role("button", name="批准").click()
        await expect(page.get_by_text("没有待批准的申请")).to_be_visible()
        assert hall.hidden[filled.waiting].state is SuppressionState.IN_FORCE


async def test_a_township_inspector_grades_and_closes_a_hazard_on_a_phone(
    hall: StandIn, filled: Filled, server: ApiServer, browser: Browser
) -> None:
    async with somebody(browser, server, INSPECTOR, PHONE) as visitor:
        page = visitor.page
        await page.get_by_role("link", name="隐患").click()
        await page.get_by_role("link", name="除尘器锁气卸灰阀漏灰").click()
        await expect(page.locator('[aria-current="step"]')).to_contain_text("已登记")
        await page.get_by_text("一般隐患", exact=True).click()
        await page.locator("#next").get_by_role("button", name="分级").click()
        await expect(page.locator('[aria-current="step"]')).to_contain_text("已分级")
        await expect(page.get_by_text("下一步由其他角色办理")).to_have_count(0)

        await page.goto(f"/hazards/{filled.hazards['submitted']}")
        await page.get_by_label("复查意见").fill("复查合格")
        await page.get_by_label("证据").set_input_files(
            {"name": "复查.pdf", "mimeType": "application/pdf", "buffer": PDF}
        )
        await page.locator("#next").get_by_role("button", name="销号").click()
        await expect(page.locator(".case-head")).to_contain_text("已销号")
        await expect(page.get_by_role("link", name="复查.pdf")).to_be_visible()


async def test_news_take_nothing_from_who_is_filling_in_a_form(
    hall: StandIn, filled: Filled, server: ApiServer, browser: Browser
) -> None:
    """The head of the page follows; the open form with its words stays as it is."""
    alarm = next(a for a in hall.book.values() if a.point == "CW_IN_P-01")
    async with somebody(browser, server, OPERATOR, DESK) as visitor:
        page = visitor.page
        await page.goto(f"/alarms/{alarm.id}")
        await expect(page.locator("#link[data-state=live]")).to_be_visible()
        await page.locator("#shelve summary").click()
        await page.locator("#shelve").get_by_label("原因").fill("更换变送器")
        hall.return_alarm(hall.book[alarm.id])
        await expect(page.locator(".alarm-head")).to_contain_text("已恢复，未确认")
        await expect(page.locator("#shelve").get_by_label("原因")).to_have_value("更换变送器")
        await expect(page.locator("#link")).to_have_attribute("data-state", "held")  # what waits behind it is not live
        await expect(page.locator("#stale")).to_contain_text("提交后才会显示")


async def test_what_is_unfolded_stays_so_when_the_list_is_drawn_anew(
    hall: StandIn, filled: Filled, server: ApiServer, browser: Browser
) -> None:
    hall.raise_alarm(WOOD, "DP-01", "SILENT", None, ago_s=30)
    async with somebody(browser, server, OPERATOR, PHONE) as visitor:
        page = visitor.page
        await page.reload()
        await expect(page.locator("#link[data-state=live]")).to_be_visible()
        fold = page.locator("tr.fold details")
        await expect(fold).to_contain_text("另有 1 条由此引起")
        await fold.locator("summary").click()
        hall.raise_alarm(WOOD, "FAN-01", "SILENT", None)
        await expect(fold).to_contain_text("另有 2 条由此引起")
        await expect(fold.locator("li")).to_have_count(2)
        await expect(fold.locator("li").first).to_be_visible()


async def test_the_menu_opens_and_closes_by_keyboard(filled: Filled, server: ApiServer, browser: Browser) -> None:
    async with somebody(browser, server, OPERATOR, DESK) as visitor:
        page = visitor.page
        menu = page.locator("#more-nav")
        await menu.locator("summary").focus()
        await page.keyboard.press("Enter")
        await expect(menu.get_by_role("link", name="操作记录")).to_be_visible()
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.textContent") == "叫应"
        await page.keyboard.press("Escape")
        await expect(menu.get_by_role("link", name="操作记录")).to_be_hidden()
        assert await page.evaluate("document.activeElement.tagName") == "SUMMARY"


async def test_a_press_too_many_sends_nothing_twice(
    hall: StandIn, filled: Filled, server: ApiServer, browser: Browser
) -> None:
    alarm = next(a for a in hall.book.values() if a.point == "CW_IN_P-01")
    async with somebody(browser, server, OPERATOR, DESK) as visitor:
        page = visitor.page
        await page.goto(f"/alarms/{alarm.id}#comment")
        form = page.locator("#comment")
        await form.get_by_label("备注").fill("只说一次")
        await form.get_by_role("button").dblclick()
        await expect(page.locator(".history")).to_contain_text("只说一次")
        comments = [event for event in hall.log if event.detail.get("comment") == "只说一次"]
        assert len(comments) == 1


async def test_a_list_is_printed_without_a_violation(filled: Filled, server: ApiServer, browser: Browser) -> None:
    async with somebody(browser, server, INSPECTOR, DESK) as visitor:
        await visitor.page.goto("/lists")
        async with visitor.page.context.expect_page() as opened:
            await visitor.page.get_by_role("link", name="打印").first.click()
        printed = await opened.value
        await expect(printed.locator("table")).to_contain_text("泉州宏远钢铁有限公司")
        await expect(printed.locator("table")).to_have_css("border-collapse", "collapse")
