"""Opening leads (线索) and inspections (执法检查), and findings; their other steps are in `steps`."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

from ingest.domain.cases.hazard import Hazard, HazardSource
from ingest.domain.cases.inspection import Basis, Inspection, check
from ingest.domain.cases.inspection_steps import Find, InspectionStep
from ingest.domain.cases.lead import Lead, LeadSource, LeadState
from ingest.domain.cases.lead_steps import LeadStep, Take
from ingest.domain.cases.verbs import advance
from ingest.services import caller_scope
from ingest.services.access import Principal
from ingest.services.cases import hazards, records
from ingest.services.errors import BadParameter, Conflict
from ingest.services.ports import Ports


def open_lead(ports: Ports, caller: Principal, plant: str, text: str) -> Lead:
    """Open a lead by hand. Raises NotFound."""
    caller_scope.plant(ports, caller, plant)
    lead = Lead(uuid4(), plant, LeadSource.HAND, text, ports.now(), caller.name)
    act = records.act(ports, caller, "open", "lead", lead.id, plant, {"text": text})
    ports.cases.store.commit(added=[lead], acts=[act])
    return lead


def plan(ports: Ports, caller: Principal, draft: Inspection) -> Inspection:
    """Enter an inspection; one after a lead takes that lead along.

    Raises:
        NotFound, BadParameter, Conflict: the plant or the lead, or the lead is closed.
        Incomplete: something is missing.
    """
    caller_scope.plant(ports, caller, draft.plant)
    inspection = replace(draft, id=uuid4(), made=ports.now(), made_by=caller.name)
    check(inspection)
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
            lead = advance(LeadStep, lead, Take(), by=caller.name, role=caller.acts_as, time=inspection.made)
            acts.append(records.act(ports, caller, LeadStep.TAKE.value, "lead", lead.id, lead.plant))
        else:
            lead = replace(lead, version=lead.version + 1)
        saved.append(replace(lead, inspection=inspection.id))
    ports.cases.store.commit(added=[inspection], saved=saved, acts=acts)
    return inspection


def find(ports: Ports, caller: Principal, key: UUID, version: int, text: str, hazard: UUID | Hazard) -> Inspection:
    """Note a finding; the hazard it is may be known, or opened with it.

    Raises:
        NotFound, BadParameter, Conflict, CaseError: the inspection or the hazard.
    """
    inspection = records.inspection(ports, caller, key)
    records.require_version("the inspection", version, inspection.version)
    acts, added = [], []
    if isinstance(hazard, Hazard):
        draft = replace(hazard, plant=inspection.plant, source=HazardSource.INSPECTION, origin=str(key))
        new = hazards.found(ports, caller, draft)
        added = hazards.opened(new, caller)
        acts.append(
            records.act(
                ports, caller, hazards.FIND, "hazard", new.id, new.plant, {"title": new.title, "inspection": str(key)}
            )
        )
        hazard = new.id
    elif records.hazard(ports, caller, hazard).plant != inspection.plant:
        raise BadParameter("hazard", str(hazard), f"a hazard of plant {inspection.plant}")
    form = Find(text, hazard)
    after = advance(InspectionStep, inspection, form, by=caller.name, role=caller.acts_as, time=ports.now())
    detail = InspectionStep.detail(form, after)
    acts.append(records.act(ports, caller, InspectionStep.FIND.value, "inspection", key, inspection.plant, detail))
    ports.cases.store.commit(added=added, saved=[after], acts=acts)
    return after
