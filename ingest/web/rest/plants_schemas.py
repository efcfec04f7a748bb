"""Schemas of plants, points, their rules and readings."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ingest.domain.model.device_status import DeviceStatus
from ingest.domain.model.instrument import Check
from ingest.domain.model.plant import Confidence, GateOp, PlantKind
from ingest.domain.model.suppression import SuppressionKind
from ingest.web.rest.schemas import Instant, PhaseOut, PlantId, PointId, RationalizationOut, Said, Shape

NotEvaluated = Literal[
    "never_heard",
    "no_value",
    "gate_unknown",
    "gate_closed",
    "warming_up",
    "lesson_refused",
    "member_unknown",
    "budget_learning",
    "budget_out_of_reach",
    "over_budget",
    "operating_point_unknown",
    "operating_point_learning",
]


class Standing(Shape):
    """Standing alarms by level."""

    level_1: Annotated[int, Field(examples=[2])]
    level_2: Annotated[int, Field(examples=[1])]


class EquipmentOut(Shape):
    """A machine or place that points belong to."""

    id: Annotated[str, Field(examples=["CAST-01"])]
    name: Said
    phase: PhaseOut | None = Field(default=None, description="of its process; null: it has no phases")


class PhaseSpanOut(Shape):
    """A time that an equipment was in a phase."""

    start: Instant
    end: Instant = Field(description="not included")
    phase: PhaseOut


class PhasesOut(Shape):
    """The phases an equipment was in."""

    plant: PlantId
    equipment: Annotated[str, Field(examples=["CAST-01"])]
    start: Instant
    end: Instant
    process: list[PhaseOut] = Field(description="the phases of its process, in their order; empty: it has none")
    phases: list[PhaseSpanOut] = Field(description="in the order of time; nothing is recorded of what lies between")


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
    status: DeviceStatus | None = Field(
        description="of the instrument, by NAMUR NE 107; `unknown`: a contact that would tell cannot be read; null: not"
        " known, since nothing was received for too long",
        examples=["function-check"],
    )
    stale: bool


class GateOut(Shape):
    """The rule is judged only while this holds."""

    point: PointId
    op: GateOp
    value: Annotated[float, Field(examples=[500.0])]


class BudgetOut(Shape):
    """What a rule whose limit is learnt for a budget has found, and may find."""

    budget: Annotated[float, Field(examples=[30.0], description="findings on 100 points in 30 days")]
    spent: Annotated[int, Field(description="findings since its limit was first learnt")]
    expected: Annotated[float, Field(description="findings the budget allowed in that time")]
    needed_s: Annotated[float, Field(description="seconds of readings still needed before it judges")]
    limit: float | None = Field(description="the score at which it trips now; null: it does not judge")


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
    budget: BudgetOut | None = Field(default=None, description="null: its limit is not learnt for a budget")
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
    overdue_checks: list[Check] = Field(
        description="of its instrument: while one is overdue its readings may be wrong", examples=[[]]
    )


class StatusContactOut(Shape):
    """A contact by which an instrument says a status of itself (NAMUR NE 107)."""

    instrument: Annotated[str, Field(examples=["CO-01"])]
    status: DeviceStatus
    point: PointId
    active: bool | None = Field(description="null: the contact is silent, bad or was never heard")


class PointDetail(PointOut):
    """A measuring point with everything it is, and is not, judged by."""

    was: str | None = Field(description="its id before it was renamed; events of then name it", examples=[None])
    silence_s: Annotated[float, Field(examples=[15.0])]
    setpoint: float | None = Field(examples=[0.35])
    mandatory: bool = Field(description="a duty asks for it: out of action in production it is a hazard")
    basis: str | None = Field(description="that duty, or where the signal is from")
    status_contacts: list[StatusContactOut] = Field(
        description="of the instrument that measures it, the gravest first; of a contact, itself", examples=[[]]
    )
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
