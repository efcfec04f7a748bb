"""REST: declared work and planned stops (作业报备)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from ingest.domain.cases.work import Work, WorkFilter, WorkKind, WorkState
from ingest.domain.cases.work_steps import WorkStep
from ingest.services import caller_scope
from ingest.services.access import Principal
from ingest.services.cases import records, works
from ingest.services.ports import Ports
from ingest.services.timestamps import Instant
from ingest.web.caller import Actor, Caller
from ingest.web.paging import Cursor, Limit, cut, read_token
from ingest.web.rest import works_schemas as schemas
from ingest.web.rest.case_steps import add_steps
from ingest.web.rest.router import rest_router


def works_router(ports: Ports) -> APIRouter:
    """Return the routes on declared work."""
    router = rest_router("/works", tags=["cases"])

    @router.get("")
    def list_works(
        caller: Caller,
        plant: str | None = None,
        state: Annotated[list[WorkState], Query(description="default: any")] = [],  # noqa: B006  FastAPI copies it
        kind: WorkKind | None = None,
        since: Annotated[Instant | None, Query(description="not over by then, as declared")] = None,
        until: Annotated[Instant | None, Query(description="beginning before then, as declared")] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> schemas.WorkPage:
        """List declared work, newest beginning first."""
        which = WorkFilter(caller_scope.narrowed(caller, plant), frozenset(state) or None, kind, since, until)
        found = ports.cases.daily.works(which, limit=limit + 1, before=read_token(cursor))
        page, following = cut(found, limit, lambda work: (work.begins, work.id))
        return schemas.WorkPage(works=[out(work, caller) for work in page], next=following)

    @router.post("", status_code=201)
    def declare(caller: Actor, body: schemas.NewWork) -> schemas.WorkOut:
        """Declare work. An alarm raised there meanwhile says so; it is not suppressed. Operators and admins only."""
        return out(works.declare(ports, caller, body.draft()), caller)

    @router.get("/{work}")
    def show_work(work: UUID, caller: Caller) -> schemas.WorkOut:
        """Show one piece of declared work."""
        return out(records.work(ports, caller, work), caller)

    def out(work: Work, _caller: Principal) -> schemas.WorkOut:
        return schemas.work_out(work, works.stop_seen(ports, work), ports.now())

    add_steps(router, ports, WorkStep, out, schemas.WorkOut)
    return router
