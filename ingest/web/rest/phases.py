"""REST: the phases of an equipment over time."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query

from ingest.domain.model.payload import iso
from ingest.services import caller_scope
from ingest.services.errors import BadParameter
from ingest.services.phase_history import phase_called, phase_spans
from ingest.services.ports import Ports
from ingest.services.timestamps import Instant
from ingest.web.caller import Caller
from ingest.web.rest import plants_schemas, schemas
from ingest.web.rest.plants import span_of
from ingest.web.rest.router import rest_router

LONGEST_D: Final = 31


def phases_router(ports: Ports) -> APIRouter:
    """Return the route on the phases of an equipment."""
    router = rest_router("/plants", tags=["plants"])

    @router.get("/{plant}/equipment/{equipment}/phases")
    async def phases(
        plant: str,
        equipment: str,
        caller: Caller,
        start: Annotated[Instant | None, Query(alias="from", description="default: an hour before `to`")] = None,
        end: Annotated[Instant | None, Query(alias="to", description="not included; default: now")] = None,
    ) -> plants_schemas.PhasesOut:
        """Show the phases an equipment was in, as the history has them, in the order of time; at most 31 days.

        Each from the device time of the reading that decided it. A time of which nothing is recorded has no phase:
        the service was down, or the history has not come so far. Readings that came late or were recorded earlier
        (`late`, `historical`) tell no phase, so a time that was filled in afterwards stays as it was: `unknown`, or
        without one.
        """
        machine = caller_scope.equipment(ports, caller, plant, equipment)
        first, last = span_of(ports, start, end)
        if last - first > LONGEST_D * 86_400_000_000_000:
            raise BadParameter("from", iso(first), f"a time at most {LONGEST_D} days before `to` = {iso(last)}")
        found = await phase_spans(ports, plant, machine, first, last)
        return plants_schemas.PhasesOut(
            plant=plant,
            equipment=equipment,
            start=str(iso(first)),
            end=str(iso(last)),
            process=[schemas.PhaseOut.model_validate(phase) for phase in machine.phases],
            phases=[
                plants_schemas.PhaseSpanOut(
                    start=str(iso(span.start)),
                    end=str(iso(span.end)),
                    phase=schemas.PhaseOut(
                        code=span.phase,
                        name=schemas.Said.model_validate(phase_called(machine, span.phase).text),
                    ),
                )
                for span in found
            ],
        )

    return router
