"""Schemas of alarms and of what people do with them."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from ingest.domain.alarms.consequential_suppression import CommonCauseKind
from ingest.domain.cases.work import WorkKind, WorkState
from ingest.domain.model.alarm import AlarmEventKind, AlarmState
from ingest.domain.model.contribution import PointAspect
from ingest.services.timestamps import Instant as InstantIn
from ingest.web.inputs import Count
from ingest.web.rest.schemas import Body, Instant, PhaseOut, PlantId, PointId, RationalizationOut, Said, Shape, Words


class RegisteredBypassOut(Shape):
    """The registration of an interlock's bypass, as its alarm carries it."""

    id: str
    title: Said
    requested_by: str
    approved_by: str
    reason: str
    measure: str
    until: Instant
    expired: bool = Field(description="its longest time is over: the alarm is of level 2 again")


class ContributionOut(Shape):
    """How much a point of a group, or an aspect of one point, contributes to an alarm."""

    point: PointId
    name: Said = Field(description="of the point, as it was called when the alarm was raised, or of the aspect")
    share: float = Field(description="of what all of them contribute, percent", examples=[62.4])
    aspect: PointAspect | None = Field(
        description="of a rule that judges several aspects of one point (`surprise`): which; null: a point of a group"
    )


class AlarmOut(Shape):
    """An alarm as it stands. The same shape leaves by webhook and stream (`ingest.domain.alarms.report`)."""

    id: Annotated[str, Field(examples=["0b1f0a0e-5a0c-5d55-9d3a-3c8b2f0f7a11"])]
    plant: PlantId
    point: PointId
    rule: Annotated[str, Field(examples=["LL"])]
    level: Literal[1, 2]
    state: AlarmState
    title: Said
    value: float | None = Field(description="at raise; null where there is none", examples=[0.274])
    limit: Annotated[float, Field(examples=[0.28])]
    unit: Annotated[str, Field(examples=["MPa"])]
    onset: Instant
    raised: Instant = Field(description="when it was raised first")
    returned: Instant | None
    acknowledged: Instant | None
    acknowledged_by: str | None
    comment: str | None
    assigned: str | None
    raises: int = Field(description="how often it was raised: one that comes back soon is the same alarm", examples=[1])
    annunciated: Instant = Field(description="when it was raised last")
    disposed: Instant | None = Field(description="when feedback was given")
    cleared: Instant | None = Field(description="销警: the value is back and feedback was given")
    historical: bool = Field(description="found in readings that came late: over when it became known, never stood")
    phase: PhaseOut | None = Field(description="of its equipment's process at the newest raise; null: it has none")
    contributions: list[ContributionOut] = Field(
        description="of a rule that judges a group of points as one (`mahalanobis`, `t2`, `spe`): the points that"
        " contributed most to the newest raise, at most five, the largest first; of one that judges several aspects of"
        " a point (`surprise`): those; else empty"
    )
    bypass: RegisteredBypassOut | None = Field(
        description="of an interlock that is bypassed: its registration, which makes it level 1 while it is in force"
    )


class AlarmEventOut(Shape):
    """One step in an alarm's life."""

    seq: Annotated[int, Field(examples=[412])]
    event: AlarmEventKind
    time: Instant
    received: Instant
    state: AlarmState
    by: str | None = Field(description="who did it; null: the service itself", examples=["张三"])
    detail: dict[str, object] = Field(description="what was said with it", examples=[{"comment": "已到现场"}])


class CoverOut(Shape):
    """What explains an alarm, so that it is folded under it in a list. It is in every list all the same."""

    kind: CommonCauseKind = Field(
        description="equipment: not in production; gateway: offline; service: the broker is gone"
    )
    plant: PlantId
    id: str = Field(description="of the equipment, the gateway, or the service's own point", examples=["GW-01"])
    alarm: UUID | None = Field(description="the alarm that tells of it; null: an equipment, which has none")


class DisplayOut(Shape):
    """How to show a standing alarm. Display only: nothing is kept from the list, the record or any delivery."""

    equipment: str | None = Field(description="its group in its plant", examples=["CAST-01"])
    first_out: bool = Field(description="the first of a burst of alarms of its equipment")
    covered_by: CoverOut | None = Field(description="the outermost", validation_alias="cover")
    covers: int = Field(description="how many alarms are folded under it", examples=[0])
    chattering: bool = Field(description="raised too often within a short time")
    stale: bool = Field(description="stands for too long")


class RegisteredWork(Shape):
    """Declared work that an alarm was raised during, at its place. The alarm is not suppressed by it."""

    id: UUID
    kind: WorkKind
    state: WorkState
    begins: Instant
    ends: Instant
    area: str
    equipment: str | None = Field(description="null: the plant at large")
    guardian: str
    overran: bool = Field(description="the alarm was raised after its declared end, before it was said to be finished")
    text: Said


class AlarmRow(AlarmOut):
    """An alarm in a list."""

    work: list[RegisteredWork] = Field(description="declared work it was raised during, by what is known now")

    display: DisplayOut | None = Field(description="null: it does not stand, or is hidden by a suppression")


class AlarmDetail(AlarmRow):
    """An alarm with its history, oldest first."""

    history: list[AlarmEventOut]
    reason: Said | None = Field(description="what its rule finds; null: no longer configured")
    rationalization: RationalizationOut | None = Field(
        description="what to do; null: no instruction is on file, or its rule is no longer configured"
    )


class AlarmPage(Shape):
    """Alarms, newest raised first. Pass `next` as `cursor` to go on; null: no more."""

    alarms: list[AlarmRow]
    next: str | None = Field(examples=["MTc2Mzg4NDgwMDAwMDAwMDAwMC4wYjFm"])


class Occurrence(Body):
    """Which raise of the alarm was looked at: another one is refused. Left out it is the first."""

    raises: Annotated[Count, Field(ge=1)] = Field(
        default=1, description="`raises` of the alarm as it was looked at", examples=[3]
    )


class Acknowledgement(Occurrence):
    """What the operator adds to an acknowledgement."""

    comment: Words | None = Field(default=None, examples=["已到现场确认，补水阀已开"])


class InspectionSigned(Body):
    """An inspection on the spot: who made it, when, and what was found."""

    by: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)] = Field(
        examples=["安全员 陈志强"]
    )
    at: InstantIn
    result: Words = Field(examples=["风管、打磨机、除尘器内无余烬，积尘已清理"])
    remark: Words | None = Field(default=None, examples=["已用测温仪复测"])


class Reset(Occurrence):
    """How a latched alarm is reset; `inspection` where the rule wants one signed."""

    inspection: InspectionSigned | None = None


class Remark(Body):
    """A comment."""

    comment: Words = Field(examples=["通知维修班更换压力变送器"])


class Assignment(Body):
    """Who is to deal with it; null: nobody in particular."""

    to: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)] | None = Field(
        examples=["维修班 王强"]
    )
