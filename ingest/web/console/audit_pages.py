"""Page of the console on the audit trail."""

from __future__ import annotations

from typing import Annotated, Final, Literal, get_args

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BeforeValidator

from ingest.domain.cases.phones import detail_without_phones
from ingest.domain.model.audit import ActKind
from ingest.services import caller_scope
from ingest.services.ports import Ports
from ingest.web.caller import Caller
from ingest.web.console.fields import parse_moment
from ingest.web.console.rendering import Renderer, plant_names
from ingest.web.inputs import Number
from ingest.web.routers import page_router

SHOWN: Final = 100

Moment = Annotated[int | None, BeforeValidator(parse_moment), Query()]
AnyKind = ActKind | Literal[""]


def audit_pages(ports: Ports, render: Renderer) -> APIRouter:
    """Return the route of the page on the audit trail."""
    router = page_router()

    @router.get("/audit")
    def audit(
        request: Request,
        caller: Caller,
        plant: str = "",
        kind: AnyKind = "",
        subject: str = "",
        actor: str = "",
        since: Moment = None,
        until: Moment = None,
        before: Number | None = None,
    ) -> Response:
        """Show who did what, newest first."""
        scope = caller_scope.narrowed(caller, plant or None)
        found = ports.audit.acts(
            limit=SHOWN + 1,
            before=before,
            plants=scope,
            kind=kind or None,
            subject=subject.strip() or None,
            actor=actor.strip() or None,
            since=since,
            until=until,
        )
        return render.page(
            request,
            "audit.html",
            detail=dict if caller.sees_phones else detail_without_phones,
            acts=found[:SHOWN],
            older=found[SHOWN - 1].seq if len(found) > SHOWN else None,
            act_kinds=get_args(ActKind),
            names=plant_names(ports, caller),
            chosen={
                "plant": plant,
                "kind": kind,
                "subject": subject,
                "actor": actor,
                **{name: request.query_params.get(name, "") for name in ("since", "until")},
            },
        )

    return router
