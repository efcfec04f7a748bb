"""What the pages on hazards show: the stages of a life, the clauses that fit, the files of each step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from ingest.domain.cases.criteria import Clause, load_criteria
from ingest.domain.cases.evidence import Evidence
from ingest.domain.cases.hazard import Hazard, HazardLevel, HazardMoment, HazardState
from ingest.domain.cases.labels import label
from ingest.domain.cases.ledger import LedgerEntry
from ingest.domain.model.plant import Plant, Point
from ingest.domain.model.text import Text
from ingest.services.ports import Ports
from ingest.web.console.uploads import proofs
from ingest.web.console.warning_views import StageStatus

_LIFE: Final = (
    HazardState.FOUND,
    HazardState.REGISTERED,
    HazardState.GRADED,
    HazardState.REPORTED,
    HazardState.RECTIFYING,
    HazardState.SUBMITTED,
    HazardState.CLOSED,
)


def stages(hazard: Hazard) -> list[tuple[Text, StageStatus]]:
    """Return the stages of its life: those behind it, where it is, and those to come."""
    if hazard.state is HazardState.DISMISSED:
        return [(label(HazardState.FOUND), "done"), (label(HazardState.DISMISSED), "done")]
    life = [state for state in _LIFE if state is not HazardState.REPORTED or hazard.level is not HazardLevel.GENERAL]
    at = life.index(hazard.state)

    def how(number: int) -> StageStatus:
        if number == at:
            return "done" if hazard.state is HazardState.CLOSED else "now"
        return "done" if number < at else "next"

    return [(label(state), how(number)) for number, state in enumerate(life)]


def clauses_for(plant: Plant, point: Point | None, hazard: Hazard) -> list[Clause]:
    """Return the clauses for plants of this kind; those that its point's signal suggests come first."""
    criteria = load_criteria()
    rule = "SILENT" if hazard.source == "rule" else ""
    first = criteria.suggested(plant.kind, point.signal, rule) if point else []
    return [
        *first,
        *(clause for clause in criteria.clauses.values() if plant.kind in clause.kinds and clause not in first),
    ]


def proofs_of_history(ports: Ports, history: Sequence[HazardMoment | LedgerEntry]) -> dict[int, list[Evidence]]:
    """Return the files that came with each step, by its version."""
    found = {}
    for line in history:
        keys = [UUID(key) for key in line.detail.get("evidence", ())]
        if keys:
            found[line.version] = proofs(ports, keys)
    return found
