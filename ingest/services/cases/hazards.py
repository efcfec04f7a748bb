"""Opening hazards (隐患); their steps are in `steps`."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

from ingest.domain.cases.hazard import Hazard, HazardSource
from ingest.domain.cases.hazard_steps import moment
from ingest.services import caller_scope
from ingest.services.access import Principal
from ingest.services.cases import records
from ingest.services.errors import BadParameter
from ingest.services.ports import Ports
from ingest.storage.state.case_rows import Record

FIND = "find"
"""The first line of every hazard's history."""


def found(ports: Ports, caller: Principal, draft: Hazard) -> Hazard:
    """The hazard as it would be opened by the caller now. Raises NotFound, BadParameter."""
    caller_scope.plant(ports, caller, draft.plant)
    if draft.point is not None and ports.live.configuration().find(draft.plant, draft.point) is None:
        raise BadParameter("point", draft.point, f"a point of plant {draft.plant}")
    if draft.source is HazardSource.ALARM:
        _check_alarm(ports, caller, draft)
    elif draft.source not in {HazardSource.HAND, HazardSource.SELF_INSPECTION, HazardSource.INSPECTION}:
        raise BadParameter("source", str(draft.source), "by-hand, alarm or self-inspection")
    return replace(draft, id=uuid4(), found=ports.now(), found_by=caller.name)


def open_hazard(ports: Ports, caller: Principal, draft: Hazard) -> Hazard:
    """Open a hazard in the caller's name; those of inspections are opened there.

    Raises:
        NotFound, BadParameter: the plant or what it comes from is not known or not in scope.
    """
    if draft.source is HazardSource.INSPECTION:
        raise BadParameter("source", str(draft.source), "by-hand, alarm or self-inspection")
    hazard = found(ports, caller, draft)
    detail = {"title": hazard.title, "source": str(hazard.source)}
    act = records.act(ports, caller, FIND, "hazard", hazard.id, hazard.plant, detail)
    ports.cases.store.commit(added=opened(hazard, caller), acts=[act])
    return hazard


def opened(hazard: Hazard, caller: Principal) -> list[Record]:
    """The rows of a new hazard: itself, and the first line of its history."""
    return [hazard, moment(hazard, FIND, by=caller.name, role=caller.acts_as, time=hazard.found)]


def _check_alarm(ports: Ports, caller: Principal, draft: Hazard) -> None:
    try:
        alarm = caller_scope.alarm(ports, caller, UUID(draft.origin or ""))
    except ValueError as error:
        raise BadParameter("origin", draft.origin, "the id of the alarm it comes from") from error
    if alarm.plant != draft.plant:
        raise BadParameter("origin", draft.origin, f"an alarm of plant {draft.plant}")
