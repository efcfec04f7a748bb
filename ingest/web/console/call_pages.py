"""The console's pages on calls (叫应) and on the roster (值班), with their forms."""

from __future__ import annotations

from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from ingest.domain.calls.happenings import Answer, Arrival, Refusal, UnderWay
from ingest.domain.model.call import EVENT_TEXTS, Cause
from ingest.domain.model.plant import SERVICE
from ingest.services import caller_scope
from ingest.services.calls import answers, duty
from ingest.services.ports import Ports
from ingest.storage.state.call_store import CallFilter
from ingest.web.caller import Caller, Inspector
from ingest.web.console import wording
from ingest.web.console.fields import Name, Onward
from ingest.web.console.forms import go_on, own_form
from ingest.web.console.rendering import Renderer, plant_names
from ingest.web.inputs import Number
from ingest.web.paging import cut, read_token
from ingest.web.routers import page_router
from ingest.web.texts.calls import RECEIPTS, STATES_OF_CALLS, WAYS, title_of_call

SHOWN: Final = 50
WAY: Final = "console"

Which = Literal["", "all"]
PlantKey = Annotated[str, Form(max_length=64)]


def call_pages(ports: Ports, render: Renderer) -> APIRouter:
    """Return the routes of the pages on calls and of their forms."""
    router = page_router("/calls")

    @router.get("")
    def list_calls(request: Request, caller: Caller, plant: str = "", state: Which = "", cursor: str = "") -> Response:
        """Show calls, those under way unless the filters ask for all."""
        which = CallFilter(caller_scope.narrowed(caller, plant or None), open=None if state else True)
        found = ports.calls.store.calls(which, limit=SHOWN + 1, before=read_token(cursor or None))
        page, older = cut(found, SHOWN, lambda call: (call.began, call.id))
        duties = [duty.of_plant(ports, of) for of in caller_scope.plants(ports, caller) if of.id != SERVICE]
        return render.page(
            request,
            "calls.html",
            calls=page,
            older=older,
            uncalled=[of.plant for of in duties if of.nobody],
            names=plant_names(ports, caller),
            call_title=title_of_call,
            call_states=STATES_OF_CALLS,
            chosen={"plant": plant, "state": state},
        )

    @router.post("/roll", dependencies=[Depends(own_form)])
    def call_the_roll(caller: Inspector, plant: PlantKey) -> Response:
        """Call the roll of a plant."""
        return go_on(f"/calls/{answers.call_the_roll(ports, caller, plant).id}")

    @router.get("/{call}")
    def show_call(request: Request, caller: Caller, call: UUID) -> Response:
        """Show a call: who was rung by what, what came of it, and what happened when."""
        found = answers.shown(answers.call(ports, caller, call), caller, ports.calls.config)
        return render.page(
            request,
            "call.html",
            call=found,
            history=ports.calls.store.events(call)[::-1],
            sent=ports.calls.store.sent(found),
            about=_about(found.cause, found.subject),
            names=plant_names(ports, caller),
            call_title=title_of_call,
            call_states=STATES_OF_CALLS,
            receipts=RECEIPTS,
            ways=WAYS,
            call_events=EVENT_TEXTS,
        )

    @router.post("/{call}/answer", dependencies=[Depends(own_form)])
    def answer(caller: Caller, call: UUID, onward: Onward = "/calls") -> Response:
        """Answer a call."""
        answers.take(ports, caller, call, Answer(ports.now(), caller.name, WAY))
        return go_on(onward)

    @router.post("/{call}/refuse", dependencies=[Depends(own_form)])
    def refuse(caller: Caller, call: UUID, person: Name, onward: Onward = "/calls") -> Response:
        """Say that somebody who is rung cannot come."""
        answers.take(ports, caller, call, Refusal(ports.now(), person, caller.name))
        return go_on(onward)

    @router.post("/{call}/under-way", dependencies=[Depends(own_form)])
    def go(caller: Caller, call: UUID, onward: Onward = "/calls") -> Response:
        """Say that the caller goes there."""
        answers.take(ports, caller, call, UnderWay(ports.now(), caller.name, WAY))
        return go_on(onward)

    @router.post("/{call}/arrived", dependencies=[Depends(own_form)])
    def arrive(caller: Caller, call: UUID, onward: Onward = "/calls") -> Response:
        """Say that the caller is there."""
        answers.take(ports, caller, call, Arrival(ports.now(), caller.name, WAY))
        return go_on(onward)

    return router


def duty_pages(ports: Ports, render: Renderer) -> APIRouter:
    """Return the routes of the page of the roster and of its forms."""
    router = page_router("/duty")

    @router.get("")
    def rosters(request: Request, caller: Caller, plant: str = "") -> Response:
        """Show who is on duty now, by plant and position."""
        chosen = [caller_scope.plant(ports, caller, plant)] if plant else caller_scope.plants(ports, caller)
        return render.page(
            request,
            "duty.html",
            duties=[duty.of_plant(ports, of) for of in chosen if of.id != SERVICE],
            people=[person.name for person in ports.calls.config.people],
            minute=wording.minute,
            names=plant_names(ports, caller),
            chosen={"plant": plant},
        )

    @router.post("/sign-in", dependencies=[Depends(own_form)])
    def sign_in(caller: Caller, plant: PlantKey, position: Name, person: Name, onward: Onward = "/duty") -> Response:
        """Sign somebody in until the end of the shift."""
        duty.sign_in(ports, caller, plant, position, person)
        return go_on(onward)

    @router.post("/swaps", dependencies=[Depends(own_form)])
    def swap(
        caller: Caller,
        plant: PlantKey,
        position: Name,
        begin: Annotated[Number, Form()],
        person: Name,
        substitute: Name,
        onward: Onward = "/duty",
    ) -> Response:
        """Plan a substitute for one shift."""
        duty.swap(ports, caller, plant, position, begin, person, substitute)
        return go_on(onward)

    @router.post("/{presence}/sign-out", dependencies=[Depends(own_form)])
    def sign_out(caller: Caller, presence: UUID, onward: Onward = "/duty") -> Response:
        """End a sign-in."""
        duty.sign_out(ports, caller, presence)
        return go_on(onward)

    @router.post("/{presence}/hand-over", dependencies=[Depends(own_form)])
    def hand_over(caller: Caller, presence: UUID, to: Name, onward: Onward = "/duty") -> Response:
        """Hand a position over."""
        duty.hand_over(ports, caller, presence, to)
        return go_on(onward)

    return router


def _about(cause: Cause, subject: str) -> str | None:
    """Return the path of the page on what a call is for."""
    match cause:
        case Cause.WARNING:
            return f"/warnings/{subject}"
        case Cause.ALARM | Cause.SYSTEM:
            return f"/alarms/{subject}"
        case Cause.ROLL_CALL:
            return None
