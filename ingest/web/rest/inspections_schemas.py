"""The shapes of leads (线索) and inspections (执法检查)."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from ingest.domain.cases.inspection import Basis, Inspection, InspectionState, Result
from ingest.domain.cases.lead import Lead, LeadSource, LeadState
from ingest.web.rest.case_schemas import Day, LongWords, Name, Seen, When, localized, values_of
from ingest.web.rest.hazards_schemas import FoundHazard
from ingest.web.rest.schemas import Body, PlantId, Said, Shape


class LeadOut(Shape):
    """A lead as it stands."""

    id: UUID
    version: int
    plant: PlantId
    source: LeadSource
    source_said: Said
    subject: str | None = Field(description="id of the hazard or warning it is about; null: by hand")
    text: str
    state: LeadState
    opened: When
    opened_by: str
    taken: When | None
    taken_by: str | None
    inspection: UUID | None
    closed: When | None
    closed_by: str | None
    remark: str | None


class LeadPage(Shape):
    """Leads, newest first. Pass `next` as `cursor` to go on; null: no more."""

    leads: list[LeadOut]
    next: str | None


class NewLead(Body):
    """A lead by hand."""

    plant: PlantId
    text: LongWords


class FindingOut(Shape):
    """One thing an inspection found."""

    number: int
    text: str
    hazard: UUID
    time: When
    by: str


class InspectionOut(Shape):
    """An inspection as it stands."""

    id: UUID
    version: int
    plant: PlantId
    basis: Basis
    reference: str | None = Field(description="the plan's name or number")
    lead: UUID | None
    inspectors: list[str]
    day: dt.date
    scope: str
    state: InspectionState
    state_said: Said
    made: When
    made_by: str
    begun: When | None
    concluded: When | None
    concluded_by: str | None
    result: Result | None
    result_said: Said | None
    document: str | None = Field(description="文书号")
    remark: str | None
    findings: list[FindingOut]
    evidence: list[UUID]


class InspectionPage(Shape):
    """Inspections, newest entered first. Pass `next` as `cursor` to go on; null: no more."""

    inspections: list[InspectionOut]
    next: str | None


class NewInspection(Body):
    """An inspection to be done: by plan (with its `reference`) or after a `lead`."""

    plant: PlantId
    basis: Basis
    inspectors: Annotated[tuple[Name, ...], Field(min_length=1, max_length=20)]
    day: Day
    scope: LongWords
    reference: Name | None = None
    lead: UUID | None = None

    def draft(self) -> Inspection:
        """The inspection as far as the caller says."""
        return Inspection(
            UUID(int=0),
            self.plant,
            self.basis,
            self.inspectors,
            self.day,
            self.scope,
            0,
            "",
            reference=self.reference,
            lead=self.lead,
        )


def _only(given: str, other: str) -> JsonDict:
    return {"required": [given], "properties": {given: {"not": {"type": "null"}}, other: {"type": "null"}}}


class NewFinding(Seen):
    """Something found, and the hazard it is: one that is known, or a new one."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [_only("hazard", "new"), _only("new", "hazard")]})

    text: LongWords
    hazard: UUID | None = None
    new: FoundHazard | None = None

    @model_validator(mode="after")
    def _exactly_one_given(self) -> Self:
        if (self.hazard is None) == (self.new is None):
            raise ValueError("either `hazard`, the id of a known one, or `new`")
        return self


def lead_out(lead: Lead) -> LeadOut:
    """As it is shown."""
    return LeadOut(**values_of(lead), source_said=localized(lead.source))  # type: ignore[arg-type]


def inspection_out(inspection: Inspection) -> InspectionOut:
    """As it is shown."""
    fields: dict[str, Any] = values_of(inspection) | {
        "findings": [FindingOut.model_validate(found) for found in inspection.findings]
    }
    return InspectionOut(**fields, state_said=localized(inspection.state), result_said=localized(inspection.result))  # type: ignore[arg-type]
