"""Forms of the console on an alarm: acknowledge, reset, comment, assign, and suppress."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form
from fastapi.responses import Response
from pydantic import StringConstraints
from starlette.concurrency import run_in_threadpool

from ingest.domain.model.suppression import SuppressionKind
from ingest.engine.commands import Assign, Comment, Reset, SignedInspection, Suppress
from ingest.services import caller_scope
from ingest.services.alarm_commands import acknowledge as acknowledge_alarm
from ingest.services.alarm_commands import order
from ingest.services.engine_commands import carry_out, person
from ingest.services.ports import Ports
from ingest.web.caller import Actor, Caller
from ingest.web.console.fields import Maybe, Moment, Onward, Words
from ingest.web.console.forms import go_on, own_form
from ingest.web.console.rendering import Renderer
from ingest.web.inputs import Number
from ingest.web.routers import page_router

MINUTE = 60 * 10**9

Minutes = Annotated[int, Form(ge=1, le=60 * 24 * 7)]
Raises = Annotated[Number, Form(ge=1)]
"""Number of the raise that the page showed; left out, the first."""

Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=64), Form()]


def alarm_forms(ports: Ports, _render: Renderer) -> APIRouter:
    """Return the routes of the forms about alarms."""
    router = page_router("/alarms/{alarm}", dependencies=[Depends(own_form)])

    @router.post("/acknowledge")
    async def acknowledge(
        alarm: UUID, actor: Actor, comment: Maybe = None, raises: Raises = 1, onward: Onward = "/alarms"
    ) -> Response:
        """Acknowledge an alarm and go back to where the form was."""
        await acknowledge_alarm(ports, actor, alarm, comment, raises)
        return go_on(onward)

    @router.post("/reset")
    async def reset(
        alarm: UUID,
        actor: Actor,
        by: Name = "",
        at: Moment = None,
        result: Maybe = None,
        remark: Maybe = None,
        raises: Raises = 1,
        onward: Onward = "/alarms",
    ) -> Response:
        """Reset a latched alarm, with the inspection that is signed if its rule wants one."""
        made = SignedInspection(by, at, result, remark) if by and at is not None and result else None
        await order(ports, actor, alarm, Reset(alarm, person(actor), raises, made))
        return go_on(onward)

    @router.post("/comment")
    async def comment(alarm: UUID, caller: Caller, comment: Words, onward: Onward = "/alarms") -> Response:
        """Comment on an alarm."""
        await order(ports, caller, alarm, Comment(alarm, person(caller), comment))
        return go_on(onward)

    @router.post("/assign")
    async def assign(alarm: UUID, actor: Actor, to: Name = "", onward: Onward = "/alarms") -> Response:
        """Make somebody responsible for an alarm; an empty name: nobody in particular."""
        await order(ports, actor, alarm, Assign(alarm, person(actor), to or None))
        return go_on(onward)

    @router.post("/shelve")
    async def shelve(
        alarm: UUID, actor: Actor, minutes: Minutes, reason: Words, raises: Raises = 1, onward: Onward = "/alarms"
    ) -> Response:
        """Shelve an alarm's rule for so many minutes."""
        found = await run_in_threadpool(caller_scope.alarm, ports, actor, alarm)
        until = ports.now() + minutes * MINUTE
        command = Suppress(
            SuppressionKind.SHELVED, found.plant, found.point, found.rule, reason, until, person(actor),
            seen=(alarm, raises),
        )  # fmt: skip
        await carry_out(ports, command)
        return go_on(onward)

    @router.post("/suppress")
    async def suppress(
        alarm: UUID, actor: Actor, reason: Words, until: Moment = None, raises: Raises = 1, onward: Onward = "/alarms"
    ) -> Response:
        """Suppress an alarm's rule by design."""
        found = await run_in_threadpool(caller_scope.alarm, ports, actor, alarm)
        command = Suppress(
            SuppressionKind.SUPPRESSED, found.plant, found.point, found.rule, reason, until, person(actor),
            seen=(alarm, raises),
        )  # fmt: skip
        await carry_out(ports, command)
        return go_on(onward)

    @router.post("/out-of-service")
    async def out_of_service(
        alarm: UUID,
        actor: Actor,
        reason: Words,
        begins: Moment = None,
        until: Moment = None,
        onward: Onward = "/alarms",
    ) -> Response:
        """Apply for an alarm's point to be taken out of service."""
        found = await run_in_threadpool(caller_scope.alarm, ports, actor, alarm)
        kind = SuppressionKind.OUT_OF_SERVICE
        command = Suppress(kind, found.plant, found.point, None, reason, until, person(actor), begins)
        await carry_out(ports, command)
        return go_on(onward)

    return router
