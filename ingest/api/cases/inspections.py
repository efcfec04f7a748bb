"""Leads (线索) and inspections (执法检查) as inspectors take them on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from ingest.api import reach
from ingest.api.access import Principal
from ingest.api.cases import books, hazards
from ingest.api.errors import BadParameter, Conflict
from ingest.api.ports import Ports
from ingest.cases import inspection as inspecting
from ingest.cases import lead as leading
from ingest.cases.hazard import Hazard, HazardSource
from ingest.cases.inspection import Basis, Inspection, InspectionState, Result
from ingest.cases.lead import Lead, LeadSource, LeadState


def open_lead(ports: Ports, caller: Principal, plant: str, text: str) -> Lead:
    """Open a lead by hand. Raises NotThere."""
    reach.plant(ports, caller, plant)
    one = Lead(uuid4(), plant, LeadSource.HAND, text, ports.now(), caller.name)
    ports.cases.books.commit(
        added=[one], acts=[books.act(ports, caller, "open", "lead", one.id, plant, {"text": text})]
    )
    return one


def take_lead(ports: Ports, caller: Principal, key: UUID, version: int) -> Lead:
    """Look into a lead. Raises NotThere, Conflict, CaseError."""
    one = books.lead(ports, caller, key)
    books.seen("the lead", version, one.version)
    after = leading.take(one, by=caller.name, time=ports.now())
    ports.cases.books.commit(saved=[after], acts=[books.act(ports, caller, "take", "lead", key, one.plant)])
    return after


def close_lead(ports: Ports, caller: Principal, key: UUID, version: int, remark: str) -> Lead:
    """Settle a lead. Raises NotThere, Conflict, CaseError."""
    one = books.lead(ports, caller, key)
    books.seen("the lead", version, one.version)
    after = leading.close(one, by=caller.name, time=ports.now(), remark=remark)
    told = books.act(ports, caller, "close", "lead", key, one.plant, {"remark": remark})
    ports.cases.books.commit(saved=[after], acts=[told])
    return after


def plan(ports: Ports, caller: Principal, wish: Inspection) -> Inspection:
    """Enter an inspection; one after a lead takes that lead along.

    Raises:
        NotThere, BadParameter, Conflict: the plant or the lead, or the lead is closed.
        Incomplete: something is missing.
    """
    reach.plant(ports, caller, wish.plant)
    one = replace(wish, id=uuid4(), made=ports.now(), made_by=caller.name)
    inspecting.check(one)
    detail = {"basis": str(one.basis), "day": one.day.isoformat(), "inspectors": list(one.inspectors)}
    acts = [books.act(ports, caller, "plan", "inspection", one.id, one.plant, detail)]
    saved = []
    if one.basis is Basis.LEAD and one.lead is not None:
        lead = books.lead(ports, caller, one.lead)
        if lead.plant != one.plant:
            raise BadParameter("lead", str(one.lead), f"a lead of plant {one.plant}")
        if lead.state is LeadState.CLOSED:
            raise Conflict("the lead is closed")
        if lead.state is LeadState.OPEN:
            lead = leading.take(lead, by=caller.name, time=one.made)
            acts.append(books.act(ports, caller, "take", "lead", lead.id, lead.plant))
        else:
            lead = replace(lead, version=lead.version + 1)
        saved.append(replace(lead, inspection=one.id))
    ports.cases.books.commit(added=[one], saved=saved, acts=acts)
    return one


def begin(ports: Ports, caller: Principal, key: UUID, version: int) -> Inspection:
    """The inspectors are there. Raises NotThere, Conflict, CaseError."""
    return _step(ports, caller, key, version, "begin", lambda one: inspecting.begin(one, time=ports.now()))


def find(ports: Ports, caller: Principal, key: UUID, version: int, text: str, hazard: UUID | Hazard) -> Inspection:
    """Note a finding; the hazard it is may be known, or opened with it.

    Raises:
        NotThere, BadParameter, Conflict, CaseError: the inspection or the hazard.
    """
    one = books.inspection(ports, caller, key)
    books.seen("the inspection", version, one.version)
    acts, added = [], []
    if isinstance(hazard, Hazard):
        wish = replace(hazard, plant=one.plant, source=HazardSource.INSPECTION, origin=str(key))
        new = hazards.found(ports, caller, wish)
        added = hazards.opened(new, caller)
        acts.append(
            books.act(
                ports, caller, hazards.FIND, "hazard", new.id, new.plant, {"title": new.title, "inspection": str(key)}
            )
        )
        hazard = new.id
    elif books.hazard(ports, caller, hazard).plant != one.plant:
        raise BadParameter("hazard", str(hazard), f"a hazard of plant {one.plant}")
    after = inspecting.find(one, text, hazard, by=caller.name, time=ports.now())
    acts.append(books.act(ports, caller, "find", "inspection", key, one.plant, {"text": text, "hazard": str(hazard)}))
    ports.cases.books.commit(added=added, saved=[after], acts=acts)
    return after


def conclude(
    ports: Ports,
    caller: Principal,
    key: UUID,
    version: int,
    *,
    result: Result,
    document: str,
    remark: str | None,
    evidence: tuple[UUID, ...],
) -> Inspection:
    """End it with a result and the number of its document. Raises NotThere, BadParameter, Conflict, CaseError."""
    books.proofs(ports, books.inspection(ports, caller, key).plant, evidence)

    def end(one: Inspection) -> Inspection:
        return inspecting.conclude(
            one, result, document, by=caller.name, time=ports.now(), remark=remark, evidence=evidence
        )

    return _step(ports, caller, key, version, "conclude", end, result=str(result), document=document, remark=remark)


def cancel(ports: Ports, caller: Principal, key: UUID, version: int, remark: str) -> Inspection:
    """Call it off. Raises NotThere, Conflict, CaseError."""

    def end(one: Inspection) -> Inspection:
        return inspecting.cancel(one, by=caller.name, time=ports.now(), remark=remark)

    return _step(ports, caller, key, version, "cancel", end, remark=remark)


def open_states() -> frozenset[InspectionState]:
    """States in which something is still to be done."""
    return frozenset({InspectionState.PLANNED, InspectionState.UNDER_WAY})


def _step(
    ports: Ports,
    caller: Principal,
    key: UUID,
    version: int,
    step: str,
    change: Callable[[Inspection], Inspection],
    **said: Any,
) -> Inspection:
    one = books.inspection(ports, caller, key)
    books.seen("the inspection", version, one.version)
    after = change(one)
    told = books.act(ports, caller, step, "inspection", key, one.plant, said)
    ports.cases.books.commit(saved=[after], acts=[told])
    return after
