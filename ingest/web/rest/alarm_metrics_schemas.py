"""Schemas of alarm metrics by operator position. Shares are of 1; null means that there is no data."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ingest.domain.model.plant import Confidence
from ingest.web.rest.schemas import Instant, PlantId, PointId, Said, Shape

Share = Annotated[float, Field(ge=0, le=1, examples=[0.02])]


class FloodOut(Shape):
    """More alarms than a person can follow."""

    began: Instant
    ended: Instant | None = Field(description="null: it goes on at the end of the span")
    alarms: Annotated[int, Field(examples=[37])]
    peak: int = Field(description="most within one window", examples=[24])


class RuleLoadOut(Shape):
    """How often one rule called."""

    plant: PlantId
    point: PointId
    rule: Annotated[str, Field(examples=["H"])]
    count: Annotated[int, Field(examples=[12])]
    share: Share


class RuleName(Shape):
    """A rule."""

    plant: PlantId
    point: PointId
    rule: Annotated[str, Field(examples=["H"])]


class PresentOut(Shape):
    """What the position has before it now, whatever the span."""

    level_1: int = Field(description="standing", examples=[3])
    level_2: int = Field(description="standing", examples=[1])
    unacknowledged: Annotated[int, Field(examples=[2])]
    stale: Annotated[int, Field(examples=[0])]
    hidden: int = Field(description="shelved, suppressed or out of service", examples=[1])
    chattering: int = Field(description="rules, in the last 10 min", examples=[0])
    raised: int = Field(description="in the last 10 min", examples=[1])
    flood: bool


class PositionMetrics(Shape):
    """One operator position over a span of time."""

    position: Annotated[str, Field(examples=["demo-aluminium"])]
    plants: list[PlantId]
    start: Instant
    end: Instant
    raised: int = Field(description="times an alarm called", examples=[96])
    hidden: int = Field(description="raised while shelved, suppressed or out of service: in no other figure")
    per_day: Annotated[float, Field(examples=[96.0])]
    rate_mean: float = Field(description="in 10 min", examples=[0.7])
    rate_max: int = Field(description="in any of the 10-min slots counted from the start", examples=[12])
    slots: Annotated[int, Field(examples=[144])]
    above_1: Share = Field(description="share of slots with more than 1 alarm")
    above_2: Share = Field(description="share of slots with more than 2 alarms")
    above_10: Share = Field(description="share of slots with more than 10 alarms")
    floods: list[FloodOut]
    flood_share: Share = Field(description="share of the span")
    top: list[RuleLoadOut] = Field(description="the ten rules that called most often")
    top_share: Share
    level_1: Annotated[int, Field(examples=[80])]
    level_2: Annotated[int, Field(examples=[16])]
    level_2_share: Share
    chattering: list[RuleName] = Field(description="raised at least `chatter_count` times in `chatter_window_s`")
    acknowledged: Annotated[int, Field(examples=[90])]
    not_acknowledged: int = Field(description="not, or not before the alarm was raised again", examples=[6])
    acknowledged_median_s: float | None = Field(examples=[42.0])
    acknowledged_p95_s: float | None = Field(examples=[610.0])
    now: PresentOut


class BenchmarkOut(Shape):
    """A figure to hold a metric against, and where it is from. None is a regulation."""

    metric: Annotated[str, Field(examples=["flood_share"])]
    good: float = Field(description="at most so much is acceptable", examples=[0.01])
    bad: float = Field(description="more is not", examples=[0.01])
    unit: Said
    text: Said
    source: str
    confidence: Confidence


class AlarmMetricsOut(Shape):
    """Positions in the caller's scope, and the benchmarks."""

    positions: list[PositionMetrics]
    benchmarks: list[BenchmarkOut]
