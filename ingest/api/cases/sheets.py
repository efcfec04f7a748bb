"""The four lists (四个清单) and the yearly summary, counted from the records in a caller's scope."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import TypeVar
from uuid import UUID

from ingest.api import reach
from ingest.api.access import Principal
from ingest.api.cases.enterprises import enterprises
from ingest.api.ports import Ports
from ingest.cases import duties
from ingest.cases.criteria import load_criteria
from ingest.cases.days import day_of, year_of
from ingest.cases.hazard import Hazard, HazardFilter
from ingest.cases.inspection import Inspection, InspectionFilter
from ingest.cases.lead import Lead, LeadFilter
from ingest.cases.lists import make
from ingest.cases.sheet import Sheet
from ingest.cases.summary import Records, summarise
from ingest.model.plant import Text

R = TypeVar("R")
_PAGE = 1000


def listed(ports: Ports, caller: Principal, name: str, plant: str | None) -> Sheet:
    """One of the four lists, of one plant or of all in scope. Raises NotThere."""
    rows = enterprises(ports, caller, plant)
    hazards = list(_hazards(ports, reach.narrowed(caller, plant)))
    return make(name, rows, reversed(hazards), load_criteria(), ports.now())


def summary(ports: Ports, caller: Principal, year: int) -> Sheet:
    """The summary of a year, of all plants in scope; one that was removed since still counts."""
    books, scope, now = ports.cases.books, caller.plants, ports.now()
    first, end = year_of(year)
    rows = enterprises(ports, caller)
    last = min(dt.date(year, 12, 31), day_of(now))
    done = books.self_inspections(scope)
    owed = []
    for one in rows:
        since = max(dt.date(year, 1, 1), one.record.connected_on or duties.period_of(one.plant.kind, last).first)
        if since <= last:
            owed += duties.owed(one.plant.id, one.plant.kind, since, last, done)
    records = Records(
        plants=[(one.plant.id, one.plant.name, one.plant.kind) for one in rows],
        hazards=list(_hazards(ports, scope)),
        leads=list(_leads(ports, scope)),
        inspections=list(_inspections(ports, scope)),
        duties=owed,
        told=ports.cases.figures.told(scope, first, min(end, now + 1)),
    )
    return summarise(_with_removed(records), year, now)


def _with_removed(records: Records) -> Records:
    known = {key for key, _, _ in records.plants}
    told = {one.plant for some in (records.hazards, records.leads, records.inspections) for one in some}
    gone = sorted(told - known)
    plants = [*records.plants, *((key, Text(f"{key}（已移除）", f"{key} (removed)"), "") for key in gone)]
    return Records(plants, records.hazards, records.leads, records.inspections, records.duties, records.told)


def _hazards(ports: Ports, scope: frozenset[str] | None) -> Iterator[Hazard]:
    which = HazardFilter(plants=scope)
    return _all(
        lambda before: ports.cases.books.hazards(which, limit=_PAGE, before=before), lambda one: (one.found, one.id)
    )


def _leads(ports: Ports, scope: frozenset[str] | None) -> Iterator[Lead]:
    which = LeadFilter(plants=scope)
    return _all(
        lambda before: ports.cases.books.leads(which, limit=_PAGE, before=before), lambda one: (one.opened, one.id)
    )


def _inspections(ports: Ports, scope: frozenset[str] | None) -> Iterator[Inspection]:
    which = InspectionFilter(plants=scope)
    return _all(
        lambda before: ports.cases.books.inspections(which, limit=_PAGE, before=before), lambda one: (one.made, one.id)
    )


def _all(page: Callable[[tuple[int, UUID] | None], list[R]], place: Callable[[R], tuple[int, UUID]]) -> Iterator[R]:
    before = None
    while found := page(before):
        yield from found
        before = place(found[-1])
