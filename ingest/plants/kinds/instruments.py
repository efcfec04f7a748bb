"""Kinds that ask whether the instrument can be believed."""

from __future__ import annotations

from typing import Final

import numpy as np
from pydantic import Field, ValidationInfo, field_validator

from ingest.domain.model.expectations import InvalidValue
from ingest.domain.model.text import Text
from ingest.plants.gates import Missing
from ingest.plants.kinds.bounded import bounded
from ingest.plants.kinds.budgets import BudgetedSpec
from ingest.plants.kinds.localized import number, seconds
from ingest.plants.kinds.rule import (
    Measure,
    RuleSpec,
    Score,
    require_single_form,
    return_threshold,
    rule_named,
)

MID_MA: Final = 12.0
"""Mid-scale of a 4-20 mA loop."""


class RangeSpec(RuleSpec):
    """A value outside the instrument's range."""

    params = ("low", "high")
    meaning = Text("仪表或接线故障", "a fault of the instrument or its wiring")

    def score(self, of: Measure) -> Score:
        """Score = 1 at either end of the range, more beyond."""
        return Score(float(np.nextafter(1.0, 2.0)), 1.0, of.high, of.unit, {"low": of.low, "high": of.high})

    def finds(self, of: Measure, score: Score) -> Text:  # noqa: ARG002
        """Return the finding in both languages."""
        span = f"{number(of.low)} … {number(of.high, of.unit)}"
        return Text(f"数值超出量程 {span}", f"the value is outside the instrument's range {span}")


class BadSpec(RuleSpec):
    """A value that is no measurement."""

    meaning = Text("此时该测点无人监测", "meanwhile nothing watches this point")

    def score(self, of: Measure) -> Score:  # noqa: ARG002  the same for every point
        """Score = 1 while the signal is bad."""
        return Score(1.0, 1.0, 1.0, "")

    def finds(self, of: Measure, score: Score) -> Text:  # noqa: ARG002
        """Return the finding in both languages."""
        return Text(
            "没有数值、网关标为坏值，或功能检查超时未结束",
            "no value, marked bad by the gateway, or a function check that nobody has ended in time",
        )


class CurrentSpec(RuleSpec):
    """A value no sound 4-20 mA loop can give: `on` mA or more from mid-scale, which is 12 mA."""

    params = ("low", "high")
    meaning = Text("变送器断线或短路", "the transmitter's loop is open or shorted")

    on: float = bounded("current", "on")
    off: float | None = bounded("current", "off", default=None)

    def score(self, of: Measure) -> Score:
        """Score = mA from mid-scale, the range taken for 4-20 mA."""
        return Score(
            self.on,
            return_threshold(self.on, self.off, number(self.on)),
            self.on,
            "mA",
            {"low": of.low, "high": of.high},
        )

    def finds(self, of: Measure, score: Score) -> Text:  # noqa: ARG002
        """Return the finding in both languages."""
        low, high = MID_MA - self.on, MID_MA + self.on
        per_ma = (of.high - of.low) / 16
        ends = f"{number(of.low - (4 - low) * per_ma)} / {number(of.high + (high - 20) * per_ma, of.unit)}"
        return Text(
            f"数值相当于回路电流 ≤ {low:g} mA 或 ≥ {high:g} mA（{ends}）",
            f"the value stands for a loop current of at most {low:g} or at least {high:g} mA ({ends})",
        )


class SilenceSpec(RuleSpec):
    """No reading for longer than the point may be silent."""

    carried = True
    meaning = Text("此时该测点无人监测", "meanwhile nothing watches this point")

    def score(self, of: Measure) -> Score:
        """Score = seconds since the last reading."""
        return Score(of.silence_s, of.silence_s, of.silence_s, "s")

    def finds(self, of: Measure, score: Score) -> Text:  # noqa: ARG002
        """Return the finding in both languages."""
        window = seconds(of.silence_s)
        return Text(f"{window.zh}未收到读数", f"no reading for {window.en}")


class StuckSpec(BudgetedSpec):
    """A value that stays within a band, in percent of span, for `on` seconds."""

    params = ("band", "nonzero")
    meaning = Text("传感器或采集疑似冻结，真实值不明", "sensor or acquisition seems frozen, the true value is unknown")

    on: float = bounded("stuck", "on")
    band_percent: float = Field(default=0.1, ge=0)
    nonzero: bool = False

    def score(self, of: Measure) -> Score:
        """Score = seconds without leaving the band."""
        param = {"band": of.of_span(self.band_percent), "nonzero": float(self.nonzero)}
        return Score(self.on, self.on, self.on, "s", param)

    def finds(self, of: Measure, score: Score) -> Text:
        """Return the finding in both languages."""
        window, band = seconds(self.on), number(score.param["band"], of.unit)
        exact = score.param["band"] == 0
        zh = f"{'非零数值' if self.nonzero else '数值'}在 {window.zh}内{'分毫未变' if exact else f'变化不超过 {band}'}"
        still = "does not change at all" if exact else f"stays within {band}"
        en = f"the value {'is not zero and ' if self.nonzero else ''}{still}"
        return Text(zh, f"{en} for {window.en}")


class PinnedSpec(RuleSpec):
    """`on` percent of a window's readings within `band` of a value: of the limit of another rule, or `at`."""

    params = ("at", "band", "window_s")
    meaning = Text("数值疑似被固定或造假", "the value seems pinned or faked")

    of_limit: str | None = None
    at: float | None = Field(default=None, validate_default=True)
    band: float = bounded("pinned", "band")
    window_s: float = bounded("pinned", "window_s")
    on: float = bounded("pinned", "on", default=90)
    off: float | None = bounded("pinned", "off", default=None)

    @field_validator("at")
    @classmethod
    def _single_value(cls, at: float | None, info: ValidationInfo) -> float | None:
        require_single_form(at, info, "of_limit")
        if at is None and info.data.get("of_limit") is None:
            raise InvalidValue(Text("of_limit 或 at", "of_limit or at"))
        return at

    def limit_of(self) -> str | None:
        """Return the code of the rule whose limit it takes, or None."""
        return self.of_limit

    def score(self, of: Measure) -> Score:
        """Score = percent of the window's readings."""
        at = of.taken.value if of.taken is not None else self.at
        if at is None:
            raise Missing("of_limit", rule_named(self.of_limit))
        off = return_threshold(self.on, self.off, number(self.on, "%"))
        return Score(self.on, off, self.on, "%", {"at": at, "band": self.band, "window_s": self.window_s})

    def finds(self, of: Measure, score: Score) -> Text:
        """Return the finding in both languages."""
        window, near = seconds(self.window_s), f"{number(score.param['at'])} ± {number(self.band, of.unit)}"
        return Text(
            f"{window.zh}内至少 {self.on:g} % 的读数落在 {near}",
            f"at least {self.on:g} % of the readings of {window.en} lie within {near}",
        )


class NoiseSpec(BudgetedSpec):
    """Noise that has shrunk to one `on`-th of what the point usually shows."""

    params = ("window_s",)
    meaning = Text("信号疑似被过度滤波、替换或冻结", "the signal seems filtered to death, replaced or frozen")

    on: float = bounded("noise", "on")
    off: float | None = bounded("noise", "off", default=None)
    window_s: float = bounded("noise", "window_s")

    def score(self, of: Measure) -> Score:  # noqa: ARG002  the same for every point
        """Score = usual noise over present noise."""
        off = return_threshold(self.on, self.off, number(self.on))
        return Score(self.on, off, self.on, "", {"window_s": self.window_s})

    def finds(self, of: Measure, score: Score) -> Text:  # noqa: ARG002
        """Return the finding in both languages."""
        window = seconds(self.window_s)
        return Text(
            f"{window.zh}内数值的噪声降到平时的 1/{self.on:g} 以下",
            f"the noise of {window.en} is at most 1/{self.on:g} of the usual",
        )
