"""Enterprises (企业): their status, their records, and the self-inspections they owe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any
from uuid import uuid4

from ingest.domain.cases import duties
from ingest.domain.cases.days import day_of
from ingest.domain.cases.duties import SelfInspection
from ingest.domain.cases.enterprise import EnterpriseRecord, RiskClass
from ingest.domain.cases.listed import Enterprise
from ingest.domain.cases.phones import without_phones
from ingest.domain.model.plant import SERVICE, Plant
from ingest.services import caller_scope
from ingest.services.access import Principal
from ingest.services.cases import records
from ingest.services.errors import NotFound
from ingest.services.exports.enterprise_status import enterprises_of
from ingest.services.ports import Ports


def enterprises(ports: Ports, caller: Principal, plant: str | None = None) -> list[Enterprise]:
    """Every enterprise in scope as it stands, by id; or one. Raises NotFound for one that is not in scope."""
    if plant:
        plants = [_plant(ports, caller, plant)]
    else:
        plants = [plant for plant in caller_scope.plants(ports, caller) if plant.id != SERVICE]
    found = with_status(ports, plants)
    return found if caller.sees_phones else [without_phones(enterprise) for enterprise in found]


def with_status(ports: Ports, plants: Sequence[Plant]) -> list[Enterprise]:
    """Plants with what is noted of them, how they stand with their connection, and what they owe."""
    return enterprises_of(ports.cases.store, plants, last_received(ports), recent_s(ports), ports.now())


def last_received(ports: Ports) -> dict[str, int]:
    """When anything last came from each plant, ns."""
    newest: dict[str, int] = {}
    for at in ports.journal.gateways():
        newest[at.plant] = max(newest.get(at.plant, 0), at.received)
    return newest


def recent_s(ports: Ports) -> float:
    """For how long a plant counts as connected once it sent something."""
    return ports.cases.config.connected_h * 3600


def note(ports: Ports, caller: Principal, plant: str, version: int, changes: Mapping[str, Any]) -> EnterpriseRecord:
    """Note something of an enterprise; its class apart. Raises NotFound, Conflict."""
    return _change(ports, caller, plant, version, "noted", changes)


def classify(
    ports: Ports, caller: Principal, plant: str, version: int, risk: RiskClass, reason: str
) -> EnterpriseRecord:
    """Give an enterprise its class (分级分类), in the caller's name and of today. Raises NotFound, Conflict."""
    today = day_of(ports.now())
    changes = {"risk_class": risk, "grade_reason": reason, "graded_by": caller.name, "graded_on": today}
    return _change(ports, caller, plant, version, "classified", changes)


def self_inspect(ports: Ports, caller: Principal, draft: SelfInspection) -> SelfInspection:
    """Note a self-inspection that was done; once for each period.

    Raises:
        NotFound, BadParameter: the plant, or evidence that is not its own.
        Incomplete, Already: it does not hold together, or its period has one.
    """
    plant = _plant(ports, caller, draft.plant)
    self_inspection = replace(draft, id=uuid4(), by=caller.name, given=ports.now())
    duties.check(self_inspection, plant.kind, day_of(self_inspection.given))
    records.require_evidence(ports, plant.id, self_inspection.evidence)
    detail = {
        "period": self_inspection.period,
        "day": self_inspection.day.isoformat(),
        "principal": self_inspection.principal,
        "found": self_inspection.found,
    }
    act = records.act(ports, caller, "done", "self-inspection", self_inspection.id, plant.id, detail)
    ports.cases.store.commit(added=[self_inspection], acts=[act])
    return self_inspection


def _plant(ports: Ports, caller: Principal, key: str) -> Plant:
    """The plant of one enterprise in scope. Raises NotFound, for the service itself too: it is none."""
    if key == SERVICE:
        raise NotFound("the service itself is no enterprise")
    return caller_scope.plant(ports, caller, key)


def _change(
    ports: Ports, caller: Principal, plant: str, version: int, action: str, changes: Mapping[str, Any]
) -> EnterpriseRecord:
    _plant(ports, caller, plant)
    before = ports.cases.store.enterprises(frozenset({plant})).get(plant, EnterpriseRecord(plant))
    records.require_version("the record", version, before.version)
    by = {"version": before.version + 1, "changed": ports.now(), "changed_by": caller.name}
    after = replace(before, **{**changes, **by})
    differs = {
        key: value if value is None else str(value)
        for key, value in asdict(after).items()
        if value != getattr(before, key) and key not in by
    }
    act = records.act(ports, caller, action, "enterprise", plant, plant, differs)
    known = before.version > 0
    ports.cases.store.commit(added=[] if known else [after], saved=[after] if known else [], acts=[act])
    return after
