"""Schemas shared by the REST routes. Times are RFC 3339 in UTC; null means unknown, never zero."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from ingest.domain.alarms.consequential_suppression import CommonCauseKind
from ingest.domain.model.alarm import AlarmEventKind, AlarmState
from ingest.domain.model.plant import Confidence, GateOp, PlantKind
from ingest.domain.model.suppression import SuppressionKind
from ingest.services.timestamps import Instant as InstantIn
from ingest.web.inputs import WORDS, Count, storable

Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-23T06:00:00.000Z"])]
PlantId = Annotated[str, Field(examples=["demo-aluminium"])]
PointId = Annotated[str, Field(examples=["CW_IN_P-01"])]
NotEvaluated = Literal[
    "never_heard", "no_value", "gate_unknown", "gate_closed", "warming_up", "lesson_refused", "member_unknown"
]


Words = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500),
    Field(json_schema_extra={"pattern": WORDS}),
]
"""What a person says."""


class Shape(BaseModel):
    """What every answer has in common: built from our own dataclasses."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class Said(Shape):
    """A text in both languages."""

    zh: Annotated[str, Field(examples=["结晶器冷却水进水压力"])]
    en: Annotated[str, Field(examples=["Mould cooling water inlet pressure"])]


class Standing(Shape):
    """Standing alarms by level."""

    level_1: Annotated[int, Field(examples=[2])]
    level_2: Annotated[int, Field(examples=[1])]


class PhaseOut(Shape):
    """The phase of its process that an equipment is in."""

    code: Annotated[str, Field(description="`unknown`: what shows it is bad, stale or missing", examples=["steady"])]
    name: Said


class EquipmentOut(Shape):
    """A machine or place that points belong to."""

    id: Annotated[str, Field(examples=["CAST-01"])]
    name: Said
    phase: PhaseOut | None = Field(default=None, description="of its process; null: it has no phases")


class GatewayOut(Shape):
    """A gateway: what is on disk of its current boot, and when it was last heard."""

    plant: PlantId
    gateway: Annotated[str, Field(examples=["GW-01"])]
    name: Said | None = Field(description="null: no longer registered")
    online: bool | None = Field(description="null: never heard", examples=[True])
    clock_ahead_s: float | None = Field(
        description="how far its clock is ahead of the service's; null: not known now", examples=[-0.21]
    )
    boot: str | None = Field(examples=["01JDA4Q2"])
    committed: int | None = Field(
        description="everything up to here is on disk, but `missing` and `lost`", examples=[1842]
    )
    missing: list[tuple[int, int]] = Field(description="first and last; asked for", examples=[[[1830, 1833]]])
    lost: list[tuple[int, int]] = Field(description="first and last; no longer asked for", examples=[[]])
    last_heard: Instant | None
    frames: Annotated[int, Field(examples=[1842])]
    duplicates: Annotated[int, Field(examples=[3])]


class FaultOut(Shape):
    """One thing to mend in a file."""

    key: Annotated[str, Field(examples=["points.0.signal (CO-01)"])]
    value: Annotated[str, Field(examples=["'STL_C0'"])]
    expected: Annotated[str, Field(examples=["a signal of the catalogue for this kind of plant"])]


class HeldFile(Shape):
    """A plant file that is not in force as it stands."""

    file: Annotated[str, Field(examples=["demo-aluminium.toml"])]
    plant: PlantId
    watched: bool = Field(description="whether the plant is watched by its last good file")
    faults: list[FaultOut]
    vanished: list[str] = Field(description="taken over once the file has stayed so", examples=[["CW_IN_P-01"]])


class PlantOut(Shape):
    """An enterprise and how it stands."""

    id: PlantId
    name: Said
    uscc: Annotated[str, Field(examples=["91350100M000100Y43"])]
    region: Annotated[str, Field(examples=["350583"])]
    kind: PlantKind | Literal["service"] = Field(description="service: the service itself, which is no enterprise")
    connect_by: str | None = Field(description="enrolment deadline; null: not mandatory", examples=["2025-12-31"])
    tier: Said
    points: Annotated[int, Field(examples=[24])]
    gateways_online: Annotated[int, Field(examples=[1])]
    gateways: Annotated[int, Field(examples=[2])]
    standing: Standing


class PlantDetail(PlantOut):
    """An enterprise with its machines."""

    workers: Annotated[int, Field(examples=[120])]
    dust_workers: Annotated[int, Field(examples=[0])]
    dust: str | None
    equipment: list[EquipmentOut]


class LatestOut(Shape):
    """A point's newest reading. `value` is null when there is none to trust: stale, bad or never seen."""

    time: Instant | None
    value: float | None = Field(examples=[0.351])
    text: Said | None = Field(description="what the value of a digital signal means; null: it is a number")
    quality: list[str] = Field(description="what is known against it; empty: good", examples=[["out_of_range"]])
    stale: bool


class GateOut(Shape):
    """The rule is judged only while this holds."""

    point: PointId
    op: GateOp
    value: Annotated[float, Field(examples=[500.0])]


class RationalizationOut(Shape):
    """What an alarm asks of people (ISA-18.2): why it comes, what follows, what to do, and how soon."""

    cause: Said
    consequence: Said
    action: Said
    respond_s: Annotated[float, Field(description="the action must have begun by then", examples=[60.0])]
    source: str
    confidence: Confidence


class RuleOut(Shape):
    """One thing a point is judged by, with where its number comes from."""

    code: Annotated[str, Field(examples=["LL"])]
    kind: Annotated[str, Field(examples=["limit"])]
    level: Literal[1, 2]
    limit: Annotated[float, Field(examples=[0.28])]
    unit: Annotated[str, Field(examples=["MPa"])]
    title: Said
    gate: GateOut | None = Field(description="null: always judged, or `when` is more than one comparison")
    source: str
    confidence: Confidence
    reason: Said = Field(description="what a trip says, with its numbers, and why it matters")
    when: Annotated[str, Field(description="empty: always judged", examples=["CAST_LEN-01 >= 500"])]
    of: Annotated[
        str, Field(description="judged instead of the point's own value", examples=["CW_OUT_T-01 - CW_IN_T-01"])
    ]
    inputs: list[PointId] = Field(description="further points it looks at")
    latch: bool = Field(description="returns only when it is reset")
    red: bool = Field(description="alone calls for a red warning of its plant")
    signed: bool = Field(description="its alarm is reset only with a signed inspection")
    phases: list[Said] = Field(description="of its equipment, in which it is judged; empty: `when` alone decides")
    standing: NotEvaluated | None = Field(default=None, description="why it says nothing now; null: it is evaluated")
    rationalization: RationalizationOut | None = Field(description="null: no instruction is on file")


class PointOut(Shape):
    """A measuring point and its newest reading."""

    plant: PlantId
    id: PointId
    signal: Annotated[str, Field(examples=["ALC_CW_IN_P"])]
    name: Said
    unit: Annotated[str, Field(examples=["MPa"])]
    equipment: str | None = Field(examples=["CAST-01"])
    gateway: Annotated[str, Field(examples=["GW-01"])]
    low: float | None = Field(description="instrument range; null: has none", examples=[0.0])
    high: float | None = Field(examples=[0.6])
    latest: LatestOut
    hidden_by: SuppressionKind | None = Field(
        description="the strongest kind in force now that hides alarms of all or some of its rules; null: none does",
        examples=[None],
    )


class PointDetail(PointOut):
    """A measuring point with everything it is, and is not, judged by."""

    was: str | None = Field(description="its id before it was renamed; events of then name it", examples=[None])
    silence_s: Annotated[float, Field(examples=[15.0])]
    setpoint: float | None = Field(examples=[0.35])
    mandatory: bool = Field(description="a duty asks for it: out of action in production it is a hazard")
    basis: str | None = Field(description="that duty, or where the signal is from")
    rules: list[RuleOut]
    unjudged: list[str] = Field(description="rules not evaluated, and why", examples=[["LL: needs setpoint"]])


class Bucket(Shape):
    """Readings of one span of time; nulls where there are none."""

    time: Annotated[Instant, Field(description="its start; of the first bucket the start of the span")]
    low: float | None = Field(examples=[0.348])
    mean: float | None = Field(examples=[0.351])
    high: float | None = Field(examples=[0.354])
    count: Annotated[int, Field(description="readings, those without a value counted", examples=[30])]


class ReadingsOut(Shape):
    """A point's readings, downsampled."""

    plant: PlantId
    point: PointId
    unit: Annotated[str, Field(examples=["MPa"])]
    start: Instant
    end: Instant
    bucket_s: Annotated[float, Field(description="the width of a bucket, a whole unit of time", examples=[30.0])]
    buckets: list[Bucket]


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


class AlarmRow(AlarmOut):
    """An alarm in a list."""

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


class Body(BaseModel):
    """What every body sent to us has in common: nothing unknown is taken, and no text that cannot be kept."""

    model_config = ConfigDict(extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _whole(cls, value: object) -> object:
        """3.0 is 3: JSON does not tell them apart, and some programs know no other numbers."""
        if isinstance(value, list):
            return [cls._whole(one) for one in value]
        return int(value) if isinstance(value, float) and value.is_integer() else value

    @field_validator("*")
    @classmethod
    def _storable(cls, value: object) -> object:
        for text in value if isinstance(value, tuple) else (value,):
            if isinstance(text, str):
                storable(text)
        return value


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


class QuarantinedOut(Shape):
    """A message put aside, with the reason it was refused."""

    id: Annotated[int, Field(examples=[17])]
    received: Instant
    topic: Annotated[str, Field(examples=["yujing/v1/demo-aluminium/GW-01/frame"])]
    reason: Annotated[str, Field(examples=["time-goes-back"])]
    detail: str
    readings: Annotated[int, Field(examples=[40])]
    bytes: Annotated[int, Field(examples=[512])]
    payload: str = Field(description="its beginning, as far as it is text", examples=['{"boot": "01JD'])


class QuarantinePage(Shape):
    """Quarantined messages, newest first. Pass `next` as `before` to go on; null: no more."""

    messages: list[QuarantinedOut]
    next: int | None = Field(examples=[17])


class WrongParameter(Shape):
    """One parameter that cannot be used."""

    parameter: Annotated[str, Field(examples=["limit"])]
    value: object = Field(examples=["0"])
    expected: Annotated[str, Field(examples=["greater than or equal to 1"])]


class ProblemOut(Shape):
    """What went wrong (RFC 9457)."""

    type: Literal["about:blank"]
    title: Annotated[str, Field(examples=["A parameter is wrong"])]
    status: Annotated[int, Field(examples=[422])]
    detail: str | None = None
    message: Annotated[Said | None, Field(description="`detail` in both languages, where that is known")] = None
    errors: list[WrongParameter] | None = None
