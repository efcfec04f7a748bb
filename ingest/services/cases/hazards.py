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
    detail = {"title": hazard.title, "source": str(hazard.source)}
    act = records.act(ports, caller, FIND, "hazard", hazard.id, hazard.plant, detail)
    ports.cases.books.commit(added=opened(hazard, caller), acts=[act])
    return hazard


def opened(hazard: Hazard, caller: Principal) -> list[Record]:
    """The rows of a new hazard: itself, and the first line of its history."""
    return [hazard, moment(hazard, FIND, by=caller.name, role=caller.acts_as, time=hazard.found)]


def _check_alarm(ports: Ports, caller: Principal, wish: Hazard) -> None:
    try:
        alarm = caller_scope.alarm(ports, caller, UUID(wish.origin or ""))
    except ValueError as error:
        raise BadParameter("origin", wish.origin, "the id of the alarm it comes from") from error
    if alarm.plant != wish.plant:
        raise BadParameter("origin", wish.origin, f"an alarm of plant {wish.plant}")
