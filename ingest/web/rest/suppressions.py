"""REST: shelving, suppression by design, points out of service (停用), and function checks (功能检查)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from ingest.domain.model.payload import iso
from ingest.domain.model.suppression import Suppression, SuppressionKind, SuppressionState
from ingest.engine.commands import Decide, End, Suppress
from ingest.services import caller_scope
from ingest.services.access import Principal
from ingest.services.engine_commands import carry_out, person
from ingest.services.ports import Ports
from ingest.services.suppressions import settle
from ingest.services.timestamps import Instant
from ingest.web.caller import Actor, Caller, Inspector
from ingest.web.inputs import Count
from ingest.web.paging import Cursor, cut, read_token
from ingest.web.rest.router import rest_router
from ingest.web.rest.schemas import Body, PlantId, PointId, Shape, Words
from ingest.web.rest.schemas import Instant as InstantOut


class SuppressionOut(Shape):
    """A suppression and what became of it."""

    id: str
    kind: SuppressionKind
    state: SuppressionState
    plant: PlantId
    point: PointId
    rule: str | None = Field(description="null: every rule of the point")
    reason: str
    applicant: str
    applied: InstantOut
    begins: InstantOut
    until: InstantOut | None = Field(description="null: until it is ended by hand")
    approver: str | None
    decided: InstantOut | None
    ended: InstantOut | None
    ended_by: str | None


class Wish(Body):
    """What is to be hidden, or checked. Shelving needs `until`; only shelving and suppression are of one rule."""

    kind: SuppressionKind
    plant: PlantId
    point: PointId
    rule: str | None = Field(default=None, examples=["L"])
    reason: Words = Field(examples=["更换压力变送器"])
    begins: Instant | None = None
    until: Instant | None = None


class Decision(Body):
    """What whoever decides says to it."""

    comment: Words | None = None


class Approval(Decision):
    """What whoever approves looked at."""

    raises: Count | None = Field(
        default=None,
        description="sum of `raises` of the point's alarms that are not normal, as looked at: if there are more now, it"
        " is refused. null: as they stand",
    )


class SuppressionPage(Shape):
    """Suppressions, newest first. Pass `next` as `before` to go on; null: no more."""

    suppressions: list[SuppressionOut]
    next: str | None


def suppressions_router(ports: Ports) -> APIRouter:
    """Return the routes on suppressions."""
    router = rest_router("/suppressions", tags=["alarms"])

    @router.get("")
    def suppressions(
        caller: Caller,
        plant: str | None = None,
        point: str | None = None,
        state: Annotated[list[SuppressionState], Query(description="default: any")] = [],  # noqa: B006  FastAPI copies it
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        before: Cursor = None,
    ) -> SuppressionPage:
        """List suppressions, those in force, asked for and over."""
        scope = caller_scope.narrowed(caller, plant)
        found = ports.suppressions.suppressions(
            limit=limit + 1, plants=scope, point=point, states=state or None, before=read_token(before, "before")
        )
        page, following = cut(found, limit, lambda suppression: (suppression.applied, suppression.id))
        return SuppressionPage(suppressions=[suppression_out(suppression) for suppression in page], next=following)

    @router.post("", status_code=201)
    async def suppress(actor: Actor, body: Wish) -> SuppressionOut:
        """Shelve, suppress by design, apply for a point to be taken out of service, or begin a function check.

        Operators and admins only. During a function check readings of the point are not judged; it hides no alarm, and
        without `until` it lasts as long as one may.
        """
        await run_in_threadpool(caller_scope.point, ports, actor, body.plant, body.point)
        command = Suppress(
            body.kind, body.plant, body.point, body.rule, body.reason, body.until, person(actor), body.begins
        )
        return suppression_out(await carry_out(ports, command))

    @router.post("/{suppression}/approve")
    async def approve(suppression: UUID, inspector: Inspector, body: Approval | None = None) -> SuppressionOut:
        """Approve an application; nobody approves their own. Inspectors and admins only."""
        approval = body or Approval()
        return await decided(inspector, Decide(suppression, True, person(inspector), approval.comment, approval.raises))

    @router.post("/{suppression}/reject")
    async def reject(suppression: UUID, inspector: Inspector, body: Decision | None = None) -> SuppressionOut:
        """Reject an application. Inspectors and admins only."""
        return await decided(inspector, Decide(suppression, False, person(inspector), body.comment if body else None))

    @router.post("/{suppression}/end")
    async def end(suppression: UUID, actor: Actor, body: Decision | None = None) -> SuppressionOut:
        """Let alarms show again, put a point back into service, end a check. Operators and admins only."""
        return await decided(actor, End(suppression, person(actor), body.comment if body else None))

    async def decided(caller: Principal, command: Decide | End) -> SuppressionOut:
        return suppression_out(await settle(ports, caller, command))

    return router


def suppression_out(suppression: Suppression) -> SuppressionOut:
    """Return a suppression's schema."""
    times = {name: iso(getattr(suppression, name)) for name in ("applied", "begins", "until", "decided", "ended")}
    rest = {
        name: getattr(suppression, name)
        for name in ("kind", "state", "plant", "point", "rule", "reason", "applicant", "approver", "ended_by")
    }
    return SuppressionOut.model_validate({"id": str(suppression.id), **rest, **times})
