"""Opens hazards and leads of the closed loop in the service's own name, each once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from ingest.base.telemetry import Event, emit
from ingest.domain.cases.errors import Already
from ingest.domain.cases.hazard import OPEN_STATES, Hazard, HazardFilter, HazardSource
from ingest.domain.cases.hazard_steps import moment
from ingest.domain.cases.lead import Lead
from ingest.domain.model.audit import YUJING, Act, ActKind
from ingest.services.all_pages import read_all
from ingest.storage.state.case_rows import Record
from ingest.storage.state.case_store import CaseStore


@dataclass(frozen=True, slots=True)
class CaseOpened(Event, level="warning", labels=("kind",)):
    """The service opened a hazard or a lead by itself."""

    kind: str
    id: str
    plant: str


def hazards_still_open(store: CaseStore, origin: str, plants: frozenset[str]) -> list[Hazard]:
    """Return the hazards of these plants that a rule found and that are still open: one stands for a later finding."""
    which = HazardFilter(plants=plants, states=OPEN_STATES, source=HazardSource.RULE, origin=origin)
    return list(read_all(partial(store.hazards, which), lambda hazard: (hazard.found, hazard.id)))


class RuleHazards:
    """Opens the hazards that one rule finds, each once.

    While an earlier one of the same point is open it stands for a later finding, which is opened once that is closed.
    """

    def __init__(self, store: CaseStore, rule: str) -> None:
        self._store = store
        self._rule = rule
        self._opened: set[UUID] = set()  # hazards known to exist

    def open(self, found: Iterable[Hazard], now: int) -> None:
        """Open those that are new. Raises StateUnavailable."""
        missing = [hazard for hazard in found if hazard.id not in self._opened]
        if not missing:
            return
        plants = frozenset(hazard.plant for hazard in missing)
        stand = {(hazard.plant, hazard.point) for hazard in hazards_still_open(self._store, self._rule, plants)}
        for hazard in missing:
            if (hazard.plant, hazard.point) not in stand:
                open_hazard(self._store, hazard, now)
                self._opened.add(hazard.id)


def open_hazard(store: CaseStore, hazard: Hazard, now: int) -> None:
    """Open a hazard that a rule found, with the first line of its history. One that is there already stays."""
    line = moment(hazard, "find", by=YUJING, role="service", time=now)
    _open(store, "hazard", hazard, [hazard, line], {"title": hazard.title, "point": hazard.point}, now)


def open_lead(store: CaseStore, lead: Lead, now: int) -> None:
    """Open a lead for something overdue. One that is there already stays."""
    detail = {"source": str(lead.source), "subject": lead.subject, "text": lead.text}
    _open(store, "lead", lead, [lead], detail, now)


def _open(
    store: CaseStore, kind: ActKind, record: Hazard | Lead, rows: Sequence[Record], detail: Mapping[str, Any], now: int
) -> None:
    act = Act(now, YUJING, "service", "open", kind, str(record.id), record.plant, detail)
    try:
        store.commit(added=rows, acts=[act])
    except Already:
        return
    emit(CaseOpened(kind, str(record.id), record.plant))
