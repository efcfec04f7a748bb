"""The console's pages on hazards: the list, the form that opens one, and one hazard with its stages and next steps."""

from __future__ import annotations

from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from ingest.domain.cases.criteria import load_criteria
from ingest.domain.cases.hazard import OPEN_STATES, Hazard, HazardFilter, HazardLevel, HazardSource, HazardState
from ingest.domain.cases.hazard_steps import HazardStep, HazardTable
from ingest.domain.model.plant import SERVICE, Point
from ingest.services import caller_scope
from ingest.services.cases import hazards, records
from ingest.services.ports import Ports
from ingest.web.caller import Caller
from ingest.web.console.fields import MaybeName, Prose, Words
from ingest.web.console.forms import go_on, own_form
from ingest.web.console.hazard_views import clauses_for, proofs_of_history, stages
from ingest.web.console.rendering import Renderer, plant_names
from ingest.web.paging import cut, read_token
from ingest.web.routers import page_router

SHOWN: Final = 50

AnyState = Literal["", "all", "overdue"] | HazardState
AnyLevel = Literal[""] | HazardLevel


def hazard_pages(ports: Ports, render: Renderer, table: type[HazardTable] = HazardStep) -> APIRouter:
    """Return the routes of the pages on hazards, and of the form that opens one."""
    router = page_router("/hazards")

    @router.get("")
    def list_hazards(
        request: Request,
        caller: Caller,
        plant: str = "",
        state: AnyState = "",
        level: AnyLevel = "",
        cursor: str = "",
    ) -> Response:
        """Show hazards, newest first: those that are open, or what the filters ask for."""
        which = HazardFilter(
            plants=caller_scope.narrowed(caller, plant or None),
            states=OPEN_STATES if state == "" else frozenset({state}) if isinstance(state, HazardState) else None,
            level=level or None,
            overdue_at=ports.now() if state == "overdue" else None,
        )
        found = ports.cases.store.hazards(which, limit=SHOWN + 1, before=read_token(cursor or None))
        page, older = cut(found, SHOWN, lambda hazard: (hazard.found, hazard.id))
        return render.page(
            request,
            "hazards.html",
            hazards=page,
            older=older,
            names=plant_names(ports, caller),
            states_known=list(HazardState),
            levels=list(HazardLevel),
            chosen={"plant": plant, "state": str(state), "level": str(level)},
        )

    @router.get("/new")
    def new(request: Request, caller: Caller, plant: str = "", alarm: UUID | None = None, point: str = "") -> Response:
        """Show the form that opens a hazard, by hand or from an alarm."""
        came = caller_scope.alarm(ports, caller, alarm) if alarm is not None else None
        chosen = came.plant if came else plant
        return render.page(
            request,
            "hazard_new.html",
            plants=[plant for plant in caller_scope.plants(ports, caller) if plant.id != SERVICE],
            chosen=chosen,
            alarm=came,
            point=came.point if came else point,
        )

    @router.post("", dependencies=[Depends(own_form)])
    def find(
        caller: Caller,
        plant: Annotated[str, Form(max_length=64)],
        title: Words,
        description: Prose,
        place: Words,
        point: MaybeName = None,
        alarm: Annotated[UUID | Literal[""], Form()] = "",
    ) -> Response:
        """Open a hazard in the caller's name."""
        draft = Hazard(
            UUID(int=0),
            plant,
            title,
            description,
            place,
            HazardSource.ALARM if alarm else HazardSource.HAND,
            0,
            "",
            equipment=_equipment(ports, plant, point),
            point=point,
            origin=str(alarm) if alarm else None,
        )
        return go_on(f"/hazards/{hazards.open_hazard(ports, caller, draft).id}")

    @router.get("/{hazard}")
    def hazard(request: Request, caller: Caller, hazard: UUID) -> Response:
        """Show one hazard: how far it has come, what is next, and what was done."""
        found = records.hazard(ports, caller, hazard)
        history = ports.cases.store.hazard_history(hazard)
        plant = ports.live.configuration().plants.get(found.plant)
        return render.page(
            request,
            "hazard.html",
            hazard=found,
            plant=plant,
            stages=stages(found),
            steps=table.offered(found, caller.name, caller.role),
            clauses=clauses_for(plant, _point(ports, found), found) if plant else [],
            clause=load_criteria().clauses.get(found.clause or ""),
            criteria=load_criteria(),
            history=history,
            proofs=proofs_of_history(ports, history),
            overdue=found.overdue(ports.now()),
        )

    return router


def _equipment(ports: Ports, plant: str, point: str | None) -> str | None:
    found = ports.live.configuration().find(plant, point) if point else None
    return found.equipment if found else None


def _point(ports: Ports, hazard: Hazard) -> Point | None:
    return ports.live.configuration().find(hazard.plant, hazard.point) if hazard.point else None
