"""REST: gateways, quarantine, metrics, health checks and the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from ingest.base.telemetry import REGISTRY
from ingest.domain.model.fault import Fault
from ingest.domain.model.payload import iso
from ingest.services import caller_scope
from ingest.services.errors import NotAllowed
from ingest.services.ports import Ports
from ingest.storage.journal.records import Quarantined
from ingest.web.caller import Actor, Caller, current
from ingest.web.document import PROBLEMS
from ingest.web.inputs import Number
from ingest.web.rest import schemas
from ingest.web.rest.router import rest_router
from ingest.web.routers import api_router


def service_router(ports: Ports) -> APIRouter:
    """Return the routes under /api/v1 on the service itself."""
    router = rest_router(tags=["service"])

    @router.get("/gateways")
    def gateways(caller: Caller) -> list[schemas.GatewayOut]:
        """List gateways: online or not, what is on disk, what is missing."""
        return [_gateway(view) for view in caller_scope.gateways(ports, caller)]

    @router.get("/plant-files")
    def plant_files(caller: Caller) -> list[schemas.HeldFile]:
        """List plant files that are not in force as they stand: refused, or something vanished from them."""
        return [
            schemas.HeldFile(
                file=held.name,
                plant=held.plant,
                watched=held.watched,
                faults=[_fault(f) for f in held.faults],
                vanished=list(held.vanished),
            )
            for held in caller_scope.held_back(ports, caller)
        ]

    @router.get("/quarantine")
    def quarantine(
        actor: Actor,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        before: Annotated[Number | None, Query(description="`next` of the page before")] = None,
    ) -> schemas.QuarantinePage:
        """List messages in quarantine, newest first. Operators and admins only."""
        found, following = caller_scope.quarantined(ports, actor, limit=limit, before=before)
        return schemas.QuarantinePage(messages=[_quarantined(record) for record in found], next=following)

    return router


def probes_router(ports: Ports) -> APIRouter:
    """Return the routes for machines: health checks and metrics."""
    router = api_router(tags=["service"], responses=PROBLEMS)

    @router.get("/health/live")
    async def live() -> dict[str, str]:
        """Say that the process answers."""
        return {"status": "ok"}

    @router.get("/health/ready", responses={503: {"description": "not ok"}})
    async def ready(request: Request) -> JSONResponse:
        """Say whether the service does its job; with a token, which part does not, and to one of all plants, why."""
        health = ports.live.health()
        body: dict[str, object] = {"status": "ok" if health.ready else "not ok"}
        caller = request.state.principal
        if caller is not None:  # what a part says may name addresses inside
            whole = caller.plants is None
            body["parts"] = {part: text if whole or text == "ok" else "not ok" for part, text in health.parts.items()}
        return JSONResponse(body, 200 if health.ready else 503)

    @router.get("/metrics", response_class=Response)
    def metrics(caller: Caller) -> Response:
        """Return the counters for Prometheus. They speak of the whole service: only for tokens of all plants."""
        if caller.plants is not None:
            raise NotAllowed("metrics speak of every plant; a token without a list of plants is needed")
        return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)

    return router


def serve_document(app: FastAPI) -> None:
    """Serve the OpenAPI document to callers with a token."""

    @app.get("/api/v1/openapi.json", include_in_schema=False, dependencies=[Depends(current)])
    def openapi() -> dict[str, Any]:
        return app.openapi()


def _fault(fault: Fault) -> schemas.FaultOut:
    return schemas.FaultOut(
        key=fault.key,
        value=fault.value,
        expected=fault.expected.en,
        message=schemas.Said.model_validate(fault.expected),
    )


def _gateway(view: caller_scope.GatewayView) -> schemas.GatewayOut:
    sequence = view.sequence
    return schemas.GatewayOut(
        plant=view.plant,
        gateway=view.gateway,
        name=schemas.Said.model_validate(view.name) if view.name else None,
        online=view.online,
        clock_ahead_s=view.ahead_s,
        boot=sequence.boot if sequence else None,
        committed=sequence.committed if sequence else None,
        missing=[(gap.first, gap.last) for gap in sequence.missing] if sequence else [],
        lost=[(gap.first, gap.last) for gap in sequence.lost] if sequence else [],
        last_heard=iso(sequence.received) if sequence else None,
        frames=sequence.frames if sequence else 0,
        duplicates=sequence.duplicates if sequence else 0,
    )


def _quarantined(record: Quarantined) -> schemas.QuarantinedOut:
    return schemas.QuarantinedOut(
        id=record.id,
        received=str(iso(record.received)),
        topic=record.topic,
        reason=record.reason,
        detail=record.detail,
        readings=record.readings,
        bytes=len(record.payload),
        payload=caller_scope.excerpt(record.payload),
    )
