"""REST: hazards (隐患), their steps, and the criteria by which they are major."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from ingest.domain.cases.criteria import load_criteria
from ingest.domain.cases.hazard import Hazard, HazardFilter, HazardLevel, HazardSource, HazardState
from ingest.domain.cases.hazard_steps import HazardStep, HazardTable
from ingest.services import caller_scope
from ingest.services.access import Principal
from ingest.services.cases import hazards, records
from ingest.services.ports import Ports
from ingest.services.timestamps import Instant
from ingest.web.caller import Caller
from ingest.web.paging import Cursor, Limit, cut, read_token
from ingest.web.rest import hazards_schemas as schemas
from ingest.web.rest.case_steps import add_steps
from ingest.web.rest.router import rest_router
from ingest.web.rest.schemas import Said, Shape


def hazards_router(ports: Ports, table: type[HazardTable] = HazardStep) -> APIRouter:
    """Return the routes on hazards, with a step for every row of the table."""
    router = rest_router("/hazards", tags=["cases"])
    shapes = schemas.shapes(table)

    def detail(hazard: Hazard, caller: Principal) -> Shape:
        history = [schemas.step_out(line) for line in ports.cases.store.hazard_history(hazard.id)]
        return shapes.detail(**schemas.hazard_out(hazard, ports.now(), caller.role, table), history=history)

    @router.get("", response_model=shapes.page)
    def list_hazards(
        caller: Caller,
        plant: str | None = None,
        state: Annotated[list[HazardState], Query(description="default: any")] = [],  # noqa: B006  FastAPI copies it
        level: HazardLevel | None = None,
        source: HazardSource | None = None,
        origin: Annotated[str | None, Query(description="id of an alarm or inspection")] = None,
        overdue: Annotated[bool, Query(description="only those past their deadline")] = False,  # noqa: FBT002
        since: Annotated[Instant | None, Query(description="found at or after")] = None,
        until: Annotated[Instant | None, Query(description="found before")] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Shape:
        """List hazards, newest found first."""
        which = HazardFilter(
            plants=caller_scope.narrowed(caller, plant),
            states=frozenset(state) or None,
            level=level,
            source=source,
            origin=origin,
            overdue_at=ports.now() if overdue else None,
            since=since,
            until=until,
        )
        found = ports.cases.store.hazards(which, limit=limit + 1, before=read_token(cursor))
        page, following = cut(found, limit, lambda hazard: (hazard.found, hazard.id))
        listed = [shapes.out(**schemas.hazard_out(hazard, ports.now(), caller.role, table)) for hazard in page]
        return shapes.page(hazards=listed, next=following)

    @router.post("", status_code=201, response_model=shapes.detail)
    def find_hazard(caller: Caller, body: schemas.NewHazard) -> Shape:
        """Open a hazard somebody found."""
        return detail(hazards.open_hazard(ports, caller, body.draft()), caller)

    @router.get("/criteria")
    def criteria(_: Caller) -> schemas.CriteriaOut:
        """Show the criteria for major hazards (重大事故隐患判定标准), as far as they are known here."""
        known = load_criteria()
        clauses = [schemas.ClauseOut.model_validate(clause) for clause in known.clauses.values()]
        return schemas.CriteriaOut(edition=known.edition, law=Said.model_validate(known.law), clauses=clauses)

    @router.get("/{hazard}", response_model=shapes.detail)
    def show_hazard(hazard: UUID, caller: Caller) -> Shape:
        """Show one hazard with its history."""
        return detail(records.hazard(ports, caller, hazard), caller)

    add_steps(router, ports, table, detail, shapes.detail)
    return router
