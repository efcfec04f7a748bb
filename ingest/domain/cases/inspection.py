"""Inspection (执法检查): the record, its states, and what has to be given to plan one.

Its steps are in `inspection_steps`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from ingest.domain.cases.errors import Incomplete


class Basis(StrEnum):
    """Why it is done."""

    PLAN = "plan"
    LEAD = "lead"


class InspectionState(StrEnum):
    """How far it has come."""

    PLANNED = "planned"
    UNDER_WAY = "under-way"
    CONCLUDED = "concluded"
    CANCELLED = "cancelled"


class Result(StrEnum):
    """What it led to."""

    PASSED = "passed"  # 未发现问题
    RECTIFY = "rectify"  # 责令限期整改
    SUSPEND = "suspend"  # 责令停产停业整顿
    PENALTY = "penalty"  # 立案处罚


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found (问题), and the hazard it is."""

    number: int  # in its inspection, from 1
    text: str
    hazard: UUID
    time: int
    by: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """An inspection as it stands. Times are ns since the epoch, UTC.

    Attributes:
        reference: the plan's name or number, for one by plan.
        lead: for one after a lead.
        day: when it is to be done.
        document: number of the document it ended with (文书号).
        findings: in the order they were made.
        evidence: ids of files.
    """

    id: UUID
    plant: str
    basis: Basis
    inspectors: tuple[str, ...]
    day: dt.date
    scope: str
    made: int
    made_by: str
    version: int = 1
    state: InspectionState = InspectionState.PLANNED
    reference: str | None = None
    lead: UUID | None = None
    begun: int | None = None
    concluded: int | None = None
    concluded_by: str | None = None
    result: Result | None = None
    document: str | None = None
    remark: str | None = None
    findings: tuple[Finding, ...] = ()
    evidence: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class InspectionFilter:
    """Which inspections. None = any."""

    plants: frozenset[str] | None = None
    states: frozenset[InspectionState] | None = None
    basis: Basis | None = None
    lead: UUID | None = None
    since: dt.date | None = None  # on `day`
    until: dt.date | None = None


def check(inspection: Inspection) -> None:
    """Raise Incomplete for what does not hold together."""
    if not inspection.inspectors or not all(name.strip() for name in inspection.inspectors):
        raise Incomplete("inspectors", list(inspection.inspectors), "the name of each inspector")
    if not inspection.scope.strip():
        raise Incomplete("scope", inspection.scope, "a text: what is looked at")
    if inspection.basis is Basis.LEAD and inspection.lead is None:
        raise Incomplete("lead", None, "the lead it goes after")
    if inspection.basis is Basis.PLAN and not (inspection.reference or "").strip():
        raise Incomplete("reference", inspection.reference, "the plan's name or number")
