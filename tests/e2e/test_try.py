"""A person with a CSV file: the command, without a plant, a broker or a network, and its report in a browser."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from tests.browser import chromium, watched
from tests.ingest.cli.trying.loops import write


async def test_the_report_of_a_trial_opens_in_a_browser_and_asks_nobody(tmp_path: Path) -> None:
    file = write(tmp_path, encoding="gbk")
    command = [sys.executable, "-m", "ingest", "try", str(file), "--report", str(tmp_path / "report.html")]
    await asyncio.to_thread(subprocess.run, command, check=True)
    async with chromium() as browser:
        for width in (1280, 390):
            context = await browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=True)
            visitor = await watched(context)
            await visitor.page.goto((tmp_path / "report.html").as_uri())
            assert visitor.wrong == []
            assert visitor.asked == {"file://"}
            assert await visitor.page.locator("script").count() == 0
            assert await visitor.page.locator("svg path.line").count() == 4
            assert await visitor.page.locator("svg rect.tripped").count() >= 2
            assert "不是安全限值" in await visitor.page.inner_text("body")
            wide = await visitor.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, "the page is no wider than the screen"
            await visitor.page.screenshot(path=tmp_path / f"report-{width}.png", full_page=True)
