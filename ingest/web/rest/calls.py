"""REST: calls (叫应), what people answer, and what channels report."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from ingest.domain.calls.happenings import Answer, Arrival, Happening, Refusal, UnderWay
from ingest.domain.model.call import Call, CallState, Receipt
from ingest.services import caller_scope
from ingest.services.access import Principal
from ingest.services.calls import answers
from ingest.services.ports import Ports
from ingest.services.timestamps import Instant
from ingest.storage.state.call_store import CallFilter
from ingest.web.caller import Caller, Channel, Inspector
from ingest.web.paging import Cursor, Limit, cut, read_token
from ingest.web.rest import calls_schemas as schemas
from ingest.web.rest.router import rest_router

WAY = "api"


def calls_router(ports: Ports) -> APIRouter:
    """Return the routes on calls."""
    router = rest_router("/calls", tags=["calls"])

    @router.get("")
    def list_calls(
        caller: Caller,
        plant: str | None = None,
        state: CallState | None = None,
        standing: Annotated[bool | None, Query(description="an answer or an arrival is awaited; default: both")] = None,
        since: Annotated[Instant | None, Query(description="begun at or after")] = None,
        until: Annotated[Instant | None, Query(description="begun before")] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> schemas.CallPage:
        """List calls, newest first."""
        which = CallFilter(caller_scope.narrowed(caller, plant), state, standing, since, until)
        found = ports.calls.store.calls(which, limit=limit + 1, before=read_token(cursor))
        page, following = cut(found, limit, lambda call: (call.began, call.id))
        return schemas.CallPage(calls=[schemas.call_out(call) for call in page], next=following)

    @router.get("/{call}")
    def show_call(call: UUID, caller: Caller) -> schemas.CallDetail:
        """Show one call with each person's receipts and its history."""
        return _detail(ports, caller, answers.call(ports, caller, call))

    @router.post("/{call}/answer")
    def answer(call: UUID, caller: Caller) -> schemas.CallDetail:
        """Answer a call: the ringing stops on every channel. The warning or alarm stays to be acknowledged."""
        return taken(caller, call, Answer(ports.now(), caller.name, WAY))

    @router.post("/{call}/refuse")
    def refuse(call: UUID, caller: Caller, body: schemas.RefusalIn) -> schemas.CallDetail:
        """Say that somebody who is rung cannot come: the next person is rung at once."""
        return taken(caller, call, Refusal(ports.now(), body.person, caller.name))

    @router.post("/{call}/under-way")
    def go(call: UUID, caller: Caller) -> schemas.CallDetail:
        """Say that the caller goes there, which answers the call, too."""
        return taken(caller, call, UnderWay(ports.now(), caller.name, WAY))

    @router.post("/{call}/arrived")
    def arrive(call: UUID, caller: Caller) -> schemas.CallDetail:
        """Say that the caller is there: nobody else has to go."""
        return taken(caller, call, Arrival(ports.now(), caller.name, WAY))

    def taken(caller: Principal, key: UUID, happened: Happening) -> schemas.CallDetail:
        return _detail(ports, caller, answers.take(ports, caller, key, happened))

    return router


def call_reports_router(ports: Ports) -> APIRouter:
    """Return the routes by which channels report on attempts, and supervision calls the roll."""
    router = rest_router("/calls", tags=["calls"])

    @router.post("/roll", status_code=201)
    def call_the_roll(caller: Inspector, body: schemas.RollIn) -> schemas.CallDetail:
        """Call the roll of a plant (在线抽查): whoever is on duty is rung once. Inspectors and admins only."""
        return _detail(ports, caller, answers.call_the_roll(ports, caller, body.plant))

    @router.post("/receipts/{channel}")
    def receive(
        caller: Channel, channel: Annotated[str, Path(max_length=64)], body: schemas.ReceiptIn
    ) -> schemas.ReceiptOut:
        """Report on an attempt, by a token of role channel and of the channel's name. May be repeated."""
        receipt = Receipt(body.receipt)
        known = answers.receive(ports, caller, channel, body.attempt, receipt, body.detail)
        return schemas.ReceiptOut(known=known)

    return router


def _detail(ports: Ports, caller: Principal, call: Call) -> schemas.CallDetail:
    store = ports.calls.store
    shown = answers.shown(call, caller, ports.calls.config)
    return schemas.call_detail(shown, store.events(call.id), store.sent(call))
