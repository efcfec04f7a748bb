"""REST: leads (线索) and inspections (执法检查)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from ingest.domain.cases.hazard import HazardSource
from ingest.domain.cases.inspection import Basis, InspectionFilter, InspectionState
from ingest.domain.cases.inspection_steps import InspectionStep
from ingest.domain.cases.lead import LeadFilter, LeadSource, LeadState
from ingest.domain.cases.lead_steps import LeadStep
from ingest.services import caller_scope
from ingest.services.cases import inspections, records
from ingest.services.ports import Ports
from ingest.services.timestamps import Instant
from ingest.web.caller import Caller, Inspector
from ingest.web.paging import Cursor, Limit, cut, read_token
from ingest.web.rest import inspections_schemas as schemas
from ingest.web.rest.case_schemas import Day
from ingest.web.rest.case_steps import add_steps
from ingest.web.rest.hazards_schemas import hazard_draft
from ingest.web.rest.router import rest_router


def leads_router(ports: Ports) -> APIRouter:
    """Return the routes on leads."""
    router = rest_router("/leads", tags=["cases"])

    @router.get("")
    def list_leads(
        caller: Caller,
        plant: str | None = None,
        state: Annotated[list[LeadState], Query(description="default: any")] = [],  # noqa: B006  FastAPI copies it
        source: LeadSource | None = None,
        subject: Annotated[str | None, Query(description="id of a hazard or warning")] = None,
        since: Annotated[Instant | None, Query(description="opened at or after")] = None,
        until: Annotated[Instant | None, Query(description="opened before")] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> schemas.LeadPage:
        """List leads, newest first."""
        plants = caller_scope.narrowed(caller, plant)
        which = LeadFilter(plants, frozenset(state) or None, source, subject, since, until)
        found = ports.cases.store.leads(which, limit=limit + 1, before=read_token(cursor))
        page, following = cut(found, limit, lambda lead: (lead.opened, lead.id))
        return schemas.LeadPage(leads=[schemas.lead_out(lead) for lead in page], next=following)

    @router.post("", status_code=201)
    def open_lead(caller: Inspector, body: schemas.NewLead) -> schemas.LeadOut:
        """Open a lead by hand. Inspectors and admins only."""
        return schemas.lead_out(inspections.open_lead(ports, caller, body.plant, body.text))

    @router.get("/{lead}")
    def show_lead(lead: UUID, caller: Caller) -> schemas.LeadOut:
        """Show one lead."""
        return schemas.lead_out(records.lead(ports, caller, lead))

    add_steps(router, ports, LeadStep, lambda after, _: schemas.lead_out(after), schemas.LeadOut)
    return router


def inspections_router(ports: Ports) -> APIRouter:
    """Return the routes on inspections."""
    router = rest_router("/inspections", tags=["cases"])

    @router.get("")
    def list_inspections(
        caller: Caller,
        plant: str | None = None,
        state: Annotated[list[InspectionState], Query(description="default: any")] = [],  # noqa: B006  FastAPI copies it
        basis: Basis | None = None,
        lead: UUID | None = None,
        since: Annotated[Day | None, Query(description="to be done on this day or later")] = None,
        until: Annotated[Day | None, Query(description="to be done before this day")] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> schemas.InspectionPage:
        """List inspections, newest entered first."""
        plants = caller_scope.narrowed(caller, plant)
        which = InspectionFilter(plants, frozenset(state) or None, basis, lead, since, until)
        found = ports.cases.store.inspections(which, limit=limit + 1, before=read_token(cursor))
        page, following = cut(found, limit, lambda inspection: (inspection.made, inspection.id))
        return schemas.InspectionPage(
            inspections=[schemas.inspection_out(inspection) for inspection in page], next=following
        )

    @router.post("", status_code=201)
    def plan(caller: Inspector, body: schemas.NewInspection) -> schemas.InspectionOut:
        """Enter an inspection, by plan or after a lead. Inspectors and admins only."""
        return schemas.inspection_out(inspections.plan(ports, caller, body.draft()))

    @router.get("/{inspection}")
    def show_inspection(inspection: UUID, caller: Caller) -> schemas.InspectionOut:
        """Show one inspection with its findings."""
        return schemas.inspection_out(records.inspection(ports, caller, inspection))

    @router.post("/{inspection}/findings", status_code=201)
    def find(inspection: UUID, caller: Inspector, body: schemas.NewFinding) -> schemas.InspectionOut:
        """Note something found, with the hazard it is. Inspectors and admins only."""
        hazard = hazard_draft("", body.new, HazardSource.INSPECTION) if body.new else body.hazard
        assert hazard is not None  # noqa: S101  the shape says so
        return schemas.inspection_out(inspections.find(ports, caller, inspection, body.version, body.text, hazard))

    add_steps(
        router, ports, InspectionStep, lambda inspection, _: schemas.inspection_out(inspection), schemas.InspectionOut
    )
    return router
