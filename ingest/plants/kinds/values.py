"""Kinds that look at the value itself: limits, deviations, counts."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from ingest.domain.model.expectations import InvalidValue
from ingest.domain.model.text import Text
from ingest.plants.gates import Missing, Peers
from ingest.plants.kinds.bounded import bounded
from ingest.plants.kinds.localized import number, seconds
from ingest.plants.kinds.rule import (
    SETPOINT,
    SIGNS,
    Measure,
    Positive,
    RuleSpec,
    Score,
    Side,
    Unfit,
    require_single_form,
    return_threshold,
)


class LimitSpec(RuleSpec):
    """A value at or beyond a limit: absolute, in percent of the point's set-point, or so much above it (- below)."""

    params = ("side",)

    side: Literal["low", "high"]
    on: float | None = None
    on_percent: float | None = None
    on_offset: float | None = None
    off: float | None = None
    off_percent: float | None = None
    off_offset: float | None = None
    beyond_setpoint: bool = False  # evaluated only if the set-point itself is not beyond the limit

    @field_validator("on_percent", "off_percent", "on_offset", "off_offset")
    @classmethod
    def _single_form(cls, value: float | None, info: ValidationInfo) -> float | None:
        name = str(info.field_name).partition("_")[0]
        require_single_form(value, info, name, f"{name}_percent", f"{name}_offset")
        return value

    def score(self, of: Measure) -> Score:
        """Score = side x value, so that higher is worse on either side."""
        side = SIGNS[self.side]
        on = _number("on", self.on, self.on_percent, self.on_offset, of)
        if on is None:
            raise Missing("on", Text("限值（on）", "on"))
        if self.beyond_setpoint and (of.setpoint is None or side * of.setpoint >= side * on):
            limit = number(on, of.unit)
            raise Missing(
                "beyond_setpoint",
                Text(
                    f"{'低于' if side > 0 else '高于'} {limit} 的设定值",
                    f"a setpoint {'below' if side > 0 else 'above'} {limit}",
                ),
            )
        off = _number("off", self.off, self.off_percent, self.off_offset, of)
        if off is not None and side * off > side * on:
            key = next(key for key in ("off", "off_percent", "off_offset") if getattr(self, key) is not None)
            limit = number(on, of.unit)
            expected = Text(
                f"{'不大于' if side > 0 else '不小于'} on，即 {limit}",
                f"{'at most' if side > 0 else 'at least'} on, which is {limit}",
            )
            raise Unfit(key, getattr(self, key), expected)
        return Score(side * on, side * (on if off is None else off), on, of.unit, {"side": side})

    def finds(self, of: Measure, score: Score) -> Text:
        """Return the finding in both languages."""
        limit, subject = number(score.limit, of.unit), self.subject()
        high = self.side == "high"
        return Text(
            f"{subject.zh}达到或{'高于' if high else '低于'} {limit}",
            f"{subject.en} is at or {'above' if high else 'below'} {limit}",
        )


class DeviationSpec(RuleSpec):
    """A value off its set-point, which is the point's own number or the value of another point (`setpoint`)."""

    params = ("side", "relative", "setpoint", "fresh_s")
    has_peers = True

    side: Side
    on: float | None = bounded("deviation", "on", default=None)
    on_percent: Positive | None = Field(default=None, validate_default=True)
    off: float | None = bounded("deviation", "off", default=None)
    off_percent: float | None = Field(default=None, ge=0)
    setpoint: str | None = None
    fresh_s: float | None = bounded("deviation", "fresh_s", default=None)

    @field_validator("on_percent", "off_percent")
    @classmethod
    def _single_form(cls, value: float | None, info: ValidationInfo) -> float | None:
        name = str(info.field_name).partition("_")[0]
        require_single_form(value, info, name)
        if info.field_name == "on_percent" and value is None and info.data.get("on") is None:
            raise InvalidValue(Text("on 或 on_percent", "on or on_percent"))
        if info.field_name == "off_percent" and value is not None and info.data.get("on_percent") is None:
            raise InvalidValue(Text("off：on 不是百分数", "off, as on is not in percent"))
        return value

    def peer_points(self) -> Peers | None:
        """Return the point that gives the set-point, if one does."""
        return Peers("setpoint", (self.setpoint,), alike=False) if self.setpoint else None

    def score(self, of: Measure) -> Score:
        """Score = how far off, in the unit or in percent of the set-point."""
        if self.setpoint is None and of.setpoint is None:
            raise Missing("setpoint", SETPOINT)
        relative = self.on_percent is not None
        unit = "%" if relative else of.unit
        on = self.on_percent if self.on_percent is not None else self.on or 0.0
        off = return_threshold(on, self.off_percent if relative else self.off, number(on, unit))
        param = {
            "side": SIGNS[self.side],
            "relative": float(relative),
            "setpoint": float("nan") if self.setpoint or of.setpoint is None else of.setpoint,
            "fresh_s": self.fresh_s or of.fresh_s,
        }
        return Score(on, off, on, unit, param)

    def finds(self, of: Measure, score: Score) -> Text:
        """Return the finding in both languages."""
        zh = {"above": "高于", "below": "低于", "either": "偏离"}[self.side]
        en = {"above": "above", "below": "below", "either": "off"}[self.side]
        name = self.setpoint or number(of.setpoint or 0.0, of.unit)
        limit, subject = number(score.limit, score.unit), self.subject()
        return Text(
            f"{subject.zh}{zh}设定值 {name} {limit} 及以上",
            f"{subject.en} is {limit} or more {en} its set-point {name}",
        )


class CountSpec(RuleSpec):
    """A value that goes to `above` (or, without `edges`, is read at or above it) `on` times within a window."""

    params = ("above", "window_s", "edges")

    on: int = bounded("count", "on")
    off: int | None = bounded("count", "off", default=None)
    above: float = 0.5
    window_s: float = bounded("count", "window_s")
    edges: bool = True

    def score(self, of: Measure) -> Score:  # noqa: ARG002  the same for every point
        """Score = times within the window."""
        off = return_threshold(self.on, self.off, number(self.on))
        param = {"above": self.above, "window_s": self.window_s, "edges": float(self.edges)}
        return Score(float(self.on), off, float(self.on), "", param)

    def finds(self, of: Measure, score: Score) -> Text:  # noqa: ARG002
        """Return the finding in both languages."""
        window, subject = seconds(self.window_s), self.subject()
        return Text(
            f"{window.zh}内{subject.zh} {self.on} 次及以上达到 {number(self.above, of.unit)}",
            f"{subject.en} reaches {number(self.above, of.unit)} {self.on} times or more within {window.en}",
        )


def _number(key: str, absolute: float | None, percent: float | None, offset: float | None, of: Measure) -> float | None:
    if percent is not None:
        return of.of_setpoint(percent, f"{key}_percent")
    if offset is not None:
        return of.of_setpoint(100, f"{key}_offset") + offset
    return absolute
