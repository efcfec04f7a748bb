"""REST: the register of bypassed interlocks (联锁旁路登记)."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from ingest.domain.cases.bypass import Bypass, BypassFilter, BypassState
from ingest.domain.cases.bypass_steps import BypassStep
from ingest.services import caller_scope
from ingest.services.cases import bypasses, records
from ingest.services.cases.bypasses import Interlock
from ingest.services.ports import Ports
from ingest.services.timestamps import Instant
from ingest.web.caller import Actor, Caller
from ingest.web.paging import Cursor, Limit, cut, read_token
from ingest.web.rest.case_schemas import Hours, When, localized, values_of
from ingest.web.rest.case_steps import add_steps
from ingest.web.rest.router import rest_router
from ingest.web.rest.schemas import Body, PlantId, PointId, Said, Shape, Words


class BypassOut(Shape):
    """A registration as it stands."""

    id: UUID
    version: int
    plant: PlantId
    point: PointId
    state: BypassState
    state_said: Said
    reason: str
    measure: str = Field(description="what stands in for the interlock meanwhile")
    hours: int = Field(description="the longest time, from `begins`; after an extension, from its approval")
    requested: When
    requested_by: str
    begins: When = Field(description="not before; once approved, when it is or was in force")
    until: When | None = Field(description="null: not approved yet")
    decided: When | None
    decided_by: str | None = Field(description="who last approved it, or refused it")
    extension_hours: int | None = Field(description="of an extension that waits for a decision")
    extension_reason: str | None
    extended: When | None
    extended_by: str | None
    restored: When | None
    restored_by: str | None
    remark: str | None
    interlock: Interlock = Field(description="what it shows now; unknown: its signal is bad, stale or missing")
    to_close: bool = Field(description="the interlock is in service again, and the registration is not closed")


class BypassPage(Shape):
    """Registrations, newest first. Pass `next` as `cursor` to go on; null: no more."""

    bypasses: list[BypassOut]
    next: str | None


class NewBypass(Body):
    """A bypass that is asked for."""

    plant: PlantId
    point: PointId = Field(description="the state of an interlock")
    reason: Words = Field(examples=["更换进水流量变送器"])
    measure: Words = Field(examples=["专人在操作台监护，流量异常立即提枪"])
    hours: Hours | None = Field(default=None, description="default: `alarms.bypass_max_h`, which is also the most")
    begins: Instant | None = Field(default=None, description="default: once it is approved")


def bypasses_router(ports: Ports) -> APIRouter:
    """Return the routes on the register."""
    router = rest_router("/bypasses", tags=["cases"])

    def out(record: Bypass) -> BypassOut:
        interlock = bypasses.interlock_of(ports, record)
        shown = values_of(record) | {"interlock": interlock, "to_close": bypasses.to_close(record, interlock)}
        return BypassOut(**shown, state_said=localized(record.state))  # type: ignore[arg-type]

    @router.get("")
    def list_bypasses(
        caller: Caller,
        plant: str | None = None,
        state: Annotated[list[BypassState], Query(description="default: any")] = [],  # noqa: B006  FastAPI copies it
        point: str | None = None,
        since: Annotated[Instant | None, Query(description="asked for at or after")] = None,
        until: Annotated[Instant | None, Query(description="asked for before")] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> BypassPage:
        """List registrations, newest first."""
        which = BypassFilter(caller_scope.narrowed(caller, plant), frozenset(state) or None, point, since, until)
        found = ports.cases.store.bypasses(which, limit=limit + 1, before=read_token(cursor))
        page, following = cut(found, limit, lambda record: (record.requested, record.id))
        return BypassPage(bypasses=[out(record) for record in page], next=following)

    @router.post("", status_code=201)
    def request(actor: Actor, body: NewBypass) -> BypassOut:
        """Ask for an interlock to be bypassed; somebody else approves it. Operators and admins only."""
        draft: dict[str, Any] = {name: getattr(body, name) for name in NewBypass.model_fields}
        return out(bypasses.request(ports, actor, **draft))

    @router.get("/{bypass}")
    def show(bypass: UUID, caller: Caller) -> BypassOut:
        """Show one registration."""
        return out(records.bypass(ports, caller, bypass))

    add_steps(router, ports, BypassStep, lambda after, _: out(after), BypassOut)
    return router
