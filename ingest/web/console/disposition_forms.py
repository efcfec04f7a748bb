"""The console's form of feedback (处置) on alarms or a warning: cause, measure, who did it, and what shows it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from ingest.domain.cases.causes import CAUSES
from ingest.domain.cases.causes import Form as Kind
from ingest.domain.cases.disposition import Disposition
from ingest.domain.model.warning import Colour
from ingest.services import caller_scope
from ingest.services.cases import dispositions
from ingest.services.errors import BadParameter
from ingest.services.ports import Ports
from ingest.web.caller import Actor
from ingest.web.console.fields import MaybeProse, Moment, Name, Onward, Prose
from ingest.web.console.forms import go_on, own_form
from ingest.web.console.rendering import Renderer
from ingest.web.console.uploads import Files, handed_in, most_bytes
from ingest.web.inputs import MULTIPART
from ingest.web.routers import page_router

Code = Annotated[str, Form(max_length=64)]


def disposition_forms(ports: Ports, _render: Renderer) -> APIRouter:
    """Return the route of the form of feedback."""
    router = page_router(dependencies=[Depends(own_form)])

    @router.post("/dispositions", max_body_size=most_bytes(ports.cases.config.max_evidence_bytes + MULTIPART))
    async def dispose(
        actor: Actor,
        cause: Code,
        measure: Prose,
        person: Name,
        alarm: Annotated[list[UUID], Form()] = [],  # noqa: B006  FastAPI copies it
        raises: Annotated[list[int], Form()] = [],  # noqa: B006  FastAPI copies it
        warning: Annotated[UUID | None, Form()] = None,
        peak: Annotated[Colour | None, Form()] = None,
        handled: Moment = None,
        false_alarm: Code = "",
        words: MaybeProse = None,
        files: Files = [],  # noqa: B006  FastAPI copies it
        onward: Onward = "/alarms",
    ) -> Response:
        """Give feedback; once the value is back, too, the alarm is cleared (销警)."""
        plant = await run_in_threadpool(_plant, ports, actor, alarm, warning)
        evidence = await handed_in(ports, actor, plant, files)
        draft = Disposition(
            id=UUID(int=0),
            plant=plant,
            form=Kind.DEVICE if cause in CAUSES[Kind.DEVICE] else Kind.PROCESS,
            cause=cause,
            measure=measure,
            person=person,
            by=actor.name,
            role=actor.acts_as,
            handled=handled if handled is not None else ports.now(),
            given=0,
            alarms=tuple(alarm),
            warning=warning,
            false_alarm=false_alarm or None,
            words=words,
            evidence=evidence,
        )
        expected = dispositions.ExpectedState(dict(zip(alarm, raises, strict=False)), peak)
        await dispositions.give(ports, actor, draft, expected)
        return go_on(onward)

    return router


def _plant(ports: Ports, actor: Actor, alarms: list[UUID], warning: UUID | None) -> str:
    """The plant that the evidence belongs to."""
    if warning is not None:
        return caller_scope.warning(ports, actor, warning).plant
    if not alarms:
        raise BadParameter("alarms", [], "at least one alarm, or a warning")
    return caller_scope.alarm(ports, actor, alarms[0]).plant
