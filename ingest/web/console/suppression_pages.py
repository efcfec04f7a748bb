"""Page of the console on suppressions (shelved, by design, out of service), with its forms."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from ingest.domain.model.suppression import SuppressionState
from ingest.engine.commands import Decide, End
from ingest.services import caller_scope
from ingest.services.access import Principal
from ingest.services.engine_commands import person
from ingest.services.ports import Ports
from ingest.services.suppressions import hidden_by, settle
from ingest.web.caller import Actor, Caller, Inspector
from ingest.web.console.fields import Maybe, Onward
from ingest.web.console.forms import go_on, own_form
from ingest.web.console.rendering import Renderer, plant_names
from ingest.web.inputs import Number
from ingest.web.paging import cut, read_token
from ingest.web.routers import page_router

OVER_SHOWN: Final = 50
_WAITING: Final = frozenset({SuppressionState.APPLIED})
_IN_FORCE: Final = frozenset({SuppressionState.IN_FORCE})
_OVER: Final = frozenset({SuppressionState.REJECTED, SuppressionState.ENDED})


def suppression_pages(ports: Ports, render: Renderer) -> APIRouter:
    """Return the routes of the page on suppressions."""
    router = page_router("/suppressions")

    @router.get("")
    def suppressions(request: Request, caller: Caller, plant: str = "", cursor: str = "") -> Response:
        """Show suppressions that wait for approval, are in force, and are over."""
        scope = caller_scope.narrowed(caller, plant or None)

        waiting = caller_scope.suppressions(ports, scope, _WAITING)
        before = read_token(cursor or None)
        over = ports.suppressions.suppressions(limit=OVER_SHOWN + 1, plants=scope, states=_OVER, before=before)
        page, older = cut(over, OVER_SHOWN, lambda suppression: (suppression.applied, suppression.id))
        return render.page(
            request,
            "suppressions.html",
            waiting=waiting,
            hides={suppression.id: hidden_by(ports, suppression) for suppression in waiting},
            in_force=caller_scope.suppressions(ports, scope, _IN_FORCE),
            over=page,
            older=older,
            find=ports.live.configuration().find,
            names=plant_names(ports, caller),
            chosen=plant,
        )

    @router.post("/{suppression}/approve", dependencies=[Depends(own_form)])
    async def approve(
        suppression: UUID,
        inspector: Inspector,
        comment: Maybe = None,
        raises: Annotated[Number, Form()] = 0,
        onward: Onward = "/suppressions",
    ) -> Response:
        """Approve an application."""
        return await done(inspector, Decide(suppression, True, person(inspector), comment, raises), onward)

    @router.post("/{suppression}/reject", dependencies=[Depends(own_form)])
    async def reject(
        suppression: UUID, inspector: Inspector, comment: Maybe = None, onward: Onward = "/suppressions"
    ) -> Response:
        """Reject an application."""
        return await done(inspector, Decide(suppression, False, person(inspector), comment), onward)

    @router.post("/{suppression}/end", dependencies=[Depends(own_form)])
    async def end(suppression: UUID, actor: Actor, comment: Maybe = None, onward: Onward = "/suppressions") -> Response:
        """End a suppression or withdraw an application."""
        return await done(actor, End(suppression, person(actor), comment), onward)

    async def done(caller: Principal, command: Decide | End, onward: str) -> Response:
        await settle(ports, caller, command)
        return go_on(onward)

    return router
