"""The shapes of enterprise records (企业基础信息) and of self-inspections (自查)."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from ingest.domain.cases.days import day_of
from ingest.domain.cases.duties import Duty, SelfInspection
from ingest.domain.cases.enterprise import RiskClass
from ingest.domain.cases.listed import Enterprise
from ingest.domain.model.payload import iso
from ingest.web.inputs import Count
from ingest.web.rest.case_schemas import Day, LongWords, Name, Proofs, Seen, When, localized
from ingest.web.rest.schemas import Body, PlantId, Said, Shape, Words

Phone = Annotated[str, Field(pattern=r"^[0-9+() -]{5,30}$", examples=["0595-86380000"])]


class DutyOut(Shape):
    """A self-inspection that is owed for a month or quarter."""

    plant: PlantId
    period: Annotated[str, Field(examples=["2026-11"])]
    due: dt.date
    done: dt.date | None = Field(description="null: not yet")
    id: UUID | None
    overdue: bool
    late: bool


class EnterpriseOut(Shape):
    """An enterprise: what its plant file says, what is noted of it, how it stands with its duties."""

    plant: PlantId
    version: Annotated[int, Field(description="of what is noted; 0: nothing yet", examples=[3])]
    name: Said
    uscc: str
    region: str
    kind: str
    workers: int
    dust_workers: int
    dust: str | None
    tier: Said
    connect_by: dt.date | None = Field(description="null: not mandatory")
    connection: Literal["connected", "late", "due", "not-mandatory"]
    connection_days: int | None = Field(description="late by so many, or due in so many")
    heard: When | None
    risk_class: RiskClass | None
    risk_class_said: Said | None
    graded_by: str | None
    graded_on: dt.date | None
    grade_reason: str | None
    principal: str | None
    principal_phone: str | None
    safety_head: str | None
    safety_phone: str | None
    address: str | None
    standardisation: str | None
    insurance: str | None
    insured_until: dt.date | None
    connected_on: dt.date | None
    changed: When | None
    changed_by: str | None
    duties: list[DutyOut]


class EnterpriseNote(Seen):
    """What is noted of an enterprise. What is left out stays; null takes it away."""

    principal: Name | None = None
    principal_phone: Phone | None = None
    safety_head: Name | None = None
    safety_phone: Phone | None = None
    address: Words | None = None
    standardisation: Name | None = None
    insurance: Name | None = None
    insured_until: Day | None = None
    connected_on: Day | None = None


class Classification(Seen):
    """分级分类: red to blue, and why."""

    risk_class: RiskClass
    reason: Words


class NewSelfInspection(Body):
    """A self-inspection that was done."""

    plant: PlantId
    period: Annotated[str, Field(pattern=r"^2[01][0-9]{2}-(0[1-9]|1[0-2]|Q[1-4])$", examples=["2026-11", "2026-Q4"])]
    day: Day
    principal: Name
    summary: LongWords
    found: Annotated[Count, Field(le=10_000)]
    evidence: Proofs = ()

    def draft(self) -> SelfInspection:
        """The self-inspection as far as the caller says."""
        return SelfInspection(
            UUID(int=0),
            self.plant,
            self.period,
            self.day,
            self.principal,
            self.summary,
            self.found,
            "",
            0,
            self.evidence,
        )


class SelfInspectionOut(Shape):
    """A self-inspection that was done."""

    id: UUID
    plant: PlantId
    period: str
    day: dt.date
    principal: str
    summary: str
    found: int
    by: str
    given: When
    evidence: list[UUID]


class SelfInspectionsOut(Shape):
    """What is owed, oldest first, and what was done, newest first."""

    owed: list[DutyOut]
    done: list[SelfInspectionOut]


def duty_out(duty: Duty, now: int) -> DutyOut:
    """As it is shown."""
    return DutyOut(
        plant=duty.plant,
        period=duty.period.name,
        due=duty.period.due,
        done=duty.done.day if duty.done else None,
        id=duty.done.id if duty.done else None,
        overdue=duty.overdue(day_of(now)),
        late=duty.late,
    )


def enterprise_out(enterprise: Enterprise, now: int) -> EnterpriseOut:
    """As it is shown."""
    plant, record = enterprise.plant, enterprise.record
    noted = (
        "version risk_class graded_by graded_on grade_reason principal principal_phone safety_head safety_phone address"
        " standardisation insurance insured_until connected_on changed changed_by"
    )
    filed = "uscc region kind workers dust_workers dust connect_by"
    return EnterpriseOut(
        plant=plant.id,
        name=Said.model_validate(plant.name),
        tier=Said.model_validate(plant.tier),
        connection=enterprise.connection.state,
        connection_days=enterprise.connection.days,
        heard=iso(enterprise.connection.last_received),
        risk_class_said=localized(record.risk_class),
        duties=[duty_out(duty, now) for duty in enterprise.duties],
        **{name: getattr(record, name) for name in noted.split()},
        **{name: getattr(plant, name) for name in filed.split()},
    )
