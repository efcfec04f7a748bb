"""The console's forms of a hazard's steps: each takes what its step needs, and nothing else."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from ingest.domain.cases import hazard_actions as actions
from ingest.domain.cases.hazard import HazardLevel
from ingest.domain.cases.hazard_steps import Action
from ingest.services.access import Principal
from ingest.services.cases import hazards, records
from ingest.services.ports import Ports
from ingest.web.caller import Actor, Caller, Inspector
from ingest.web.console.fields import Day, Maybe, MaybeDay, Name, Prose, Version, Words, Yuan
from ingest.web.console.forms import go_on, own_form
from ingest.web.console.rendering import Renderer
from ingest.web.console.uploads import Files, handed_in, most_bytes
from ingest.web.inputs import MULTIPART

Key = Annotated[UUID, Form()]
Code = Annotated[str, Form(max_length=64)]


def hazard_forms(ports: Ports, _render: Renderer) -> APIRouter:  # noqa: C901  one route each
    """Return the routes of the forms of steps."""
    router = APIRouter(prefix="/hazards", dependencies=[Depends(own_form)])
    most = most_bytes(ports.cases.config.max_evidence_bytes + MULTIPART)

    @router.post("/submit", max_body_size=most)
    async def submit(actor: Actor, hazard: Key, version: Version, done: Prose, files: Files = []) -> Response:  # noqa: B006  FastAPI copies it
        """申请复查: say that it is done, and show it."""
        evidence = await proofs(actor, hazard, files)
        return await run_in_threadpool(step, actor, hazard, version, actions.Submit(done, evidence))

    @router.post("/close", max_body_size=most)
    async def close(inspector: Inspector, hazard: Key, version: Version, remark: Words, files: Files = []) -> Response:  # noqa: B006  FastAPI copies it
        """销号: review found it rectified."""
        evidence = await proofs(inspector, hazard, files)
        return await run_in_threadpool(step, inspector, hazard, version, actions.Close(remark, evidence))

    @router.post("/{hazard}/register")
    def register(hazard: UUID, caller: Caller, version: Version) -> Response:
        """登记: enter it in the books."""
        return step(caller, hazard, version, actions.Register())

    @router.post("/{hazard}/grade")
    def grade(
        hazard: UUID,
        inspector: Inspector,
        version: Version,
        level: Annotated[HazardLevel, Form()],
        clause: Code = "",
        reason: Maybe = None,
    ) -> Response:
        """分级: general, or major by a clause."""
        return step(inspector, hazard, version, actions.Grade(level, hazards.clause(clause or None), reason))

    @router.post("/{hazard}/report")
    def report(hazard: UUID, caller: Caller, version: Version, to: Name) -> Response:
        """上报: tell the authority of a major one."""
        return step(caller, hazard, version, actions.Report(to))

    @router.post("/{hazard}/supervise")
    def supervise(
        hazard: UUID, inspector: Inspector, version: Version, number: Name, authority: Name, since: Day
    ) -> Response:
        """挂牌督办: list a major one for supervision."""
        return step(inspector, hazard, version, actions.Supervise(number, authority, since))

    @router.post("/{hazard}/rectify")
    def rectify(
        hazard: UUID,
        actor: Actor,
        version: Version,
        responsible: Name,
        measure: Prose,
        budget: Yuan,
        deadline: Day,
        contingency: Prose,
    ) -> Response:
        """整改: the plan, with all five duties."""
        plan = actions.Rectify(responsible, measure, budget, deadline, contingency)
        return step(actor, hazard, version, plan)

    @router.post("/{hazard}/extend")
    def extend(hazard: UUID, inspector: Inspector, version: Version, deadline: Day, reason: Words) -> Response:
        """延期: give more time."""
        return step(inspector, hazard, version, actions.Extend(deadline, reason))

    @router.post("/{hazard}/send-back")
    def send_back(
        hazard: UUID, inspector: Inspector, version: Version, reason: Words, deadline: MaybeDay = None
    ) -> Response:
        """退回整改: not done, or not well."""
        return step(inspector, hazard, version, actions.SendBack(reason, deadline))

    @router.post("/{hazard}/dismiss")
    def dismiss(hazard: UUID, inspector: Inspector, version: Version, reason: Words) -> Response:
        """不构成隐患: looked at, and none."""
        return step(inspector, hazard, version, actions.Dismiss(reason))

    def step(caller: Principal, hazard: UUID, version: int, action: Action) -> Response:
        hazards.step(ports, caller, hazard, version, action)
        return go_on(f"/hazards/{hazard}")

    async def proofs(caller: Principal, hazard: UUID, files: Files) -> tuple[UUID, ...]:
        found = await run_in_threadpool(records.hazard, ports, caller, hazard)
        return await handed_in(ports, caller, found.plant, files)

    return router
