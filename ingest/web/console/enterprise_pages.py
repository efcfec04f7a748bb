"""The console's pages on enterprises (企业档案) and self-inspections (自查), with their forms."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response
from pydantic import StringConstraints
from starlette.concurrency import run_in_threadpool

from ingest.domain.cases.duties import Duty, SelfInspection
from ingest.domain.cases.enterprise import RiskClass
from ingest.domain.cases.labels import CONNECTIONS
from ingest.services.cases import enterprises
from ingest.services.ports import Ports
from ingest.web.caller import Actor, Caller, Inspector
from ingest.web.console.fields import Day, Maybe, MaybeDay, MaybeName, Name, Prose, Version, Words
from ingest.web.console.forms import go_on, own_form
from ingest.web.console.rendering import Renderer, plant_names
from ingest.web.console.uploads import Files, handed_in, most_bytes, proofs
from ingest.web.inputs import MULTIPART
from ingest.web.routers import page_router

DONE_SHOWN: Final = 100

Key = Annotated[str, Form(max_length=64)]
Period = Annotated[str, Form(pattern=r"^\d{4}-(\d{2}|Q[1-4])$")]
Phone = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[0-9+() -]{0,30}$"), Form()]


def enterprise_pages(ports: Ports, render: Renderer) -> APIRouter:
    """Return the routes of the pages on enterprises and self-inspections, and of their forms."""
    router = page_router()
    most = most_bytes(ports.cases.config.max_evidence_bytes + MULTIPART)

    @router.get("/enterprises")
    def list_enterprises(request: Request, caller: Caller) -> Response:
        """Show every enterprise: its class, whether it is connected, what it owes; those who are late first."""
        found = enterprises.enterprises(ports, caller)
        late = ("late", "due", "connected", "not-mandatory")
        found.sort(
            key=lambda enterprise: (
                late.index(enterprise.connection.state),
                -(enterprise.connection.days or 0),
                enterprise.plant.id,
            )
        )
        return render.page(request, "enterprises.html", enterprises=found, connections=CONNECTIONS)

    @router.get("/enterprises/{plant}")
    def enterprise(request: Request, caller: Caller, plant: str) -> Response:
        """Show one enterprise: its record, its class, the status of its duties."""
        (found,) = enterprises.enterprises(ports, caller, plant)
        return render.page(
            request,
            "enterprise.html",
            enterprise=found,
            connections=CONNECTIONS,
            classes=list(RiskClass),
        )

    @router.post("/enterprises/{plant}/note", dependencies=[Depends(own_form)])
    def note(
        plant: str,
        actor: Actor,
        version: Version,
        principal: MaybeName = None,
        principal_phone: Phone = "",
        safety_head: MaybeName = None,
        safety_phone: Phone = "",
        address: Maybe = None,
        standardisation: MaybeName = None,
        insurance: MaybeName = None,
        insured_until: MaybeDay = None,
        connected_on: MaybeDay = None,
    ) -> Response:
        """Note something of an enterprise; an empty field takes it away."""
        changes = {
            "principal": principal,
            "principal_phone": principal_phone or None,
            "safety_head": safety_head,
            "safety_phone": safety_phone or None,
            "address": address,
            "standardisation": standardisation,
            "insurance": insurance,
            "insured_until": insured_until,
            "connected_on": connected_on,
        }
        enterprises.note(ports, actor, plant, version, changes)
        return go_on(f"/enterprises/{plant}")

    @router.post("/enterprises/{plant}/classify", dependencies=[Depends(own_form)])
    def classify(
        plant: str, inspector: Inspector, version: Version, risk_class: Annotated[RiskClass, Form()], reason: Words
    ) -> Response:
        """分级分类: give it its class."""
        enterprises.classify(ports, inspector, plant, version, risk_class, reason)
        return go_on(f"/enterprises/{plant}")

    @router.get("/self-inspections")
    def self_inspections(request: Request, caller: Caller, plant: str = "") -> Response:
        """Show what is owed, the overdue first, and what was done."""
        found = enterprises.enterprises(ports, caller, plant or None)
        done = ports.cases.store.self_inspections(frozenset(enterprise.plant.id for enterprise in found))[:DONE_SHOWN]
        duties = [duty for enterprise in found for duty in enterprise.duties if duty.done is None]
        return render.page(
            request,
            "self_inspections.html",
            owed=sorted(duties, key=_urgent),
            done=[(self_inspection, proofs(ports, self_inspection.evidence)) for self_inspection in done],
            names=plant_names(ports, caller),
            chosen=plant,
        )

    @router.post("/self-inspections", dependencies=[Depends(own_form)], max_body_size=most)
    async def self_inspect(
        actor: Actor,
        plant: Key,
        period: Period,
        day: Day,
        principal: Name,
        summary: Prose,
        found: Annotated[int, Form(ge=0, le=10_000)],
        files: Files = [],  # noqa: B006  FastAPI copies it
    ) -> Response:
        """Note a self-inspection that was done."""
        evidence = await handed_in(ports, actor, plant, files)
        draft = SelfInspection(UUID(int=0), plant, period, day, principal, summary, found, "", 0, evidence)
        await run_in_threadpool(enterprises.self_inspect, ports, actor, draft)
        return go_on("/self-inspections")

    return router


def _urgent(duty: Duty) -> tuple[object, ...]:
    return duty.period.due, duty.plant
