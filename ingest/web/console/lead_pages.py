"""The console's pages on leads (线索), with the form that opens one."""

from __future__ import annotations

from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from ingest.domain.cases.lead import LeadFilter, LeadState
from ingest.domain.cases.lead_steps import LeadStep
from ingest.domain.model.plant import SERVICE
from ingest.services import caller_scope
from ingest.services.cases import inspections, records
from ingest.services.ports import Ports
from ingest.web.caller import Caller, Inspector
from ingest.web.console.fields import Prose
from ingest.web.console.forms import go_on, own_form
from ingest.web.console.rendering import Renderer, plant_names
from ingest.web.paging import cut, read_token
from ingest.web.routers import page_router

SHOWN: Final = 50
_OPEN: Final = frozenset({LeadState.OPEN, LeadState.TAKEN})

AnyState = Literal["", "all"] | LeadState


def lead_pages(ports: Ports, render: Renderer) -> APIRouter:
    """Return the routes of the pages on leads and of their forms."""
    router = page_router("/leads")

    @router.get("")
    def list_leads(
        request: Request, caller: Caller, plant: str = "", state: AnyState = "", cursor: str = ""
    ) -> Response:
        """Show leads, those not settled unless the filters ask for others."""
        states = _OPEN if state == "" else frozenset({state}) if isinstance(state, LeadState) else None
        which = LeadFilter(plants=caller_scope.narrowed(caller, plant or None), states=states)
        found = ports.cases.store.leads(which, limit=SHOWN + 1, before=read_token(cursor or None))
        page, older = cut(found, SHOWN, lambda lead: (lead.opened, lead.id))
        return render.page(
            request,
            "leads.html",
            leads=page,
            older=older,
            names=plant_names(ports, caller),
            plants=[plant for plant in caller_scope.plants(ports, caller) if plant.id != SERVICE],
            states_known=list(LeadState),
            chosen={"plant": plant, "state": str(state)},
        )

    @router.post("", dependencies=[Depends(own_form)])
    def open_lead(inspector: Inspector, plant: Annotated[str, Form(max_length=64)], text: Prose) -> Response:
        """Open a lead by hand."""
        return go_on(f"/leads/{inspections.open_lead(ports, inspector, plant, text).id}")

    @router.get("/{lead}")
    def lead(request: Request, caller: Caller, lead: UUID) -> Response:
        """Show one lead and what came of it."""
        found = records.lead(ports, caller, lead)
        return render.page(
            request,
            "lead.html",
            lead=found,
            plant=ports.live.configuration().plants.get(found.plant),
            names=plant_names(ports, caller),
            steps=LeadStep.offered(found, caller.name, caller.role),
        )

    return router
