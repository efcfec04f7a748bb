"""The console's pages on inspections and the leads they go after, with the forms that open them."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from ingest.domain.cases.hazard import OPEN_STATES, Hazard, HazardFilter, HazardSource
from ingest.domain.cases.inspection import Basis, Inspection, InspectionFilter, InspectionState
from ingest.domain.cases.inspection_steps import InspectionStep
from ingest.domain.cases.labels import label
from ingest.domain.model.plant import SERVICE
from ingest.domain.model.text import Text
from ingest.services import caller_scope
from ingest.services.cases import inspections, records
from ingest.services.errors import BadParameter
from ingest.services.ports import Ports
from ingest.web.caller import Caller, Inspector
from ingest.web.console.fields import Day, MaybeName, Prose, Version, Words
from ingest.web.console.forms import go_on, own_form
from ingest.web.console.rendering import Renderer, plant_names
from ingest.web.console.uploads import proofs
from ingest.web.console.warning_views import StageStatus
from ingest.web.paging import cut, read_token
from ingest.web.routers import page_router

SHOWN: Final = 50
KNOWN_SHOWN: Final = 200
_OPEN: Final = frozenset({InspectionState.PLANNED, InspectionState.UNDER_WAY})

AnyState = Literal["", "all"] | InspectionState


def inspection_pages(ports: Ports, render: Renderer) -> APIRouter:
    """Return the routes of the pages on inspections and of their forms."""
    router = page_router("/inspections")

    @router.get("")
    def list_inspections(
        request: Request, caller: Caller, plant: str = "", state: AnyState = "", cursor: str = ""
    ) -> Response:
        """Show inspections, those to be done or under way unless the filters ask for others."""
        states = _OPEN if state == "" else frozenset({state}) if isinstance(state, InspectionState) else None
        which = InspectionFilter(plants=caller_scope.narrowed(caller, plant or None), states=states)
        found = ports.cases.store.inspections(which, limit=SHOWN + 1, before=read_token(cursor or None))
        page, older = cut(found, SHOWN, lambda inspection: (inspection.made, inspection.id))
        return render.page(
            request,
            "inspections.html",
            inspections=page,
            older=older,
            names=plant_names(ports, caller),
            states_known=list(InspectionState),
            chosen={"plant": plant, "state": str(state)},
        )

    @router.get("/new")
    def new(request: Request, inspector: Inspector, plant: str = "", lead: UUID | None = None) -> Response:
        """Show the form that plans an inspection, after a lead or by plan."""
        came = records.lead(ports, inspector, lead) if lead is not None else None
        return render.page(
            request,
            "inspection_new.html",
            plants=[plant for plant in caller_scope.plants(ports, inspector) if plant.id != SERVICE],
            names=plant_names(ports, inspector),
            chosen=came.plant if came else plant,
            lead=came,
        )

    @router.post("", dependencies=[Depends(own_form)])
    def plan(
        inspector: Inspector,
        plant: Annotated[str, Form(max_length=64)],
        inspectors: Words,
        day: Day,
        scope: Prose,
        reference: MaybeName = None,
        lead: Annotated[UUID | Literal[""], Form()] = "",
    ) -> Response:
        """Enter an inspection; names of inspectors are parted by commas or lines."""
        names = tuple(name.strip() for name in re.split(r"[,，、;；\n]", inspectors) if name.strip())
        basis = Basis.LEAD if lead else Basis.PLAN
        draft = Inspection(UUID(int=0), plant, basis, names, day, scope, 0, "", reference=reference, lead=lead or None)
        return go_on(f"/inspections/{inspections.plan(ports, inspector, draft).id}")

    @router.get("/{inspection}")
    def inspection(request: Request, caller: Caller, inspection: UUID) -> Response:
        """Show one inspection: what it found, and what is next."""
        found = records.inspection(ports, caller, inspection)
        which = HazardFilter(plants=frozenset({found.plant}), states=OPEN_STATES)
        noted = {finding.hazard for finding in found.findings}
        known = ports.cases.store.hazards(which, limit=KNOWN_SHOWN) if caller.may_inspect else []
        return render.page(
            request,
            "inspection.html",
            inspection=found,
            plant=ports.live.configuration().plants.get(found.plant),
            names=plant_names(ports, caller),
            stages=stages(found),
            known=[hazard for hazard in known if hazard.id not in noted],
            hazards={uuid: ports.cases.store.hazard(uuid) for uuid in noted},
            steps=InspectionStep.offered(found, caller.name, caller.role),
            proofs=proofs(ports, found.evidence),
        )

    @router.post("/{inspection}/find", dependencies=[Depends(own_form)])
    def find(
        inspection: UUID,
        inspector: Inspector,
        version: Version,
        text: Prose,
        hazard: Annotated[UUID | Literal[""], Form()] = "",
        title: MaybeName = None,
        place: MaybeName = None,
    ) -> Response:
        """Note something found: a hazard that is known, or a new one with a title and a place."""
        if hazard:
            inspections.find(ports, inspector, inspection, version, text, hazard)
        else:
            for name, value in (("title", title), ("place", place)):
                if value is None:
                    raise BadParameter(name, value, "a text, for a hazard that is new")
            source = HazardSource.INSPECTION
            new = Hazard(UUID(int=0), "", title or "", text, place or "", source, 0, "")
            inspections.find(ports, inspector, inspection, version, text, new)
        return go_on(f"/inspections/{inspection}")

    return router


def stages(inspection: Inspection) -> list[tuple[Text, StageStatus]]:
    """Return the stages of an inspection."""
    life = [InspectionState.PLANNED, InspectionState.UNDER_WAY, InspectionState.CONCLUDED]
    if inspection.state is InspectionState.CANCELLED:
        life = [InspectionState.PLANNED, *([InspectionState.UNDER_WAY] if inspection.begun else [])]
        life.append(InspectionState.CANCELLED)
    at, over = life.index(inspection.state), inspection.state not in _OPEN

    def how(number: int) -> StageStatus:
        return "done" if number < at or over else "now" if number == at else "next"

    return [(label(state), how(number)) for number, state in enumerate(life)]
