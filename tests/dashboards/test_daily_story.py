"""The three daily registers in a real browser: work that an alarm names, a pledge held against it, an area cleaned."""

from __future__ import annotations

import csv
import datetime as dt
import io
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import FilePayload, Page, ViewportSize, expect

from ingest.domain.cases.days import day_of
from ingest.domain.model.daily import CleaningArea, PledgeDuty
from ingest.domain.model.payload import PLANT_TIME
from ingest.domain.model.text import Text
from tests.browser import chromium, watched
from tests.dashboards.test_bypass_story import sign_in
from tests.ingest.web.afternoon import busy
from tests.ingest.web.made_up_plants import MINUTE, WOOD
from tests.ingest.web.serving import served
from tests.ingest.web.stand_in import INSPECTOR, OPERATOR, StandIn

PICTURE: FilePayload = {"name": "清扫后.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 made up"}


@pytest.fixture
def hall() -> StandIn:
    """The wood plant owes a pledge by nine from today on and cleans an area a day, of which nothing is on record."""
    made_up = busy()
    plant = replace(
        made_up.known.plants[WOOD],
        pledge=PledgeDuty(dt.time(9), day_of(made_up.time)),
        cleaning=(CleaningArea("A1", Text("打磨间", "grinding"), "吸尘", "打磨班", "DUST_DP-01", 24.0, measured=True),),
    )
    made_up.known = replace(made_up.known, plants={**made_up.known.plants, WOOD: plant})
    return made_up


def moment(hall: StandIn, minutes: int) -> str:
    """A time of the plant as its field takes it."""
    seconds = (hall.time + minutes * MINUTE) // 10**9
    return f"{dt.datetime.fromtimestamp(seconds, PLANT_TIME):%Y-%m-%dT%H:%M}"


async def fits(page: Page, width: int) -> None:
    """Nothing reaches over the edge."""
    assert await page.evaluate("document.documentElement.scrollWidth") <= width, page.url


async def unfold(page: Page, title: str) -> None:
    await page.locator("main summary").filter(has_text=title).first.click()


@pytest.mark.parametrize("width", [360, 1280])
async def test_the_daily_registers_from_the_first_entry_to_the_file(hall: StandIn, tmp_path: Path, width: int) -> None:
    async with served(hall, tmp_path) as server, chromium() as browser:
        size = ViewportSize(width=width, height=740)
        context = await browser.new_context(
            base_url=f"http://127.0.0.1:{server.port}", viewport=size, accept_downloads=True
        )
        visitor = await watched(context)
        page = visitor.page

        # declared work: by the operator, approved by the office, and an alarm raised meanwhile names it
        await sign_in(page, OPERATOR)
        await page.goto("/works")
        await expect(page.locator("main")).to_contain_text("没有符合条件的作业")
        await page.get_by_role("link", name="报备作业").click()
        await page.locator("main select[name=plant]").select_option(WOOD)
        await page.get_by_role("button", name="选择企业").click()
        await page.locator("select[name=kind]").select_option(label="动火作业")
        for name, text in (
            ("area", "打磨间"), ("description", "焊接支架"), ("contractor", "维修班"), ("person", "李工"),
            ("guardian", "张三"), ("measures", "清尘、测爆、接火盆"),
            ("begins", moment(hall, -10)), ("ends", moment(hall, 50)),
        ):  # fmt: skip
            await page.locator(f"main [name={name}]").fill(text)
        await fits(page, width)
        await page.locator("main").get_by_role("button", name="报备作业").click()
        await expect(page.locator("article")).to_contain_text("到时未批准")
        work = page.url
        await sign_in(page, INSPECTOR)
        await page.goto(work)
        await page.get_by_role("button", name="批准").click()
        await expect(page.locator("article")).to_contain_text("时段内，未报开工")
        await sign_in(page, OPERATOR)
        await page.goto(work)
        await page.get_by_role("button", name="报开工").click()
        await expect(page.locator("article")).to_contain_text("作业中")
        alarm = hall.raise_alarm(WOOD, "HOPPER_T-01", "HH", 71.0)
        await page.goto(f"/alarms/{alarm.id}")
        await expect(page.locator("#head")).to_contain_text("登记动火作业")
        await fits(page, width)

        # the pledge: missing, given with another number than was declared, withdrawn, given as it is
        await page.goto("/pledges")
        row = page.locator(f"tr[data-pledge={WOOD}]")
        await expect(row).to_contain_text("未承诺")
        for places in ("0", "1"):
            await page.goto("/pledges")
            await row.locator("summary").click()
            await row.locator("[name=assessment]").fill("打磨间动火")
            await row.locator("[name=running]").fill("2")
            await row.locator("[name=hot-work]").fill(places)
            await row.locator("[name=person]").fill("陈总")
            await fits(page, width)
            await row.get_by_role("button", name="作出承诺").click()
            await expect(page.locator("article")).to_contain_text("我承诺所有生产装置处于安全运行状态")
            if places == "0":
                await expect(page.locator("article")).to_contain_text("动火作业：承诺 0 处，报备 1 处")
                await unfold(page, "撤回")
                await page.locator("main [name=remark]").fill("漏填动火")
                await page.get_by_role("button", name="撤回").click()
                await expect(page.locator("article")).to_contain_text("已撤回")
        await expect(page.locator("article")).not_to_contain_text("报备 1 处")
        await page.goto("/pledges")
        await expect(row).to_contain_text("超时承诺")
        await fits(page, width)

        # the area: unknown, cleaned with a picture, voided and unknown again
        await page.goto("/cleaning")
        area = page.locator("tr[data-area=A1]")
        await expect(area).to_contain_text("无记录，情况不明")
        await area.locator("summary").click()
        await area.locator("[name=done]").fill(moment(hall, -30))
        await area.locator("[name=cleaner]").fill("王工")
        await area.locator("[name=result]").fill("无可见积尘")
        await area.locator("[name=files]").set_input_files(PICTURE)
        await fits(page, width)
        await area.get_by_role("button", name="登记清扫").click()
        await expect(area).to_contain_text("按期")
        await page.locator("main .plain-list a").first.click()
        await expect(page.locator("main")).to_contain_text("清扫后.pdf")
        await fits(page, width)
        await unfold(page, "作废")
        await page.locator("main [name=remark]").fill("区域填错")
        await page.get_by_role("button", name="作废").click()
        await expect(page.locator("article")).to_contain_text("已作废")
        await page.goto("/cleaning")
        await expect(area).to_contain_text("无记录，情况不明")

        # the files: what was written is in them, by days
        for register, found in (("works", "焊接支架"), ("pledges", "漏填动火"), ("cleaning", "区域填错")):
            await page.goto(f"/{register}")
            await page.get_by_role("link", name="导出").click()
            await expect(page.locator("main")).to_contain_text(found)
            await fits(page, width)
            async with page.expect_download() as saved:
                await page.get_by_role("link", name="CSV").click()
            text = (await (await saved.value).path()).read_text(encoding="utf-8-sig")
            assert any(found in cell for line in csv.reader(io.StringIO(text)) for cell in line)
        assert [fault for fault in visitor.wrong if "401" not in fault] == []
        await context.close()
