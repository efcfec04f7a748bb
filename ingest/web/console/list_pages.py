"""Pages of the console on the four lists (四个清单) and the yearly summary."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from ingest.domain.cases.days import day_of
from ingest.domain.cases.lists import TITLES, ListName
from ingest.services.exports.request import Page
from ingest.services.ports import Ports
from ingest.web.caller import Caller
from ingest.web.console.rendering import Renderer, language, plant_names
from ingest.web.exports import ROWS, Exports
from ingest.web.inputs import Number
from ingest.web.routers import page_router

YEARS: Final = 3

Year = Annotated[int, Path(ge=2000, lt=2200)]
First = Annotated[Number, Query(description="rows before this page")]


def list_pages(ports: Ports, exports: Exports, render: Renderer) -> APIRouter:
    """Return the routes of the pages on lists."""
    router = page_router("/lists")

    @router.get("")
    def lists(request: Request, caller: Caller, plant: str = "") -> Response:
        """Show the lists, each with links to view, save and print it."""
        year = day_of(ports.now()).year
        return render.page(
            request,
            "lists.html",
            lists=TITLES,
            years=range(year, year - YEARS, -1),
            names=plant_names(ports, caller),
            chosen=plant,
        )

    @router.get("/summary/{year}")
    async def summary(request: Request, caller: Caller, year: Year, first: First = 0) -> Response:
        """Show the summary of a year."""
        sheet = await exports.page(caller, "summary", None, first, year=year, lang=language(request))
        at = f"/summary/{year}"
        return await drawn(request, sheet, at, f"/lists{at}")

    @router.get("/{list_name}")
    async def list_page(
        request: Request, caller: Caller, list_name: ListName, plant: str = "", first: First = 0
    ) -> Response:
        """Show a page of one of the four lists; the files have all of it."""
        sheet = await exports.page(caller, list_name, plant or None, first, lang=language(request))
        at = f"/lists/{list_name}"
        return await drawn(request, sheet, at, at, plant)

    async def drawn(request: Request, sheet: Page, at: str, path: str, plant: str = "") -> Response:
        return await run_in_threadpool(
            lambda: render.page(request, "list.html", sheet=sheet, at=at, pages_at=path, plant=plant, most=ROWS)
        )

    return router
