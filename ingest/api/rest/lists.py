"""REST: the four lists (四个清单) and the yearly summary, as JSON, CSV, workbook, or a page for the printer."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse, Response

from ingest.api.access import Caller
from ingest.api.cases import sheets
from ingest.api.ports import Ports
from ingest.cases.sheet import Sheet
from ingest.cases.written import WRITERS, json_rows

ListName = Literal["enterprises", "hazards", "rectification", "responsibility"]
Ending = Literal["json", "csv", "xlsx", "html"]
Year = Annotated[int, Path(ge=2000, lt=2200)]


def lists_router(ports: Ports) -> APIRouter:
    """Return the routes on lists and summaries."""
    router = APIRouter(tags=["cases"])

    @router.get("/lists/{list_name}.{ending}", response_class=Response)
    def show_list(list_name: ListName, ending: Ending, caller: Caller, plant: str | None = None) -> Response:
        """Show one of the four lists: of one plant, or of all in scope."""
        return written(sheets.listed(ports, caller, list_name, plant), ending)

    @router.get("/summary/{year}.{ending}", response_class=Response)
    def show_summary(year: Year, ending: Ending, caller: Caller) -> Response:
        """Show the summary of a year, to today if it is not over: by plant, by kind, and altogether."""
        return written(sheets.summary(ports, caller, year), ending)

    return router


def written(sheet: Sheet, ending: Ending) -> Response:
    """Return a sheet as a file; the page for the printer opens in the browser, the others are saved."""
    if ending == "json":
        return JSONResponse(json_rows(sheet))
    media, write = WRITERS[ending]
    headers = {} if ending == "html" else {"content-disposition": f"attachment; filename={sheet.name}.{ending}"}
    return Response(write(sheet), media_type=media, headers=headers)
