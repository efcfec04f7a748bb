"""Pages of the console on the lists (四个清单), the registers by days, and the yearly summary."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import BeforeValidator, Field
from starlette.concurrency import run_in_threadpool

from ingest.domain.cases.daily_sheets import TITLES as REGISTERS
from ingest.domain.cases.days import DaySpan, day_of
from ingest.domain.cases.lists import TITLES, ListName
from ingest.domain.model.text import Text
from ingest.services.exports.request import Page
from ingest.services.ports import Ports
from ingest.web.caller import Caller
from ingest.web.console.fields import parse_day
from ingest.web.console.rendering import Renderer, language, plant_names
from ingest.web.exports import ROWS, Exports
from ingest.web.inputs import Number
from ingest.web.routers import page_router

YEARS: Final = 3

Year = Annotated[int, Path(ge=2000, lt=2200)]
MaybeDay = Annotated[
    Annotated[dt.date, Field(ge=dt.date(2000, 1, 1), lt=dt.date(2200, 1, 1))] | None,
    BeforeValidator(parse_day),
    Query(),
]
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
            by_day=REGISTERS,
            years=range(year, year - YEARS, -1),
            names=plant_names(ports, caller),
            chosen=plant,
        )

    @router.get("/summary/{year}")
    async def summary(request: Request, caller: Caller, year: Year, first: First = 0) -> Response:
        """Show the summary of a year."""
        sheet = await exports.page(caller, "summary", None, first, year=year, lang=language(request))
        return await drawn(request, sheet, f"/summary/{year}", {})

    @router.get("/{list_name}")
    async def list_page(
        request: Request,
        caller: Caller,
        list_name: ListName,
        plant: str = "",
        since: MaybeDay = None,
        through: MaybeDay = None,
        first: First = 0,
    ) -> Response:
        """Show a page of a list; the files have all of it. A register is shown of this month if no days are named."""
        span = DaySpan(since, through)
        if list_name in REGISTERS and span == DaySpan():
            span = DaySpan(day_of(ports.now()).replace(day=1))
        sheet = await exports.page(caller, list_name, plant or None, first, span=span, lang=language(request))
        chosen = {"plant": plant, "since": _written(span.since), "through": _written(span.through)}
        names = await run_in_threadpool(plant_names, ports, caller) if list_name in REGISTERS else None
        return await drawn(request, sheet, f"/lists/{list_name}", chosen, names)

    async def drawn(
        request: Request, sheet: Page, at: str, chosen: Mapping[str, str], names: Mapping[str, Text] | None = None
    ) -> Response:
        """`at`: the address of its files; `chosen`: of what it is; `names`: of plants that can be chosen, with days."""
        return await run_in_threadpool(
            lambda: render.page(
                request,
                "list.html",
                sheet=sheet,
                at=at,
                pages_at=at if at.startswith("/lists") else f"/lists{at}",
                chosen=chosen,
                asked={key: value for key, value in chosen.items() if value},
                names=names,
                most=ROWS,
            )
        )

    return router


def _written(day: dt.date | None) -> str:
    return day.isoformat() if day else ""
