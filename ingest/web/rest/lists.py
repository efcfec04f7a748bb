"""REST: exports of the lists (四个清单), the registers and the yearly summary as JSON, CSV, XLSX or printable HTML."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from ingest.domain.cases.days import DaySpan
from ingest.domain.cases.lists import ListName
from ingest.web.caller import Caller
from ingest.web.exports import Exports
from ingest.web.rest.case_schemas import Day
from ingest.web.rest.router import rest_router

Ending = Literal["json", "csv", "xlsx", "html"]
Year = Annotated[int, Path(ge=2000, lt=2200)]


def lists_router(exports: Exports) -> APIRouter:
    """Return the routes on lists and summaries."""
    router = rest_router(tags=["cases"])

    @router.get("/lists/{list_name}.{ending}", response_class=Response)
    async def show_list(
        list_name: ListName,
        ending: Ending,
        caller: Caller,
        plant: str | None = None,
        since: Annotated[Day | None, Query(description="works, pledges, cleanings: from this day on")] = None,
        through: Annotated[Day | None, Query(description="the same: to this day, which is included")] = None,
    ) -> Response:
        """Show a list: of one plant, or of all in scope. One is made at a time, two a token wait."""
        return await exports.file(caller, list_name, ending, plant, span=DaySpan(since, through))

    @router.get("/summary/{year}.{ending}", response_class=Response)
    async def show_summary(year: Year, ending: Ending, caller: Caller) -> Response:
        """Show the summary of a year, to today if it is not over: by plant, by kind, and altogether."""
        return await exports.file(caller, "summary", ending, year=year)

    return router
