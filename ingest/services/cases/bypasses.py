"""Registrations of bypassed interlocks: asked for, taken a step on, and compared with what the interlocks show."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from anyio import from_thread

from ingest.domain.cases.bypass import Bypass, BypassState
from ingest.domain.cases.bypass_steps import BypassStep
from ingest.domain.cases.verbs import Form, advance
from ingest.domain.model.plant import Point
from ingest.engine.bypasses import RequestBypass, TakeBypassStep
from ingest.services import caller_scope
from ingest.services.access import Principal
from ingest.services.cases import records
from ingest.services.engine_commands import carry_out, person
from ingest.services.errors import NotFound
from ingest.services.ports import Ports

Interlock = Literal["in-service", "bypassed", "unknown"]
"""What an interlock shows of itself; unknown: bad, stale or missing, which is never taken for in service."""


def request(
    ports: Ports,
    caller: Principal,
    plant: str,
    point: str,
    reason: str,
    measure: str,
    hours: int | None,
    begins: int | None,
) -> Bypass:
    """Ask for an interlock of a plant in scope to be bypassed. From a worker thread.

    Raises:
        NotFound: no such plant or point in scope.
        CaseError: it cannot be so.
        Conflict: it is no interlock, or has a registration that is not closed.
    """
    caller_scope.point(ports, caller, plant, point)
    command = RequestBypass(plant, point, reason, measure, person(caller), hours, begins)
    return from_thread.run(carry_out, ports, command)


def take(ports: Ports, caller: Principal, key: UUID, version: int, form: Form[Any]) -> Bypass:
    """Have the engine take a step, since its alarms go by it. From a worker thread. Raises as `steps.take`."""
    records.bypass(ports, caller, key)
    try:
        return from_thread.run(carry_out, ports, TakeBypassStep(key, version, form, person(caller)))
    except NotFound:  # the engine forgets closed ones, the records do not
        closed = records.bypass(ports, caller, key)
        advance(BypassStep, closed, form, by=caller.name, role=caller.acts_as, time=ports.now())
        raise


def interlock_of(ports: Ports, record: Bypass) -> Interlock:
    """Return what the interlock of a registration shows now."""
    point = ports.live.configuration().find(record.plant, record.point)
    bypassed = ports.live.view().bypassed(point) if point is not None else None
    return "unknown" if bypassed is None else "bypassed" if bypassed else "in-service"


def to_close(record: Bypass, interlock: Interlock) -> bool:
    """Whether the interlock is in service again, and its registration is not closed."""
    return interlock == "in-service" and record.state in {BypassState.IN_FORCE, BypassState.EXPIRED}


def interlocks(ports: Ports, caller: Principal, plant: str | None = None) -> list[Point]:
    """Return the interlocks of the plants in scope, or of one of them."""
    plants = [caller_scope.plant(ports, caller, plant)] if plant else caller_scope.plants(ports, caller)
    return [point for plant in plants for point in plant.points if point.interlock]
