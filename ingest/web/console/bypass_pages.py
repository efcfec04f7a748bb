"""The console's pages on bypassed interlocks (联锁旁路登记), with the form that asks for one."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from ingest.domain.cases.bypass import OPEN_STATES, Bypass, BypassFilter, BypassState
from ingest.domain.cases.bypass_steps import BypassStep
from ingest.services import caller_scope
from ingest.services.all_pages import read_all
from ingest.services.cases import bypasses, records
from ingest.services.ports import Ports
from ingest.web.caller import Actor, Caller
from ingest.web.console.fields import MaybeHours, Moment, Words
from ingest.web.console.forms import go_on, own_form
from ingest.web.console.rendering import Renderer, plant_names
from ingest.web.paging import cut, read_token
from ingest.web.routers import page_router

OVER_SHOWN: Final = 50
_OVER: Final = frozenset(BypassState) - OPEN_STATES


def bypass_pages(ports: Ports, render: Renderer) -> APIRouter:
    """Return the routes of the pages on bypassed interlocks."""
    router = page_router("/bypasses")

    @router.get("")
    def list_bypasses(request: Request, caller: Caller, plant: str = "", cursor: str = "") -> Response:
        """Show registrations that wait for approval, are in force, and are over."""
        scope = caller_scope.narrowed(caller, plant or None)
        pages = partial(ports.cases.store.bypasses, BypassFilter(scope, OPEN_STATES))
        open_ = list(read_all(pages, _place))
        over = BypassFilter(scope, _OVER)
        found = ports.cases.store.bypasses(over, limit=OVER_SHOWN + 1, before=read_token(cursor or None))
        page, older = cut(found, OVER_SHOWN, _place)
        now = [record for record in open_ if record.state is not BypassState.REQUESTED]
        return render.page(
            request,
            "bypasses.html",
            waiting=[record for record in open_ if record.waits],
            now_open=sorted(now, key=lambda record: (record.until or 0, record.id)),
            shows={record.id: bypasses.interlock_of(ports, record) for record in open_},
            over=page,
            older=older,
            interlocks=bypasses.interlocks(ports, caller, plant or None) if caller.may_act else (),
            most=ports.load.config.bypass_max_h,
            find=ports.live.configuration().find,
            names=plant_names(ports, caller),
            chosen=plant,
        )

    @router.post("", dependencies=[Depends(own_form)])
    def request_bypass(
        actor: Actor,
        interlock: Annotated[str, Form(max_length=129)],
        reason: Words,
        measure: Words,
        hours: MaybeHours = None,
        begins: Moment = None,
    ) -> Response:
        """Ask for an interlock to be bypassed; `interlock` is PLANT/POINT."""
        plant, _, point = interlock.partition("/")
        made = bypasses.request(ports, actor, plant, point, reason, measure, hours, begins)
        return go_on(f"/bypasses/{made.id}")

    @router.get("/{bypass}")
    def bypass(request: Request, caller: Caller, bypass: UUID) -> Response:
        """Show one registration and what can be done with it."""
        found = records.bypass(ports, caller, bypass)
        shows = bypasses.interlock_of(ports, found)
        return render.page(
            request,
            "bypass.html",
            bypass=found,
            shows=shows,
            to_close=bypasses.to_close(found, shows),
            point=ports.live.configuration().find(found.plant, found.point),
            names=plant_names(ports, caller),
            steps=BypassStep.offered(found, caller.name, caller.role),
        )

    return router


def _place(record: Bypass) -> tuple[int, UUID]:
    return record.requested, record.id
