"""Kinds that look at how a value moves: rates, jumps, spikes, and the way it is on."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from ingest.domain.model.expectations import InvalidValue
from ingest.domain.model.text import Text
from ingest.plants.gates import Missing
from ingest.plants.kinds.bounded import bounded
from ingest.plants.kinds.budgets import BudgetedSpec, OwnLimitSpec
from ingest.plants.kinds.localized import number, seconds
from ingest.plants.kinds.rule import (
    SIGNS,
    Direction,
    Measure,
    Positive,
    RuleSpec,
    Score,
    require_single_form,
    return_threshold,
    rule_named,
)

_ZH = {"rise": "上升", "fall": "下降", "either": "变化"}
_EN = {"rise": "rises", "fall": "falls", "either": "changes"}


class RateSpec(RuleSpec):
    """A change per minute, taken over a window."""

    params = ("side", "window_s")

    side: Direction
    on: float = bounded("rate", "on")
    off: float | None = bounded("rate", "off", default=None)
    window_s: float = bounded("rate", "window_s")

    def score(self, of: Measure) -> Score:
        """Score = change per minute in the direction asked for."""
        off = return_threshold(self.on, self.off, f"{self.on:g} {of.unit}/min")
        return Score(self.on, off, self.on, f"{of.unit}/min", {"side": SIGNS[self.side], "window_s": self.window_s})

    def finds(self, of: Measure, score: Score) -> Text:  # noqa: ARG002
        """Return the finding in both languages."""
        window, subject = seconds(self.window_s), self.subject()
        return Text(
            f"{window.zh}内{subject.zh}每分钟{_ZH[self.side]} {number(self.on, of.unit)} 及以上",
            f"{subject.en} {_EN[self.side]} by {number(self.on, of.unit)} a minute or more over {window.en}",
        )


class StepSpec(RuleSpec):
    """A level that has shifted from one window to the next, in the point's unit or in percent of span."""

    params = ("side", "window_s")

    side: Direction
    on: float | None = bounded("step", "on", default=None)
    on_span_percent: Positive | None = Field(default=None, validate_default=True)
    off: float | None = bounded("step", "off", default=None)
    window_s: float = bounded("step", "window_s")

    @field_validator("on_span_percent")
    @classmethod
    def _single_form(cls, value: float | None, info: ValidationInfo) -> float | None:
        require_single_form(value, info, "on")
        if value is None and info.data.get("on") is None:
            raise InvalidValue(Text("on 或 on_span_percent", "on or on_span_percent"))
        return value

    def score(self, of: Measure) -> Score:
        """Score = level of the last window less that of the one before, seen from the side asked for."""
        on = self.on if self.on is not None else of.of_span(self.on_span_percent or 0.0)
        off = return_threshold(on, self.off, number(on, of.unit))
        return Score(on, off, on, of.unit, {"side": SIGNS[self.side], "window_s": self.window_s})

    def finds(self, of: Measure, score: Score) -> Text:
        """Return the finding in both languages."""
        window, subject = seconds(self.window_s), self.subject()
        return Text(
            f"{subject.zh}的水平比前一个 {window.zh}{_ZH[self.side]} {number(score.limit, of.unit)} 及以上",
            f"the level of {subject.en} {_EN[self.side]} by {number(score.limit, of.unit)} or more"
            f" from one {window.en} to the next",
        )


class SpikeSpec(OwnLimitSpec):
    """A reading `on` scatters or more from those before it; the scatter counts as `floor` at least."""

    OWN = 6.0
    params = ("floor",)

    floor: float | None = bounded("spike", "floor", default=None)
    floor_span_percent: Positive = 0.1

    def score(self, of: Measure) -> Score:
        """Score = distance over scatter."""
        return self.scores({"floor": self.floor or of.of_span(self.floor_span_percent)})

    def finds(self, of: Measure, score: Score) -> Text:  # noqa: ARG002
        """Return the finding in both languages."""
        subject = self.subject()
        return Text(
            f"{subject.zh}单次偏离此前读数达平常波动的 {self.lowest():g} 倍及以上",
            f"{subject.en} stands {self.lowest():g} times its usual scatter or more from the readings before it",
        )


class ForecastSpec(BudgetedSpec):
    """A trend over a window that reaches a limit within `lead_s`: that of another rule of the point, or its own."""

    params = ("limit", "side", "window_s", "lead_s")

    of_limit: str | None = None
    limit: float | None = Field(default=None, validate_default=True)
    side: Literal["low", "high"] | None = Field(default=None, validate_default=True)
    window_s: float = bounded("forecast", "window_s")
    lead_s: float = bounded("forecast", "lead_s")

    @field_validator("limit")
    @classmethod
    def _single_limit(cls, limit: float | None, info: ValidationInfo) -> float | None:
        require_single_form(limit, info, "of_limit")
        if limit is None and info.data.get("of_limit") is None:
            raise InvalidValue(Text("of_limit 或 limit", "of_limit or limit"))
        return limit

    @field_validator("side")
    @classmethod
    def _sided(cls, side: str | None, info: ValidationInfo) -> str | None:
        if (side is None) == (info.data.get("of_limit") is None):
            raise InvalidValue(
                Text("side，仅在规则有自己的限值时填写", "a side for a limit of its own, and only there")
            )
        return side

    def limit_of(self) -> str | None:
        """Return the code of the rule whose limit it takes, or None."""
        return self.of_limit

    def score(self, of: Measure) -> Score:
        """Score = minus the seconds left, so that fewer are worse."""
        if of.taken is not None:
            limit, side = of.taken.value, of.taken.side
        elif self.limit is not None and self.side is not None:
            limit, side = self.limit, SIGNS[self.side]
        else:
            raise Missing("of_limit", rule_named(self.of_limit))
        param = {"limit": limit, "side": side, "window_s": self.window_s, "lead_s": self.lead_s}
        return Score(-self.lead_s, -2 * self.lead_s, self.lead_s, "s", param)

    def finds(self, of: Measure, score: Score) -> Text:
        """Return the finding in both languages."""
        limit, taken = number(score.param["limit"], of.unit), of.taken
        zh, en = (
            (f"{taken.label.zh}限值 {limit}", f"its {taken.label.en} limit {limit}") if taken else (f" {limit}", limit)
        )
        past, left, subject = seconds(self.window_s), seconds(self.lead_s), self.subject()
        own = f"（{self.of}）" if self.of else ""
        return Text(
            f"按最近 {past.zh}的趋势{own}，{left.zh}内将达到{zh}",
            f"by its trend over {past.en}, {subject.en} reaches {en} within {left.en}",
        )
