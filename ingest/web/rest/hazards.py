"""REST: hazards (隐患), their steps, and the criteria by which they are major."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from ingest.domain.cases import hazard_actions as actions
from ingest.domain.cases.criteria import load_criteria
from ingest.domain.cases.hazard import Hazard, HazardFilter, HazardLevel, HazardSource, HazardState
from ingest.domain.cases.hazard_steps import Action
from ingest.services import caller_scope
from ingest.services.access import Principal
from ingest.services.cases import hazards, records
from ingest.services.ports import Ports
from ingest.services.timestamps import Instant
from ingest.web.caller import Actor, Caller, Inspector
from ingest.web.paging import Cursor, Limit, cut, read_token
from ingest.web.rest import hazards_schemas as schemas
from ingest.web.rest.case_schemas import Seen
from ingest.web.rest.schemas import Said


def hazards_router(ports: Ports) -> APIRouter:  # noqa: C901  one route each
    """Return the routes on hazards."""
    router = APIRouter(prefix="/hazards", tags=["cases"])

    @router.get("")
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
    ) -> schemas.HazardPage:
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
        found = ports.cases.books.hazards(which, limit=limit + 1, before=read_token(cursor))
        page, following = cut(found, limit, lambda hazard: (hazard.found, hazard.id))
        return schemas.HazardPage(hazards=[_out(ports, hazard, caller) for hazard in page], next=following)

    @router.post("", status_code=201)
    def find_hazard(caller: Caller, body: schemas.NewHazard) -> schemas.HazardDetail:
        """Open a hazard somebody found."""
        return _detail(ports, hazards.open_hazard(ports, caller, body.wish()), caller)

    @router.get("/criteria")
    def criteria(_: Caller) -> schemas.CriteriaOut:
        """Show the criteria for major hazards (重大事故隐患判定标准), as far as they are known here."""
        known = load_criteria()
        clauses = [schemas.ClauseOut.model_validate(clause) for clause in known.clauses.values()]
        return schemas.CriteriaOut(edition=known.edition, law=Said.model_validate(known.law), clauses=clauses)

    @router.get("/{hazard}")
    def show_hazard(hazard: UUID, caller: Caller) -> schemas.HazardDetail:
        """Show one hazard with its history."""
        return _detail(ports, records.hazard(ports, caller, hazard), caller)

    def step(caller: Principal, hazard: UUID, body: Seen, action: Action) -> schemas.HazardDetail:
        return _detail(ports, hazards.step(ports, caller, hazard, body.version, action), caller)

    @router.post("/{hazard}/register")
    def register(hazard: UUID, caller: Caller, body: Seen) -> schemas.HazardDetail:
        """登记: enter it in the books."""
        return step(caller, hazard, body, actions.Register())

    @router.post("/{hazard}/grade")
    def grade(hazard: UUID, caller: Inspector, body: schemas.Grading) -> schemas.HazardDetail:
        """分级: general, or major by a clause of the criteria. Inspectors and admins only."""
        return step(caller, hazard, body, actions.Grade(body.level, hazards.clause(body.clause), body.reason))

    @router.post("/{hazard}/report")
    def report(hazard: UUID, caller: Caller, body: schemas.Reporting) -> schemas.HazardDetail:
        """上报: tell the authority of a major one."""
        return step(caller, hazard, body, actions.Report(body.to))

    @router.post("/{hazard}/supervise")
    def supervise(hazard: UUID, caller: Inspector, body: schemas.Supervision) -> schemas.HazardDetail:
        """挂牌督办: list a major one for supervision. Inspectors and admins only."""
        return step(caller, hazard, body, actions.Supervise(body.number, body.authority, body.since))

    @router.post("/{hazard}/rectify")
    def rectify(hazard: UUID, caller: Actor, body: schemas.RectificationPlan) -> schemas.HazardDetail:
        """整改: the plan, with all five duties. Operators and admins only."""
        fen = int(body.budget_yuan * 100)
        plan = actions.Rectify(body.responsible, body.measure, fen, body.deadline, body.contingency)
        return step(caller, hazard, body, plan)

    @router.post("/{hazard}/extend")
    def extend(hazard: UUID, caller: Inspector, body: schemas.Extension) -> schemas.HazardDetail:
        """延期: give more time. Inspectors and admins only."""
        return step(caller, hazard, body, actions.Extend(body.deadline, body.reason))

    @router.post("/{hazard}/submit")
    def submit(hazard: UUID, caller: Actor, body: schemas.Submission) -> schemas.HazardDetail:
        """申请复查: say that it is done, and show it. Operators and admins only."""
        return step(caller, hazard, body, actions.Submit(body.done, body.evidence))

    @router.post("/{hazard}/send-back")
    def send_back(hazard: UUID, caller: Inspector, body: schemas.Return) -> schemas.HazardDetail:
        """退回整改: not done, or not well. Inspectors and admins only."""
        return step(caller, hazard, body, actions.SendBack(body.reason, body.deadline))

    @router.post("/{hazard}/close")
    def close(hazard: UUID, caller: Inspector, body: schemas.Closing) -> schemas.HazardDetail:
        """销号: review found it rectified. Inspectors and admins only, and nobody who submitted it."""
        return step(caller, hazard, body, actions.Close(body.remark, body.evidence))

    @router.post("/{hazard}/dismiss")
    def dismiss(hazard: UUID, caller: Inspector, body: schemas.Dismissal) -> schemas.HazardDetail:
        """不构成隐患: looked at, and none. Inspectors and admins only."""
        return step(caller, hazard, body, actions.Dismiss(body.reason))

    return router


def _out(ports: Ports, hazard: Hazard, caller: Principal) -> schemas.HazardOut:
    return schemas.HazardOut(**schemas.hazard_out(hazard, ports.now(), caller.role))


def _detail(ports: Ports, hazard: Hazard, caller: Principal) -> schemas.HazardDetail:
    history = [schemas.step_out(line) for line in ports.cases.books.hazard_history(hazard.id)]
    return schemas.HazardDetail(**schemas.hazard_out(hazard, ports.now(), caller.role), history=history)
