"""REST: the audit trail."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from ingest.domain.cases.phones import detail_without_phones
from ingest.domain.model.audit import ActKind, ActRole
from ingest.domain.model.payload import iso
from ingest.services import caller_scope
from ingest.services.errors import Conflict, NotAllowed
from ingest.services.ports import Ports
from ingest.services.timestamps import Instant
from ingest.storage.state.audit_heads import Forged
from ingest.web.caller import Caller
from ingest.web.inputs import Number
from ingest.web.rest.router import rest_router
from ingest.web.rest.schemas import Instant as AuditTime
from ingest.web.rest.schemas import PlantId, Shape


class ActOut(Shape):
    """One thing done."""

    seq: Annotated[int, Field(examples=[1201])]
    time: AuditTime
    actor: Annotated[str, Field(description="`yujing`: the service itself", examples=["张三"])]
    role: ActRole
    action: Annotated[str, Field(examples=["acknowledged"])]
    kind: ActKind
    subject: Annotated[str, Field(description="the record's id")]
    plant: Annotated[PlantId, Field(description="empty: of no plant")]
    detail: dict[str, object]
    hash: Annotated[str, Field(description="of this row and the one before it")]


class ActPage(Shape):
    """Acts, newest first. Pass `next` as `before` to go on; null: no more."""

    acts: list[ActOut]
    next: int | None


class VerdictOut(Shape):
    """What a look through the whole trail found."""

    rows: int
    newest: str = Field(description="hash of the newest row")
    broken: int | None = Field(description="the first row that is not as it was written; null: none")
    missing: list[int] = Field(
        description="rows that the heads kept outside of the database name and that are gone: cut off, or an older"
        " backup was restored; of each cut the newest"
    )


def audit_router(ports: Ports) -> APIRouter:
    """Return the routes on the audit trail."""
    router = rest_router("/audit", tags=["audit"])

    @router.get("")
    def acts(
        caller: Caller,
        plant: str | None = None,
        kind: ActKind | None = None,
        subject: Annotated[str | None, Query(description="a record's id")] = None,
        actor: Annotated[str | None, Query(description="who did it: a token's name")] = None,
        since: Annotated[Instant | None, Query(description="done then or later")] = None,
        until: Annotated[Instant | None, Query(description="done before")] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        before: Annotated[Number | None, Query(description="`next` of the page before")] = None,
    ) -> ActPage:
        """List what was done, by whom, newest first."""
        scope = caller_scope.narrowed(caller, plant)
        found = ports.audit.acts(
            limit=limit,
            before=before,
            plants=scope,
            kind=kind,
            subject=subject,
            actor=actor,
            since=since,
            until=until,
        )
        return ActPage(
            acts=[
                ActOut(
                    seq=row.seq,
                    time=str(iso(row.act.time)),
                    actor=row.act.actor,
                    role=row.act.role,
                    action=row.act.action,
                    kind=row.act.kind,
                    subject=row.act.subject,
                    plant=row.act.plant,
                    detail=dict(row.act.detail) if caller.sees_phones else detail_without_phones(row.act.detail),
                    hash=row.hash,
                )
                for row in found
            ],
            next=found[-1].seq if len(found) == limit else None,
        )

    @router.get("/verify")
    def verify(caller: Caller) -> VerdictOut:
        """Look through the whole trail. Admins who see every plant only: it reads everything."""
        if caller.role != "admin" or caller.plants is not None:
            raise NotAllowed("the whole trail is for an admin of all plants")
        try:
            return VerdictOut.model_validate(ports.audit.verify())
        except Forged as error:
            raise Conflict(str(error)) from error

    return router
