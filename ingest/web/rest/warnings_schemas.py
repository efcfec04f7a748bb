"""Schemas of early warnings and risk."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from ingest.domain.model.plant import Confidence
from ingest.domain.model.warning import Asked, Colour, Step, WarningEventKind, WarningState
from ingest.web.rest.schemas import Body, Instant, PhaseOut, PlantId, PointId, Said, Shape, Words


class FeedbackOut(Shape):
    """What it was and what was done."""

    cause: str
    measure: str
    by: str
    time: Instant


class WarningOut(Shape):
    """An episode as it stands. The same shape leaves by webhook and stream (`ingest.domain.warnings.report`)."""

    id: Annotated[str, Field(examples=["0b1f0a0e-5a0c-5d55-9d3a-3c8b2f0f7a11"])]
    plant: PlantId
    colour: Colour | None = Field(description="null: over")
    peak: Colour = Field(description="the highest so far; deadlines follow it")
    state: WarningState
    since: Instant = Field(description="since when the colour is this")
    raised: Instant
    ended: Instant | None
    step: Step = Field(description="who is asked now")
    step_name: Said
    asking: Asked | None = Field(description="for what; null: nothing is missing")
    asked: Instant
    until: Instant | None = Field(description="then it goes up, or is reminded of again")
    who: list[str] = Field(description="the names of those asked; empty while something is asked: everyone")
    acknowledged: Instant | None
    acknowledged_by: str | None
    feedback: FeedbackOut | None
    risk: float = Field(description="the plant's risk index at the last event", examples=[76.2])
    risk_model: str
    rules: str = Field(description="version of the rules it was derived by", examples=["1+5f0c2b1a"])


class WarningPage(Shape):
    """Warnings, newest raised first. Pass `next` as `cursor` to go on; null: no more."""

    warnings: list[WarningOut]
    next: str | None


class FactOut(Shape):
    """One thing that led to the colour."""

    alarm: str | None = Field(description="null: a point out of service")
    point: PointId
    rule: str
    signal: str
    equipment: str | None
    level: int
    traits: list[str] = Field(examples=[["level_2", "red", "unacknowledged", "in_production"]])
    since: Instant
    age_s: float
    gone: Instant | None = Field(description="over since; null: it stood")
    value: float | None
    limit: float | None
    unit: str
    phase: PhaseOut | None = Field(default=None, description="of its equipment then; null: it has none")


class ReasonOut(Shape):
    """A rule that held, in its own words of then."""

    rule: Annotated[str, Field(examples=["L2-PAIR"])]
    colour: Colour
    text: Said
    source: str
    confidence: Confidence
    facts: list[FactOut]
    more: int = Field(description="further facts it held for, beside those listed")


class WarningEventOut(Shape):
    """One step in a warning's life, and how it stood then."""

    seq: int
    event: WarningEventKind
    time: Instant
    by: str | None = Field(description="null: the service itself")
    detail: dict[str, Any]
    colour: Colour | None
    step: Step
    who: list[str]
    risk: float


class WarningDetail(WarningOut):
    """A warning with why it stands and its history, oldest first."""

    title: Said
    reasons: list[ReasonOut]
    history: list[WarningEventOut]


class FadingOut(Shape):
    """A colour still shown, though nothing calls for it any more."""

    colour: Colour
    not_called_for_since: Instant


class HeldOut(Shape):
    """The colour is not called for any more; it falls once the lower one has held for a while."""

    since: Instant
    reasons: list[ReasonOut] = Field(description="what had called for it last")


class LastEvent(Shape):
    """What happened last before the moment asked about."""

    event: WarningEventKind
    time: Instant
    by: str | None


class ExplanationOut(Shape):
    """Why it had its colour at a moment."""

    at: Instant
    colour: Colour | None
    colour_name: Said
    since: Instant
    last_event: LastEvent
    reasons: list[ReasonOut]
    fading: list[FadingOut]
    held: HeldOut | None = Field(description="null: it is called for, or there is none")
    rules: str
    warning: WarningOut = Field(description="as it stood then")


class EquipmentRiskOut(Shape):
    """One equipment's risk index."""

    id: str
    name: Said
    inherent: float
    index: float
    band: Colour
    phase: PhaseOut | None = Field(description="in which level 2 weighs more if it is critical; null: it has none")


class PlantRiskOut(Shape):
    """One plant's risk index, and that of its equipment."""

    plant: PlantId
    name: Said
    region: str
    inherent: float = Field(description="S: what it is by itself")
    index: float = Field(description="R: with what stands there now")
    band: Colour
    facts: int = Field(description="how many facts weigh on it")
    equipment: list[EquipmentRiskOut]


class RegionRiskOut(Shape):
    """A region's risk index, by the plants this token may see."""

    region: Annotated[str, Field(examples=["350583"])]
    index: float
    band: Colour
    plants: int


class RiskOut(Shape):
    """The risk index of plants, gravest first, and of regions."""

    model: str = Field(description="version of the formula; see docs/risk.md")
    source: Literal["engineering default"] = "engineering default"
    plants: list[PlantRiskOut]
    regions: list[RegionRiskOut]


class Looked(Body):
    """Up to which colour the warning was looked at: one that has risen above it since is refused."""

    peak: Colour | None = Field(
        default=None, description="`peak` as it was looked at. null: the colour it was raised with"
    )


class Seen(Looked):
    """What is sent with an acknowledgement."""

    comment: Words | None = None


class Answer(Looked):
    """What it was and what was done."""

    cause: Words = Field(examples=["冷却水泵跳停"])
    measure: Words = Field(examples=["切换备用泵，停止浇铸"])
