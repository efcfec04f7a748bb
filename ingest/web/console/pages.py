"""Routes of the console's pages, of the fragments that their script reloads, and of their forms."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.responses import RedirectResponse, Response

from ingest.domain.cases.step_tables import TABLES
from ingest.services.ports import Ports
from ingest.web.console.alarm_forms import alarm_forms
from ingest.web.console.alarm_pages import alarm_pages
from ingest.web.console.audit_pages import audit_pages
from ingest.web.console.bypass_pages import bypass_pages
from ingest.web.console.call_pages import call_pages, duty_pages
from ingest.web.console.cleaning_pages import cleaning_pages
from ingest.web.console.disposition_forms import disposition_forms
from ingest.web.console.enterprise_pages import enterprise_pages
from ingest.web.console.hazard_pages import hazard_pages
from ingest.web.console.inspection_pages import inspection_pages
from ingest.web.console.instrument_pages import instrument_pages
from ingest.web.console.lead_pages import lead_pages
from ingest.web.console.list_pages import list_pages
from ingest.web.console.metric_pages import metric_pages
from ingest.web.console.notice_pages import notice_pages
from ingest.web.console.outbox_pages import outbox_pages
from ingest.web.console.plant_pages import plant_pages
from ingest.web.console.pledge_pages import pledge_pages
from ingest.web.console.point_forms import point_forms
from ingest.web.console.rendering import Renderer
from ingest.web.console.service_pages import service_pages
from ingest.web.console.step_forms import step_forms
from ingest.web.console.suppression_pages import suppression_pages
from ingest.web.console.warning_pages import warning_pages
from ingest.web.console.work_pages import work_pages
from ingest.web.exports import Exports
from ingest.web.routers import add_routes, page_router

PAGES = (
    metric_pages,  # before /alarms/{alarm}
    alarm_pages,
    alarm_forms,
    point_forms,
    disposition_forms,
    suppression_pages,
    warning_pages,
    *map(step_forms, TABLES),  # before /hazards/{hazard}
    hazard_pages,
    inspection_pages,
    lead_pages,
    work_pages,
    cleaning_pages,
    pledge_pages,
    bypass_pages,
    enterprise_pages,
    instrument_pages,
    notice_pages,
    call_pages,
    duty_pages,
    outbox_pages,
    plant_pages,
    audit_pages,
    service_pages,
)
"""Routers of pages and forms by subject."""


def include_pages(app: FastAPI, ports: Ports, exports: Exports, render: Renderer) -> None:
    """Add the console's pages and forms to the application, outside the OpenAPI document."""
    router = page_router()

    @router.get("/")
    def home() -> Response:
        """Redirect to the alarms."""
        return RedirectResponse("/alarms", 303)

    @router.get("/static/{name}")
    def static(name: str) -> Response:
        """Return a file of the console."""
        return render.asset(name)

    add_routes(app, router, *(routes(ports, render) for routes in PAGES), list_pages(ports, exports, render))
