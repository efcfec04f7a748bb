"""Finds records of the closed loop for a caller; what is out of scope is answered like what does not exist."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar
from uuid import UUID

from ingest.domain.cases.bypass import Bypass
from ingest.domain.cases.cleaning import Cleaning
from ingest.domain.cases.disposition import Disposition
from ingest.domain.cases.errors import CaseError, Incomplete, NotTheirs
from ingest.domain.cases.evidence import Evidence
from ingest.domain.cases.hazard import Hazard
from ingest.domain.cases.inspection import Inspection
from ingest.domain.cases.lead import Lead
from ingest.domain.cases.ledger import Ledger
from ingest.domain.cases.pledge import Pledge
from ingest.domain.cases.work import Work
from ingest.domain.model.audit import Act, ActKind
from ingest.services.access import Principal
from ingest.services.errors import BadParameter, Conflict, NotAllowed, NotFound, Problem
from ingest.services.ports import Ports

R = TypeVar("R", Bypass, Disposition, Evidence, Hazard, Lead, Inspection, Work, Cleaning, Pledge, Ledger)


def disposition(ports: Ports, caller: Principal, key: UUID) -> Disposition:
    """One disposition in scope. Raises NotFound."""
    return _reached(caller, "disposition", key, ports.cases.store.disposition(key))


def evidence(ports: Ports, caller: Principal, key: UUID) -> Evidence:
    """One piece of evidence in scope. Raises NotFound."""
    return _reached(caller, "evidence", key, ports.cases.store.evidence(key))


def hazard(ports: Ports, caller: Principal, key: UUID) -> Hazard:
    """One hazard in scope. Raises NotFound."""
    return _reached(caller, "hazard", key, ports.cases.store.hazard(key))


def bypass(ports: Ports, caller: Principal, key: UUID) -> Bypass:
    """One registration of a bypass in scope. Raises NotFound."""
    return _reached(caller, "bypass", key, ports.cases.store.bypass(key))


def lead(ports: Ports, caller: Principal, key: UUID) -> Lead:
    """One lead in scope. Raises NotFound."""
    return _reached(caller, "lead", key, ports.cases.store.lead(key))


def inspection(ports: Ports, caller: Principal, key: UUID) -> Inspection:
    """One inspection in scope. Raises NotFound."""
    return _reached(caller, "inspection", key, ports.cases.store.inspection(key))


def work(ports: Ports, caller: Principal, key: UUID) -> Work:
    """One piece of declared work in scope. Raises NotFound."""
    return _reached(caller, "work", key, ports.cases.daily.work(key))


def cleaning(ports: Ports, caller: Principal, key: UUID) -> Cleaning:
    """One record of cleaning in scope. Raises NotFound."""
    return _reached(caller, "cleaning", key, ports.cases.daily.cleaning(key))


def pledge(ports: Ports, caller: Principal, key: UUID) -> Pledge:
    """One pledge in scope. Raises NotFound."""
    return _reached(caller, "pledge", key, ports.cases.daily.pledge(key))


def instrument(ports: Ports, caller: Principal, key: UUID) -> Ledger:
    """The ledger of one instrument in scope, with its entries. Raises NotFound."""
    return _reached(caller, "instrument", key, ports.cases.store.ledger(key))


RECORDS: Final[Mapping[ActKind, Callable[[Ports, Principal, UUID], Any]]] = {
    "hazard": hazard,
    "lead": lead,
    "bypass": bypass,
    "inspection": inspection,
    "work": work,
    "cleaning": cleaning,
    "pledge": pledge,
    "instrument": instrument,
}
"""By kind: what finds a record that has steps."""


def require_evidence(ports: Ports, plant: str, keys: tuple[UUID, ...]) -> tuple[UUID, ...]:
    """The ids, if each is evidence of that plant. Raises BadParameter."""
    known = {evidence.id for evidence in ports.cases.store.evidence_of(keys) if evidence.plant == plant}
    for key in keys:
        if key not in known:
            raise BadParameter("evidence", str(key), f"evidence handed in for plant {plant}")
    return keys


def act(
    ports: Ports,
    caller: Principal,
    action: str,
    kind: ActKind,
    subject: object,
    plant: str,
    detail: Mapping[str, Any] | None = None,
) -> Act:
    """What the audit trail tells of a thing done now. Raises TooManyRequests if the caller has done too much today."""
    ports.cases.allowances.acts.take(caller.name)
    return Act(ports.now(), caller.name, caller.acts_as, action, kind, str(subject), plant, detail or {})


def require_version(what: str, version: int, now: int) -> None:
    """Refuse somebody who saw an older version. Raises Conflict."""
    if version != now:
        raise Conflict(f"{what} is at version {now}, not {version}: somebody changed it meanwhile, read it again")


def problem_of(error: CaseError) -> Problem:
    """What a step that cannot be taken is to the caller."""
    if isinstance(error, Incomplete):
        return BadParameter(error.parameter, error.value, error.expected)
    if isinstance(error, NotTheirs):
        return NotAllowed(str(error))
    return Conflict(str(error))


def _reached(caller: Principal, what: str, key: UUID, found: R | None) -> R:
    if found is None or not caller.sees(found.plant):
        raise NotFound(f"{what} {str(key)!r} is not known")
    return found
