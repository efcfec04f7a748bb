"""A calibration that has run out, in a real browser: found, entered with its certificate, and its hazard closed."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, FilePayload, Page, ViewportSize, expect

from ingest.domain.cases.days import day_of
from ingest.domain.cases.hazard import HazardFilter, HazardLevel, HazardState
from ingest.domain.cases.hazard_steps import Grade, HazardStep, Rectify, Register
from ingest.domain.model.instrument import Check
from ingest.domain.model.plant import InstrumentPoint
from ingest.services.cases import steps
from ingest.web.server import ApiServer
from tests.browser import chromium, watched
from tests.ingest.web.afternoon import busy
from tests.ingest.web.filled import INSPECTOR as OFFICE
from tests.ingest.web.filled import OPERATOR as PLANT
from tests.ingest.web.ledgers import PDF, check_instruments, key_of, overdue
from tests.ingest.web.made_up_plants import STEEL
from tests.ingest.web.serving import served
from tests.ingest.web.stand_in import INSPECTOR, OPERATOR, StandIn

pytestmark = pytest.mark.asyncio(loop_scope="module")

DAY = 86_400 * 10**9
CERTIFICATE: FilePayload = {"name": "检定证书.pdf", "mimeType": "application/pdf", "buffer": PDF}


@pytest.fixture
def hall() -> StandIn:
    return busy()


@pytest_asyncio.fixture(loop_scope="module")
async def server(hall: StandIn, tmp_path: Path) -> AsyncIterator[ApiServer]:
    async with served(hall, tmp_path) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


async def signed_in(browser: Browser, server: ApiServer, token: str) -> Page:
    """A phone in somebody's hand."""
    size = ViewportSize(width=390, height=844)
    context = await browser.new_context(base_url=server.url, viewport=size)
    visitor = await watched(context)
    await visitor.page.goto("/signin")
    await visitor.page.get_by_label("访问令牌").fill(token)
    await visitor.page.get_by_role("button", name="登录").click()
    await expect(visitor.page.locator("#link[data-state=live]")).to_be_visible()
    return visitor.page


async def test_an_overdue_calibration_is_found_on_a_phone_and_answered_with_its_certificate(
    hall: StandIn, server: ApiServer, browser: Browser
) -> None:
    overdue(hall, STEEL, "CO-01", InstrumentPoint.CALIBRATION, 1.0)
    await check_instruments(hall)
    hall.time += 31 * DAY  # the grace for what is not on record
    passed = dict(await check_instruments(hall))
    own = hall.known.find(STEEL, "CO-01.calibration")
    assert own is not None
    assert passed[own.index] == 1.0
    alarm = hall.raise_alarm(STEEL, own.id, "OVERDUE", 1.0)
    (hazard,) = hall.cases.store.hazards(HazardFilter(plants=frozenset({STEEL})), limit=9)[:1]
    assert hazard.point is not None

    page = await signed_in(browser, server, OPERATOR)
    await page.goto("/instruments?state=overdue")
    row = page.locator('tr[data-instrument="CO-01"]')
    await expect(row).to_contain_text("逾期 1 天")
    await row.get_by_role("link").first.click()
    await expect(page.locator('[data-check="calibration"]')).to_contain_text("逾期")
    await expect(page.get_by_text("仪表检定（校准）逾期")).to_be_visible()

    form = page.locator("#calibrate")
    await form.evaluate("one => { one.open = true }")
    await form.get_by_label("合格", exact=True).check()
    await form.get_by_label("检定机构或人员").fill("福建省计量科学研究院")
    await form.get_by_role("button", name="登记检定校准").click()
    await expect(page.get_by_text("合格的检定、校准须填证书编号")).to_be_visible()
    await page.goto(f"/instruments/{key_of(hall, STEEL, 'CO-01')}")
    await form.evaluate("one => { one.open = true }")
    await form.get_by_label("合格", exact=True).check()
    await form.get_by_label("检定机构或人员").fill("福建省计量科学研究院")
    await form.get_by_label("证书编号").fill("JL-2026-118")
    await form.locator("input[type=file]").set_input_files([CERTIFICATE])
    await form.get_by_role("button", name="登记检定校准").click()
    due = (day_of(hall.time) + dt.timedelta(days=365)).isoformat()
    await expect(page.locator('[data-check="calibration"]')).to_contain_text(f"有效至 {due}")
    await expect(page.locator(".history")).to_contain_text("检定证书.pdf")
    ledger = hall.cases.store.ledger(key_of(hall, STEEL, "CO-01"))
    assert ledger is not None
    assert ledger.last[Check.CALIBRATION].number == "JL-2026-118"
    passed = dict(await check_instruments(hall))
    assert passed[own.index] == 0.0, "the engine returns the alarm"
    hall.return_alarm(alarm)

    plan = Rectify("林志强", "送检", 0, day_of(hall.time), "便携仪值守")
    for who, step in ((OFFICE, Register()), (OFFICE, Grade(HazardLevel.GENERAL)), (PLANT, plan)):
        hazard = steps.take(hall.ports, who, HazardStep, hazard.id, hazard.version, step)
    await page.goto(f"/hazards/{hazard.id}")
    await page.get_by_label("整改情况").fill("已检定合格，证书 JL-2026-118")
    await page.locator("#next input[type=file]").set_input_files([CERTIFICATE])
    await page.get_by_role("button", name="申请复查").click()
    await expect(page.get_by_text("待复查").first).to_be_visible()

    office = await signed_in(browser, server, INSPECTOR)
    await office.goto(f"/hazards/{hazard.id}")
    await office.get_by_label("复查意见").fill("证书与台账一致")
    await office.get_by_role("button", name="销号").click()
    await expect(office.get_by_text("已销号").first).to_be_visible()
    found = hall.cases.store.hazard(hazard.id)
    assert found is not None
    assert found.state is HazardState.CLOSED
