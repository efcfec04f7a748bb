"""REST: the roster (值班): who is on duty now, sign-in, hand-over, swaps."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from ingest.domain.model.plant import SERVICE
from ingest.services import caller_scope
from ingest.services.calls import duty
from ingest.services.ports import Ports
from ingest.web.caller import Caller
from ingest.web.rest import calls_schemas as schemas
from ingest.web.rest.router import rest_router


def duty_router(ports: Ports) -> APIRouter:
    """Return the routes on the roster."""
    router = rest_router("/duty", tags=["calls"])

    @router.get("")
    def rosters(caller: Caller, plant: str | None = None) -> schemas.DutyOut:
        """Show who is on duty now, by plant and position, and whom a call would ring."""
        chosen = [caller_scope.plant(ports, caller, plant)] if plant else caller_scope.plants(ports, caller)
        shown = [duty.of_plant(ports, of) for of in chosen if of.id != SERVICE]
        return schemas.DutyOut(plants=[schemas.duty_out(of) for of in shown])

    @router.post("/sign-in", status_code=201)
    def sign_in(caller: Caller, body: schemas.SignInIn) -> schemas.PresenceOut:
        """Sign somebody in until the end of the shift: calls ring whoever signed in."""
        return schemas.presence_out(duty.sign_in(ports, caller, body.plant, body.position, body.person))

    @router.post("/{presence}/sign-out")
    def sign_out(presence: UUID, caller: Caller) -> schemas.PresenceOut:
        """End a sign-in."""
        return schemas.presence_out(duty.sign_out(ports, caller, presence))

    @router.post("/{presence}/hand-over", status_code=201)
    def hand_over(presence: UUID, caller: Caller, body: schemas.HandOverIn) -> schemas.PresenceOut:
        """Hand a position over: one sign-in ends where the other begins."""
        return schemas.presence_out(duty.hand_over(ports, caller, presence, body.to))

    @router.post("/swaps", status_code=201)
    def swap(caller: Caller, body: schemas.SwapIn) -> schemas.SwapOut:
        """Plan a substitute for one shift."""
        made = duty.swap(ports, caller, body.plant, body.position, body.begin, body.person, body.substitute)
        return schemas.SwapOut.model_validate(made)

    return router
