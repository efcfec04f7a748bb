"""Pages of the console on gateways and quarantine."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ingest.services import caller_scope
from ingest.services.ports import Ports
from ingest.web.caller import Actor, Caller
from ingest.web.console.rendering import Renderer, plant_names
from ingest.web.inputs import Number
from ingest.web.routers import page_router

QUARANTINE_SHOWN: Final = 50


def service_pages(ports: Ports, render: Renderer) -> APIRouter:
    """Return the routes of the pages on the service."""
    router = page_router()

    @router.get("/gateways")
    @router.get("/gateways/table")
    def gateways(request: Request, caller: Caller, plant: str = "") -> Response:
        """Show the gateways, or those of one plant: online or not, their clocks, what is on disk, what is missing."""
        fragment = request.url.path.endswith("/table")
        return render.page(
            request,
            "_gateways.html" if fragment else "gateways.html",
            views=[view for view in caller_scope.gateways(ports, caller) if plant in {"", view.plant}],
            names={} if plant else plant_names(ports, caller),
        )

    @router.get("/quarantine")
    def quarantine(request: Request, actor: Actor, before: Number | None = None) -> Response:
        """Show messages that could not be read, and why."""
        found, older = caller_scope.quarantined(ports, actor, limit=QUARANTINE_SHOWN, before=before)
        return render.page(
            request,
            "quarantine.html",
            records=[(record, caller_scope.excerpt(record.payload)) for record in found],
            older=older,
            deleted=ports.journal.overflowed(),
        )

    return router
