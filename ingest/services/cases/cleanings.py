"""Recording dust cleaning (粉尘清扫), and how the areas of plants stand with their plans."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

from ingest.domain.cases.cleaning import AreaStatus, Cleaning, CleaningStanding, check, status_of
from ingest.domain.model.payload import iso
from ingest.services import caller_scope
from ingest.services.access import Principal
from ingest.services.cases import records
from ingest.services.errors import BadParameter
from ingest.services.ports import Ports

_URGENCY = list(CleaningStanding)


def record(ports: Ports, caller: Principal, draft: Cleaning) -> Cleaning:
    """Record that an area was cleaned, in the caller's name.

    Raises:
        NotFound, BadParameter: the plant, its area, or evidence that is not its own.
        Incomplete: something is missing or cannot be so.
    """
    plant = caller_scope.plant(ports, caller, draft.plant)
    if draft.area not in {area.id for area in plant.cleaning}:
        raise BadParameter("area", draft.area, f"an area of plant {plant.id}")
    cleaning = replace(draft, id=uuid4(), by=caller.name, given=ports.now())
    check(cleaning, cleaning.given)
    records.require_evidence(ports, plant.id, cleaning.evidence)
    detail = {"area": cleaning.area, "at": iso(cleaning.done), "result": cleaning.result, "person": cleaning.cleaner}
    act = records.act(ports, caller, "record", "cleaning", cleaning.id, plant.id, detail)
    ports.cases.store.commit(added=[cleaning], acts=[act])
    return cleaning


def areas(ports: Ports, caller: Principal, plant: str | None = None) -> list[AreaStatus]:
    """Return how each area in scope stands, the gravest first. Raises NotFound."""
    plants = [caller_scope.plant(ports, caller, plant)] if plant else caller_scope.plants(ports, caller)
    now, last = ports.now(), ports.cases.cleaned.last
    found = [status_of(each.id, area, last(each.id, area.id), now) for each in plants for area in each.cleaning]
    return sorted(found, key=lambda status: -_URGENCY.index(status.standing))
