"""Leads (线索) and inspections (执法检查) as inspectors take them on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from ingest.domain.cases import inspection as inspecting
from ingest.domain.cases import lead as leading
from ingest.domain.cases.hazard import Hazard, HazardSource
from ingest.domain.cases.inspection import Basis, Inspection, InspectionState, Result
from ingest.domain.cases.lead import Lead, LeadSource, LeadState
from ingest.services import caller_scope
from ingest.services.access import Principal
from ingest.services.cases import hazards, records
from ingest.services.errors import BadParameter, Conflict
from ingest.services.ports import Ports


def open_lead(ports: Ports, caller: Principal, plant: str, text: str) -> Lead:
    """Open a lead by hand. Raises NotThere."""
    caller_scope.plant(ports, caller, plant)
    lead = Lead(uuid4(), plant, LeadSource.HAND, text, ports.now(), caller.name)
    ports.cases.books.commit(
        added=[lead], acts=[records.act(ports, caller, "open", "lead", lead.id, plant, {"text": text})]
    )
    return lead


def take_lead(ports: Ports, caller: Principal, key: UUID, version: int) -> Lead:
    """Look into a lead. Raises NotThere, Conflict, CaseError."""
    lead = records.lead(ports, caller, key)
    records.seen("the lead", version, lead.version)
    after = leading.take(lead, by=caller.name, time=ports.now())
    ports.cases.books.commit(saved=[after], acts=[records.act(ports, caller, "take", "lead", key, lead.plant)])
    return after


def close_lead(ports: Ports, caller: Principal, key: UUID, version: int, remark: str) -> Lead:
    """Settle a lead. Raises NotThere, Conflict, CaseError."""
    lead = records.lead(ports, caller, key)
    records.seen("the lead", version, lead.version)
    after = leading.close(lead, by=caller.name, time=ports.now(), remark=remark)
    told = records.act(ports, caller, "close", "lead", key, lead.plant, {"remark": remark})
    ports.cases.books.commit(saved=[after], acts=[told])
    return after


def plan(ports: Ports, caller: Principal, wish: Inspection) -> Inspection:
    """Enter an inspection; one after a lead takes that lead along.

    Raises:
        NotThere, BadParameter, Conflict: the plant or the lead, or the lead is closed.
        Incomplete: something is missing.
    """
    caller_scope.plant(ports, caller, wish.plant)
    inspection = replace(wish, id=uuid4(), made=ports.now(), made_by=caller.name)
    inspecting.check(inspection)
    detail = {
        "basis": str(inspection.basis),
        "day": inspection.day.isoformat(),
        "inspectors": list(inspection.inspectors),
    }
    acts = [records.act(ports, caller, "plan", "inspection", inspection.id, inspection.plant, detail)]
    saved = []
    if inspection.basis is Basis.LEAD and inspection.lead is not None:
        lead = records.lead(ports, caller, inspection.lead)
        if lead.plant != inspection.plant:
            raise BadParameter("lead", str(inspection.lead), f"a lead of plant {inspection.plant}")
        if lead.state is LeadState.CLOSED:
            raise Conflict("the lead is closed")
        if lead.state is LeadState.OPEN:
            lead = leading.take(lead, by=caller.name, time=inspection.made)
            acts.append(records.act(ports, caller, "take", "lead", lead.id, lead.plant))
        else:
            lead = replace(lead, version=lead.version + 1)
        saved.append(replace(lead, inspection=inspection.id))
    ports.cases.books.commit(added=[inspection], saved=saved, acts=acts)
    return inspection


def begin(ports: Ports, caller: Principal, key: UUID, version: int) -> Inspection:
    """The inspectors are there. Raises NotThere, Conflict, CaseError."""
    return _step(
        ports, caller, key, version, "begin", lambda inspection: inspecting.begin(inspection, time=ports.now())
    )


def find(ports: Ports, caller: Principal, key: UUID, version: int, text: str, hazard: UUID | Hazard) -> Inspection:
    """Note a finding; the hazard it is may be known, or opened with it.

    Raises:
        NotThere, BadParameter, Conflict, CaseError: the inspection or the hazard.
    """
    inspection = records.inspection(ports, caller, key)
    records.seen("the inspection", version, inspection.version)
    acts, added = [], []
    if isinstance(hazard, Hazard):
        wish = replace(hazard, plant=inspection.plant, source=HazardSource.INSPECTION, origin=str(key))
        new = hazards.found(ports, caller, wish)
        added = hazards.opened(new, caller)
        acts.append(
            records.act(
                ports, caller, hazards.FIND, "hazard", new.id, new.plant, {"title": new.title, "inspection": str(key)}
            )
        )
        hazard = new.id
    elif records.hazard(ports, caller, hazard).plant != inspection.plant:
        raise BadParameter("hazard", str(hazard), f"a hazard of plant {inspection.plant}")
    after = inspecting.find(inspection, text, hazard, by=caller.name, time=ports.now())
    acts.append(
        records.act(ports, caller, "find", "inspection", key, inspection.plant, {"text": text, "hazard": str(hazard)})
    )
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
    records.proofs(ports, records.inspection(ports, caller, key).plant, evidence)

    def end(inspection: Inspection) -> Inspection:
        return inspecting.conclude(
            inspection, result, document, by=caller.name, time=ports.now(), remark=remark, evidence=evidence
        )

    return _step(ports, caller, key, version, "conclude", end, result=str(result), document=document, remark=remark)


def cancel(ports: Ports, caller: Principal, key: UUID, version: int, remark: str) -> Inspection:
    """Call it off. Raises NotThere, Conflict, CaseError."""

    def end(inspection: Inspection) -> Inspection:
        return inspecting.cancel(inspection, by=caller.name, time=ports.now(), remark=remark)

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
    inspection = records.inspection(ports, caller, key)
    records.seen("the inspection", version, inspection.version)
    after = change(inspection)
    told = records.act(ports, caller, step, "inspection", key, inspection.plant, said)
    ports.cases.books.commit(saved=[after], acts=[told])
    return after
