"""The console's pages on declared work (作业报备), with the form that declares it."""

from __future__ import annotations

from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from ingest.domain.cases.work import OPEN_WORK, PRESSING, Work, WorkFilter, WorkKind, WorkState, span
from ingest.domain.cases.work_steps import WorkStep
from ingest.domain.model.plant import SERVICE
from ingest.domain.model.text import Text
from ingest.services import caller_scope
from ingest.services.cases import records, works
from ingest.services.errors import BadParameter
from ingest.services.ports import Ports
from ingest.web.caller import Actor, Caller
from ingest.web.console.fields import Moment, Name, Prose, Words
from ingest.web.console.forms import go_on, own_form
from ingest.web.console.rendering import Renderer, plant_names
from ingest.web.console.uploads import proofs
from ingest.web.paging import cut, read_token
from ingest.web.routers import page_router
from ingest.web.texts.daily import STOPS_SEEN

SHOWN: Final = 50

AnyState = Literal["", "all"] | WorkState


def work_pages(ports: Ports, render: Renderer) -> APIRouter:
    """Return the routes of the pages on declared work and of their forms."""
    router = page_router("/works")

    @router.get("")
    def list_works(
        request: Request, caller: Caller, plant: str = "", state: AnyState = "", cursor: str = ""
    ) -> Response:
        """Show declared work, that of which something is still to come unless the filters ask for other."""
        states = OPEN_WORK if state == "" else frozenset({state}) if isinstance(state, WorkState) else None
        which = WorkFilter(plants=caller_scope.narrowed(caller, plant or None), states=states)
        found = ports.cases.daily.works(which, limit=SHOWN + 1, before=read_token(cursor or None))
        page, older = cut(found, SHOWN, lambda work: (work.begins, work.id))
        now = ports.now()
        lines = [(work, work.standing(now), machine_name(ports, work)) for work in page]
        return render.page(
            request,
            "works.html",
            works=sorted(lines, key=lambda line: line[1] not in PRESSING),
            pressing=PRESSING,
            older=older,
            span=span,
            names=plant_names(ports, caller),
            states_known=list(WorkState),
            chosen={"plant": plant, "state": str(state)},
        )

    @router.get("/new")
    def new(request: Request, actor: Actor, plant: str = "") -> Response:
        """Show the form that declares work; it offers the equipment of the plant that was chosen before."""
        plants = [plant for plant in caller_scope.plants(ports, actor) if plant.id != SERVICE]
        chosen = plant or (plants[0].id if len(plants) == 1 else "")
        return render.page(
            request,
            "work_new.html",
            plants=plants,
            plant=caller_scope.plant(ports, actor, chosen) if chosen else None,
            kinds_known=list(WorkKind),
        )

    @router.post("", dependencies=[Depends(own_form)])
    def declare(
        actor: Actor,
        plant: Annotated[str, Form(max_length=64)],
        kind: Annotated[WorkKind, Form()],
        area: Words,
        description: Prose,
        begins: Moment,
        ends: Moment,
        contractor: Name,
        person: Name,
        guardian: Name,
        measures: Prose,
        equipment: Annotated[str, Form(max_length=64)] = "",
    ) -> Response:
        """Declare work."""
        if begins is None or ends is None:
            raise BadParameter("begins" if begins is None else "ends", None, "a time such as 2026-11-23T14:12")
        draft = Work(
            UUID(int=0), plant, kind, area, description, begins, ends, contractor, person, guardian, measures, 0, "",
            equipment=equipment or None,
        )  # fmt: skip
        return go_on(f"/works/{works.declare(ports, actor, draft).id}")

    @router.get("/{work}")
    def work(request: Request, caller: Caller, work: UUID) -> Response:
        """Show one piece of declared work: how it stands, and what is next."""
        found = records.work(ports, caller, work)
        seen = works.stop_seen(ports, found)
        standing = found.standing(ports.now())
        return render.page(
            request,
            "work.html",
            work=found,
            standing=standing,
            pressing=standing in PRESSING,
            machine=machine_name(ports, found),
            span=span,
            seen=STOPS_SEEN[seen] if seen else None,
            plant=ports.live.configuration().plants.get(found.plant),
            names=plant_names(ports, caller),
            steps=WorkStep.offered(found, caller.name, caller.role),
            proofs=proofs(ports, found.evidence),
        )

    return router


def machine_name(ports: Ports, work: Work) -> Text | None:
    """Return the name of the equipment that work is done on; its id once it is gone, None for the plant at large."""
    if work.equipment is None:
        return None
    plant = ports.live.configuration().plants.get(work.plant)
    named = (machine.name for machine in (plant.equipment if plant else ()) if machine.id == work.equipment)
    return next(named, Text(work.equipment, work.equipment))
