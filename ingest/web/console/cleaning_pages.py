"""The console's pages on dust cleaning (粉尘清扫), with the form that records one."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from ingest.domain.cases.cleaning import Cleaning, CleaningFilter
from ingest.domain.cases.cleaning_steps import CleaningStep
from ingest.domain.model.text import Text
from ingest.services import caller_scope
from ingest.services.cases import cleanings, records
from ingest.services.errors import BadParameter
from ingest.services.ports import Ports
from ingest.web.caller import Actor, Caller
from ingest.web.console.fields import Moment, Name, Words
from ingest.web.console.forms import go_on, own_form
from ingest.web.console.rendering import Renderer, plant_names
from ingest.web.console.uploads import Files, handed_in, most_bytes, proofs
from ingest.web.inputs import MULTIPART
from ingest.web.paging import cut, read_token
from ingest.web.routers import page_router

SHOWN: Final = 50

Key = Annotated[str, Form(max_length=64)]


def cleaning_pages(ports: Ports, render: Renderer) -> APIRouter:
    """Return the routes of the pages on dust cleaning and of their forms."""
    router = page_router("/cleaning")
    most = most_bytes(ports.cases.config.max_evidence_bytes + MULTIPART)

    @router.get("")
    def list_cleanings(request: Request, caller: Caller, plant: str = "", cursor: str = "") -> Response:
        """Show how each area stands, the gravest first, and what was recorded."""
        which = CleaningFilter(caller_scope.narrowed(caller, plant or None))
        found = ports.cases.daily.cleanings(which, limit=SHOWN + 1, before=read_token(cursor or None))
        page, older = cut(found, SHOWN, lambda cleaning: (cleaning.done, cleaning.id))
        return render.page(
            request,
            "cleanings.html",
            areas=cleanings.areas(ports, caller, plant or None),
            area_name=partial(area_name, ports),
            records=page,
            older=older,
            names=plant_names(ports, caller),
            chosen=plant,
        )

    @router.post("", dependencies=[Depends(own_form)], max_body_size=most)
    async def record(
        actor: Actor,
        plant: Key,
        area: Key,
        cleaner: Name,
        result: Words,
        done: Moment = None,
        thickness_um: Annotated[str, Form(pattern="^[0-9]{0,7}$")] = "",
        files: Files = [],  # noqa: B006  FastAPI copies it
    ) -> Response:
        """Record that an area was cleaned."""
        if done is None:
            raise BadParameter("done", None, "a time such as 2026-11-23T14:12")
        evidence = await handed_in(ports, actor, plant, files)
        thick = int(thickness_um) if thickness_um else None
        draft = Cleaning(UUID(int=0), plant, area, done, cleaner, result, 0, "", thickness_um=thick, evidence=evidence)
        await run_in_threadpool(cleanings.record, ports, actor, draft)
        return go_on(f"/cleaning?plant={plant}")

    @router.get("/{cleaning}")
    def cleaning(request: Request, caller: Caller, cleaning: UUID) -> Response:
        """Show one record."""
        found = records.cleaning(ports, caller, cleaning)
        return render.page(
            request,
            "cleaning.html",
            cleaning=found,
            area_name=partial(area_name, ports),
            names=plant_names(ports, caller),
            steps=CleaningStep.offered(found, caller.name, caller.role),
            proofs=proofs(ports, found.evidence),
        )

    return router


def area_name(ports: Ports, cleaning: Cleaning) -> Text:
    """Return the name of the area that was cleaned; its id once the plant file has it no more."""
    plant = ports.live.configuration().plants.get(cleaning.plant)
    named = (area.name for area in (plant.cleaning if plant else ()) if area.id == cleaning.area)
    return next(named, Text(cleaning.area, cleaning.area))
