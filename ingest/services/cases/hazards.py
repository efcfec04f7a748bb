"""Hazards (隐患) as people open them and take them on."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

from ingest.domain.cases.criteria import Clause, load_criteria
from ingest.domain.cases.hazard import Hazard, HazardSource
from ingest.domain.cases.hazard_actions import Grade
from ingest.domain.cases.hazard_steps import Action, advance, moment, said
from ingest.services import caller_scope
from ingest.services.access import Principal
from ingest.services.cases import records
from ingest.services.errors import BadParameter
from ingest.services.ports import Ports
from ingest.storage.state.case_rows import Record

FIND = "find"
"""The first line of every hazard's history."""


def found(ports: Ports, caller: Principal, wish: Hazard) -> Hazard:
    """The hazard as it would be opened by the caller now. Raises NotThere, BadParameter."""
    caller_scope.plant(ports, caller, wish.plant)
    if wish.point is not None and ports.live.configuration().find(wish.plant, wish.point) is None:
        raise BadParameter("point", wish.point, f"a point of plant {wish.plant}")
    if wish.source is HazardSource.ALARM:
        _check_alarm(ports, caller, wish)
    elif wish.source not in {HazardSource.HAND, HazardSource.SELF_INSPECTION, HazardSource.INSPECTION}:
        raise BadParameter("source", str(wish.source), "by-hand, alarm or self-inspection")
    return replace(wish, id=uuid4(), found=ports.now(), found_by=caller.name)


def open_hazard(ports: Ports, caller: Principal, wish: Hazard) -> Hazard:
    """Open a hazard in the caller's name; those of inspections are opened there.

    Raises:
        NotThere, BadParameter: the plant or what it comes from is not known or not in scope.
    """
    if wish.source is HazardSource.INSPECTION:
        raise BadParameter("source", str(wish.source), "by-hand, alarm or self-inspection")
    hazard = found(ports, caller, wish)
    told = records.act(
        ports, caller, FIND, "hazard", hazard.id, hazard.plant, {"title": hazard.title, "source": str(hazard.source)}
    )
    ports.cases.books.commit(added=opened(hazard, caller), acts=[told])
    return hazard


def opened(hazard: Hazard, caller: Principal) -> list[Record]:
    """The rows of a new hazard: itself, and the first line of its history."""
    return [hazard, moment(hazard, FIND, by=caller.name, role=caller.acts_as, time=hazard.found)]


def step(ports: Ports, caller: Principal, key: UUID, version: int, action: Action) -> Hazard:
    """Take a step in the caller's name; `version` is the one they saw.

    Raises:
        NotThere: no such hazard in scope.
        Conflict: somebody changed it meanwhile.
        CaseError: it cannot be taken.
    """
    hazard = records.hazard(ports, caller, key)
    records.seen("the hazard", version, hazard.version)
    records.proofs(ports, hazard.plant, getattr(action, "evidence", ()))
    if isinstance(action, Grade):
        _check_clause(ports, hazard, action.clause)
    after, line = advance(hazard, action, by=caller.name, role=caller.acts_as, time=ports.now())
    told = records.act(
        ports, caller, str(action.step), "hazard", key, hazard.plant, said(action) | {"state": str(after.state)}
    )
    ports.cases.books.commit(added=[line], saved=[after], acts=[told])
    return after


def clause(key: str | None) -> Clause | None:
    """The clause of the criteria in force. Raises BadParameter."""
    known = load_criteria().clauses
    if key is not None and key not in known:
        raise BadParameter("clause", key, f"one of {', '.join(known)}")
    return None if key is None else known[key]


def _check_clause(ports: Ports, hazard: Hazard, chosen: Clause | None) -> None:
    plant = ports.live.configuration().plants.get(hazard.plant)
    if chosen is not None and plant is not None and plant.kind not in chosen.kinds:
        raise BadParameter("clause", chosen.id, f"a clause for plants of kind {plant.kind}")


def _check_alarm(ports: Ports, caller: Principal, wish: Hazard) -> None:
    try:
        alarm = caller_scope.alarm(ports, caller, UUID(wish.origin or ""))
    except ValueError as error:
        raise BadParameter("origin", wish.origin, "the id of the alarm it comes from") from error
    if alarm.plant != wish.plant:
        raise BadParameter("origin", wish.origin, f"an alarm of plant {wish.plant}")
