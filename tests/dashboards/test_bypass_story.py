"""A bypassed interlock in a real browser: seen, registered, expired, and put back."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Page, ViewportSize, expect

from tests.browser import chromium, watched
from tests.ingest.web.afternoon import busy
from tests.ingest.web.interlocks import bypass, let_pass, show, with_interlock
from tests.ingest.web.serving import served
from tests.ingest.web.stand_in import INSPECTOR, OPERATOR


async def sign_in(page: Page, token: str) -> None:
    await page.goto("about:blank")  # whose script asks for nothing any more
    await page.context.clear_cookies()
    await page.goto("/signin")
    await page.get_by_label("访问令牌").fill(token)
    await page.get_by_role("button", name="登录").click()
    await expect(page.locator("#link[data-state=live]")).to_be_visible()


async def test_a_bypass_is_seen_registered_expired_and_put_back(tmp_path: Path) -> None:
    """On a phone: level 2, approved by another and level 1, expired and level 2 again, closed. Nothing overflows."""
    hall = busy()
    with_interlock(hall)
    alarm = bypass(hall)
    async with served(hall, tmp_path) as server, chromium() as browser:
        size = ViewportSize(width=360, height=740)
        context = await browser.new_context(base_url=f"http://127.0.0.1:{server.port}", viewport=size)
        visitor = await watched(context)
        page = visitor.page

        async def alarm_shows(*texts: str) -> None:
            await page.goto(f"/alarms/{alarm.id}")
            for text in texts:
                await expect(page.locator("#head")).to_contain_text(text)

        await sign_in(page, OPERATOR)
        await alarm_shows("二级", "氧枪联锁 旁路")
        await page.goto("/bypasses")
        await page.locator("#new summary").click()
        await page.locator("select[name=interlock]").select_option(label="泉州宏远钢铁有限公司 · 氧枪联锁 LANCE-01")
        await page.get_by_label("旁路原因").fill("更换变送器")
        await page.get_by_label("代替措施").fill("专人监护")
        await page.get_by_label("最长时间").fill("2")
        await page.get_by_role("button", name="申请旁路").click()
        await expect(page.locator("article")).to_contain_text("待批准")
        registration = page.url
        await sign_in(page, INSPECTOR)
        await page.goto(registration)
        await page.locator("#approve summary").click()
        await page.locator("#approve").get_by_role("button", name="批准").click()
        await expect(page.locator("article")).to_contain_text("旁路中")
        await alarm_shows("一级", "已登记旁路", "专人监护", "南安市应急管理局")

        await let_pass(hall, 2)
        await alarm_shows("二级", "旁路登记已到期", "未确认")
        await page.goto("/bypasses")
        await expect(page.locator("tr[data-bypass]")).to_contain_text("已到期，未恢复")
        show(hall, 0.0)
        await sign_in(page, OPERATOR)
        await page.goto("/bypasses")
        await expect(page.locator("tr[data-bypass]")).to_contain_text("联锁已投用，登记未关闭")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360
        await page.goto(registration)
        await page.locator("#restore summary").click()
        await page.get_by_label("恢复与试验情况").fill("试验合格")
        await page.get_by_role("button", name="恢复投用").click()
        await expect(page.locator("article")).to_contain_text("已恢复投用")
        assert [fault for fault in visitor.wrong if "401" not in fault] == []  # a page that was left while signing out
        await context.close()
