"""Form of the console on a point: begin a function check of its instrument."""

from __future__ import annotations

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from ingest.domain.model.suppression import SuppressionKind
from ingest.engine.commands import Suppress
from ingest.services import caller_scope
from ingest.services.engine_commands import carry_out, person
from ingest.services.ports import Ports
from ingest.web.caller import Actor
from ingest.web.console.alarm_forms import MINUTE, Minutes
from ingest.web.console.fields import Onward, Words
from ingest.web.console.forms import go_on, own_form
from ingest.web.console.rendering import Renderer
from ingest.web.routers import page_router


def point_forms(ports: Ports, _render: Renderer) -> APIRouter:
    """Return the routes of the forms about points."""
    router = page_router("/plants/{plant}/points/{point}", dependencies=[Depends(own_form)])

    @router.post("/function-check")
    async def function_check(
        plant: str, point: str, actor: Actor, minutes: Minutes, reason: Words, onward: Onward = "/suppressions"
    ) -> Response:
        """Begin a function check for so many minutes."""
        await run_in_threadpool(caller_scope.point, ports, actor, plant, point)
        kind, until = SuppressionKind.FUNCTION_CHECK, ports.now() + minutes * MINUTE
        await carry_out(ports, Suppress(kind, plant, point, None, reason, until, person(actor)))
        return go_on(onward)

    return router
