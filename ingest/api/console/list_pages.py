"""The console's pages on the four lists (四个清单) and the yearly summary."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from ingest.api.access import Caller
from ingest.api.cases import sheets
from ingest.api.console.rendering import Renderer, plant_names
from ingest.api.ports import Ports
from ingest.api.rest.lists import ListName
from ingest.cases.days import day_of
from ingest.cases.lists import TITLES
from ingest.cases.sheet import shown

YEARS: Final = 3

Year = Annotated[int, Path(ge=2000, lt=2200)]


def list_pages(ports: Ports, render: Renderer) -> APIRouter:
    """Return the routes of the pages on lists."""
    router = APIRouter(prefix="/lists")

    @router.get("")
    def lists(request: Request, caller: Caller, plant: str = "") -> Response:
        """Show what lists there are, each to look at, to save and to print."""
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
    def summary(request: Request, caller: Caller, year: Year) -> Response:
        """Show the summary of a year."""
        sheet = sheets.summary(ports, caller, year)
        return render.page(request, "list.html", sheet=sheet, at=f"/api/v1/summary/{year}", plant="", shown=shown)

    @router.get("/{list_name}")
    def one_list(request: Request, caller: Caller, list_name: ListName, plant: str = "") -> Response:
        """Show one of the four lists."""
        sheet = sheets.listed(ports, caller, list_name, plant or None)
        return render.page(request, "list.html", sheet=sheet, at=f"/api/v1/lists/{list_name}", plant=plant, shown=shown)

    return router
