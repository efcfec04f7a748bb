"""A real headless Chromium for tests, found on PATH, and a watch on what a page must not do."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

expect.set_options(timeout=60_000)  # what is waited for comes at once, but not on a machine with other work

# The first is the same Chromium without windows and menus, for which the whole one takes half as much time again.
NAMES = ("chromium-headless-shell", "chromium", "google-chrome", "google-chrome-stable", "chromium-browser")
ARGUMENTS = (
    "--headless",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(slots=True)
class Watched:
    """A page and everything on it that went wrong: console errors, CSP violations, uncaught exceptions."""

    page: Page
    wrong: list[str] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)  # origins the page asked for anything


@asynccontextmanager
async def chromium(*more: str) -> AsyncIterator[Browser]:
    """Run a browser for the length of the block. Raises FileNotFoundError where none is installed."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise FileNotFoundError(f"no browser: install one of {', '.join(NAMES)} (Debian: apt-get install {NAMES[0]})")
    root = ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found, args=[*ARGUMENTS, *root, *more])
        try:
            yield browser
        finally:
            await browser.close()


async def watched(context: BrowserContext) -> Watched:
    """Open a page whose faults are written down. CSP violations arrive as console errors."""
    page = await context.new_page()
    visitor = Watched(page)
    page.on(
        "console", lambda message: visitor.wrong.append(message.text) if message.type in {"error", "warning"} else None
    )
    page.on("pageerror", lambda error: visitor.wrong.append(str(error)))
    page.on("request", lambda request: visitor.asked.add("/".join(request.url.split("/")[:3])))
    return visitor
