"""The demonstration does what it says: on either broker, with all faults found, and it ends on a signal."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.async_api import ViewportSize, expect

from gateway_sim.faults import QUICK
from ingest.domain.cases.days import day_of
from tests.browser import chromium, watched
from tests.servers import free_port

PICTURES = os.environ.get("SCREENSHOTS")
ALARMS, PATIENCE_S = (50, 600.0) if PICTURES else (8, 90.0)  # pictures show more where more has happened
ENVIRONMENT = os.environ | {"PATH": os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin"}


def demo(*arguments: str) -> list[str]:
    """Its command line."""
    return [sys.executable, "-m", "ingest", "demo", "--port", str(free_port()), *arguments]


@pytest.mark.timeout(600)
def test_every_reading_arrives_and_every_fault_is_found_on_either_broker(tmp_path: Path) -> None:
    running = {}
    for broker in ("embedded", "mosquitto"):
        folder = tmp_path / broker
        folder.mkdir()
        command = demo("--for", "60s", "--headless", "--broker", broker, "--summary", str(folder / "summary.json"))
        with (folder / "shown.txt").open("w", encoding="utf-8") as shown:
            running[folder] = subprocess.Popen([*command, "--dir", str(folder)], stderr=shown, env=ENVIRONMENT)
    for folder, process in running.items():
        assert process.wait(200) == 0, (folder / "shown.txt").read_text(encoding="utf-8")
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        readings = summary["readings"]
        assert readings["sent"] == readings["journaled"] == readings["stored"] > 1000
        assert readings["quarantined"] == 0
        assert {fault["fault"] for fault in summary["faults"]} == {fault.id for fault in QUICK}
        assert all(fault["detected"] for fault in summary["faults"])
        assert summary["webhooks"]["sent"] == summary["webhooks"]["delivered"] >= summary["alarms"]["raised"] > 0
        assert 0 < summary["latency_ms"]["p50"] <= summary["latency_ms"]["p99"]
        inspector = json.loads((folder / "inspector.json").read_text(encoding="utf-8"))
        assert inspector["distinct"] >= summary["webhooks"]["delivered"]
        assert inspector["bad_signature"] == 0


@contextmanager
def interactive(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A demonstration that runs until Ctrl-C, and the file with what it shows."""
    shown = folder / "shown.txt"
    with shown.open("wb") as out:
        process = subprocess.Popen(demo("--broker", "embedded", "--dir", str(folder)), stderr=out, env=ENVIRONMENT)
    try:
        yield process, shown
    finally:
        process.terminate()  # not SIGKILL: it has children to end
        process.wait(30)


def wait_for(shown: Path, words: str, times: int = 1) -> str:
    """What is shown, once it holds the words so often."""
    deadline = time.monotonic() + PATIENCE_S
    while (text := shown.read_text(encoding="utf-8")).count(words) < times:
        assert time.monotonic() < deadline, text
        time.sleep(0.1)
    return text


async def visit(url: str, token: str, pictures: Path) -> str:
    """Sign in as the terminal says, open the alarms and a plant; return the text of the alarms page."""
    async with chromium() as browser:
        context = await browser.new_context(viewport={"width": 1280, "height": 860}, locale="zh-CN")
        visitor = await watched(context)
        page = visitor.page
        await page.goto(url)
        await page.fill("input[name=token]", token)
        await page.press("input[name=token]", "Enter")
        await page.wait_for_selector("table tbody tr")
        await page.screenshot(path=pictures / "console-alarms.png")
        text = await page.inner_text("body")
        await page.goto(f"{url}/plants/demo-steel")
        await page.wait_for_selector("main svg")
        await page.screenshot(path=pictures / "console-plant.png")
        await page.goto(f"{url}/plants/demo-steel/points/CO-01?span=600")
        await page.wait_for_selector("main svg")
        await page.screenshot(path=pictures / "console-point.png")
        for register, shown in (
            ("cleaning", ("超期", "按期", "无记录，情况不明")),
            ("works", ("作业中", "待审批")),
            ("pledges", ("陈建安", "作出承诺")),
            ("instruments", ("K-2201", "前补录")),
            ("plants/demo-steel/points/CO-03", ("需要维护 CO-03-MAINT 是",)),
        ):
            await page.goto(f"{url}/{register}")
            for words in shown:
                await expect(page.locator("main")).to_contain_text(words)
        kept, hand = await context.storage_state(), ViewportSize(width=390, height=844)
        phone = await browser.new_context(viewport=hand, storage_state=kept, locale="zh-CN", is_mobile=True)
        page = (await watched(phone)).page
        await page.goto(f"{url}/warnings")
        await page.locator("main a[href^='/warnings/']").first.click()
        await page.wait_for_selector("#why")
        await page.screenshot(path=pictures / "console-warning.png")
        # The very first page is the sign-in page, answered with 401, of which Chromium tells in its console.
        assert [line for line in visitor.wrong if "401" not in line] == []
        return text


@pytest.mark.timeout(900)
def test_its_console_shows_the_alarms_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    """Set SCREENSHOTS to a folder to keep the pictures, as `make screenshots` does for the README."""
    with interactive(tmp_path) as (process, shown):
        text = wait_for(shown, "级报警 L", times=ALARMS)
        url, token = re.search(r"http://127\.0\.0\.1:\d+", text), (tmp_path / "token").read_text(encoding="utf-8")
        assert url is not None
        assert token in text
        pictures = Path(PICTURES or tmp_path)
        today = f"pledge_since = {day_of(time.time_ns())}\n"
        assert today in (tmp_path / "plants" / "demo-dust.toml").read_text(encoding="utf-8"), "no day before is missed"
        page = asyncio.run(visit(url[0], token, pictures))
        assert "一氧化碳" in page or "CO" in page
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    leftovers = subprocess.run(["pgrep", "-f", str(tmp_path)], capture_output=True, text=True, check=False).stdout
    assert leftovers.split() == []
