"""Pages of the console on warnings: open and closed warnings, and a warning with its reasons and history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from ingest.domain.cases.causes import CAUSES, FALSE_ALARMS
from ingest.domain.cases.disposition import DispositionFilter
from ingest.domain.model.payload import iso
from ingest.domain.model.warning import Colour, WarningEvent, WarningFilter, WarningState
from ingest.domain.warnings.explain import Explanation, NotYet, explain, explain_event
from ingest.engine.warning_commands import AcknowledgeWarning, FeedBack
from ingest.services import caller_scope
from ingest.services.engine_commands import person
from ingest.services.errors import BadParameter
from ingest.services.ports import Ports
from ingest.services.warning_commands import order, seen_colour
from ingest.web.caller import Caller
from ingest.web.console.fields import Maybe, Onward, Words, parse_moment
from ingest.web.console.forms import go_on, own_form
from ingest.web.console.rendering import Renderer, plant_names
from ingest.web.console.uploads import proofs
from ingest.web.console.warning_views import (
    STATES_LIVE,
    asked_steps,
    escalation_steps,
    moments,
    offer_of,
    open_warnings,
    page_of,
    plant_risks,
)
from ingest.web.inputs import Number
from ingest.web.paging import cut, read_token
from ingest.web.routers import page_router

PAST_SHOWN: Final = 30
PARTS: Final = {"head": "_warning_head.html", "body": "_warning.html"}
"""Fragments of a warning's page that reload by themselves."""

_TO_THE_MINUTE: Final = len("2026-11-23T14:12")

Peak = Annotated[Colour | None, Form()]
"""The highest colour of the warning that the page showed."""


def warning_pages(ports: Ports, render: Renderer) -> APIRouter:
    """Return the routes of the pages on warnings."""
    router = page_router("/warnings")

    @router.get("")
    @router.get("/table")
    def warnings(
        request: Request, caller: Caller, plant: str = "", cursor: str = "", after: UUID | None = None
    ) -> Response:
        """Show open warnings, the gravest first, then the plants without one, then closed warnings."""
        scope = caller_scope.narrowed(caller, plant or None)
        closed = WarningFilter(plants=scope, states=frozenset({WarningState.CLOSED}))
        found = ports.warnings.warnings(closed, limit=PAST_SHOWN + 1, before=read_token(cursor or None))
        past, older = cut(found, PAST_SHOWN, lambda warning: (warning.raised, warning.id))
        risks = plant_risks(ports, caller, plant or None)
        current = open_warnings(ports, scope)
        warned = {warning.plant for warning in current}
        shown, more = page_of(current, after)
        return render.page(
            request,
            "_warnings.html" if request.url.path.endswith("/table") else "warnings.html",
            open_warnings=[(warning, escalation_steps(warning)) for warning in shown] if not cursor else None,
            count=len(current),
            fall_after=ports.live.fall_after(),
            more=more,
            quiet=[plant_risk for key, plant_risk in risks.items() if key not in warned],
            risks=risks,
            past=past,
            older=older,
            names=plant_names(ports, caller),
            chosen=plant,
            query=request.url.query,
        )

    @router.get("/count")
    def count(request: Request, caller: Caller) -> Response:
        """Show how many warnings wait for an answer."""
        found = open_warnings(ports, caller.plants)
        return render.page(
            request,
            "_count.html",
            count=str(sum(warning.asking is not None for warning in found)),
            of="warnings.waiting",
        )

    @router.get("/{warning}")
    @router.get("/{warning}/head")
    @router.get("/{warning}/body")
    def warning(request: Request, caller: Caller, warning: UUID, at: str = "", event: Number | None = None) -> Response:
        """Show a warning: its state, its reasons (also at an earlier time), and its history."""
        found = caller_scope.warning(ports, caller, warning)
        history = ports.warnings.warning_history(warning)
        dispositions = ports.cases.store.dispositions(DispositionFilter(warning=warning), limit=20)
        return render.page(
            request,
            PARTS.get(request.url.path.rpartition("/")[2], "warning.html"),
            warning=found,
            plant=ports.live.configuration().plants.get(found.plant),
            moments=moments(history),
            rungs=escalation_steps(found, asked_steps(history)),
            explained=_explained(history, at, event),
            at=at,
            hidden={} if at or event is not None else caller_scope.hiding(ports, found.plant),
            live=found.state in STATES_LIVE,
            offer=offer_of(found, caller),
            fall_after=ports.live.fall_after(),
            find=ports.live.configuration().find,
            causes=CAUSES,
            false_alarms=FALSE_ALARMS,
            dispositions=[(disposition, proofs(ports, disposition.evidence)) for disposition in dispositions],
            query=request.url.query,
        )

    @router.post("/{warning}/acknowledge", dependencies=[Depends(own_form)])
    async def acknowledge(
        caller: Caller, warning: UUID, comment: Maybe = None, peak: Peak = None, onward: Onward = "/warnings"
    ) -> Response:
        """Acknowledge a warning; the step of escalation decides whether the caller may."""
        seen = await run_in_threadpool(seen_colour, ports, caller, warning, peak)
        await order(ports, caller, warning, AcknowledgeWarning(warning, person(caller), comment, seen))
        return go_on(onward)

    @router.post("/{warning}/feedback", dependencies=[Depends(own_form)])
    async def feed_back(
        caller: Caller, warning: UUID, cause: Words, measure: Words, peak: Peak = None, onward: Onward = "/warnings"
    ) -> Response:
        """Give supervision's feedback on a warning; the plant's people use the form of dispositions."""
        seen = await run_in_threadpool(seen_colour, ports, caller, warning, peak)
        await order(ports, caller, warning, FeedBack(warning, person(caller), cause, measure, seen))
        return go_on(onward)

    return router


def _explained(history: Sequence[WarningEvent], at: str, event: int | None) -> Explanation | None:
    """Explain the warning's colour at a time, right after an event, or now."""
    if not history:
        return None
    if event is not None:
        return explain_event(history, event)
    try:
        time = parse_moment(at)
        # the whole minute, or second, that was given counts
        within = (60 if len(at) == _TO_THE_MINUTE else 1) * 10**9 - 1
        return explain(history, history[-1].time if time is None else time + within)
    except NotYet as error:
        raise BadParameter("at", at, f"a time not before {iso(error.raised)}") from error
    except ValueError as error:
        raise BadParameter("at", at, str(error)) from error
