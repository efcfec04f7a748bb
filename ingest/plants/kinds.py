"""The kinds of rule: what a person may write for each, and the score it trips at in the detector's own units."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final, Literal

import numpy as np
from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from ingest.model.plant import Text
from ingest.plants.enrolment import Dust
from ingest.plants.gates import ALWAYS, Missing, parse_when
from ingest.plants.written import Sourced

LABELS: Final[Mapping[str, Text]] = {
    "LL": Text("低低报", "low-low"),
    "L": Text("低报", "low"),
    "H": Text("高报", "high"),
    "HH": Text("高高报", "high-high"),
    "RATE": Text("变化过快", "changes too fast"),
    "STUCK": Text("数值卡死", "stuck"),
    "RANGE": Text("超量程", "out of range"),
    "BAD": Text("信号无效", "bad signal"),
    "SILENT": Text("数据中断", "silent"),
    "OFFLINE": Text("网关离线", "gateway offline"),
}
"""What a rule of that code is called unless it has a label of its own."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A point as far as its rules' numbers depend on it."""

    unit: str
    low: float
    high: float
    silence_s: float
    setpoint: float | None


@dataclass(frozen=True, slots=True)
class Score:
    """Where a rule trips and returns, in the detector's units, and what a person would read."""

    on: float
    off: float
    limit: float
    unit: str
    param: Mapping[str, float] = field(default_factory=dict)


class Unfit(Exception):
    """A number that contradicts another: the key, its value, and what was expected."""

    def __init__(self, key: str, value: float, expected: str) -> None:
        super().__init__(expected)
        self.key = key
        self.value = value
        self.expected = expected


def _parsed(when: str) -> str:
    parse_when(when)
    return when


class RuleSpec(Sourced):
    """What every rule may say. `dust` confines a rule to plants with one of these dusts."""

    params: ClassVar[tuple[str, ...]] = ()

    kind: str
    level: Literal[1, 2]
    on_delay_s: float = Field(default=0, ge=0)
    off_delay_s: float = Field(default=0, ge=0)
    when: Annotated[str, AfterValidator(_parsed)] = ALWAYS
    dust: list[Dust] | None = None
    red: bool = False
    label: str | None = Field(default=None, min_length=1)
    label_en: str | None = Field(default=None, min_length=1)

    @abstractmethod
    def score(self, of: Measure) -> Score:
        """The numbers for one point.

        Raises:
            Missing: the point lacks what they stand on (a set-point).
            Unfit: they contradict each other.
        """

    def labelled(self, code: str) -> Text:
        """The rule's own label, else that of its code; a code without one stands for itself."""
        known = LABELS.get(code, Text(code, code))
        return Text(self.label or known.zh, self.label_en or known.en)


class LimitSpec(RuleSpec):
    """A value at or beyond a limit; absolute, or in percent of the point's set-point."""

    params = ("side",)

    side: Literal["low", "high"]
    on: float | None = None
    on_percent: float | None = None
    off: float | None = None
    off_percent: float | None = None

    @field_validator("on_percent", "off_percent")
    @classmethod
    def _one_form(cls, percent: float | None, info: ValidationInfo) -> float | None:
        absolute = str(info.field_name).removesuffix("_percent")
        if percent is not None and info.data.get(absolute) is not None:
            raise ValueError(f"either {absolute} or {info.field_name}, not both")
        return percent

    def score(self, of: Measure) -> Score:
        """Score = side x value, so that higher is worse on either side."""
        side = 1.0 if self.side == "high" else -1.0
        on = _number("on", self.on, self.on_percent, of.setpoint)
        if on is None:
            raise Missing("on", "on")
        off = _number("off", self.off, self.off_percent, of.setpoint)
        if off is not None and side * off > side * on:
            key, given = ("off", self.off) if self.off is not None else ("off_percent", self.off_percent)
            raise Unfit(
                key, given or 0.0, f"{'at most' if side > 0 else 'at least'} on, which is {on:g} {of.unit}".strip()
            )
        return Score(side * on, side * (on if off is None else off), on, of.unit, {"side": side})


class RateSpec(RuleSpec):
    """A change per minute, taken over a window."""

    params = ("side", "window_s")
    sides: ClassVar[Mapping[str, float]] = {"rise": 1.0, "fall": -1.0, "either": 0.0}

    side: Literal["rise", "fall", "either"]
    on: float = Field(gt=0)
    off: float | None = Field(default=None, ge=0)
    window_s: float = Field(gt=0)

    def score(self, of: Measure) -> Score:
        """Score = change per minute in the direction asked for."""
        off = self.on if self.off is None else self.off
        if off > self.on:
            raise Unfit("off", off, f"at most on, which is {self.on:g} {of.unit}/min")
        param = {"side": self.sides[self.side], "window_s": self.window_s}
        return Score(self.on, off, self.on, f"{of.unit}/min", param)


class StuckSpec(RuleSpec):
    """A value that stays within a band, in percent of span, for `on` seconds."""

    params = ("band", "nonzero")

    on: float = Field(gt=0)
    band_percent: float = Field(default=0.1, ge=0)
    nonzero: bool = False

    def score(self, of: Measure) -> Score:
        """Score = seconds without leaving the band."""
        band = (of.high - of.low) * self.band_percent / 100
        return Score(self.on, self.on, self.on, "s", {"band": band, "nonzero": float(self.nonzero)})


class RangeSpec(RuleSpec):
    """A value outside the instrument's range."""

    params = ("low", "high")

    def score(self, of: Measure) -> Score:
        """Score = 1 at either end of the range, more beyond."""
        return Score(float(np.nextafter(1.0, 2.0)), 1.0, of.high, of.unit, {"low": of.low, "high": of.high})


class BadSpec(RuleSpec):
    """A value that is no measurement."""

    def score(self, of: Measure) -> Score:  # noqa: ARG002  the same for every point
        """Score = 1 while the signal is bad."""
        return Score(1.0, 1.0, 1.0, "")


class SilenceSpec(RuleSpec):
    """No reading for longer than the point may be silent."""

    def score(self, of: Measure) -> Score:
        """Score = seconds since the last reading."""
        return Score(of.silence_s, of.silence_s, of.silence_s, "s")


KINDS: Final[Mapping[str, type[RuleSpec]]] = {
    "limit": LimitSpec,
    "rate": RateSpec,
    "stuck": StuckSpec,
    "range": RangeSpec,
    "bad": BadSpec,
    "silence": SilenceSpec,
}
"""Every kind, by the name of its detector."""

NUMBERS: Final = frozenset(
    {"on", "on_percent", "off", "off_percent", "window_s", "band_percent", "on_delay_s", "off_delay_s"}
)
"""Keys whose numbers have a source."""


def overlay(default: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """A default rule with single keys of it changed; a rule of another kind replaces it.

    A limit given in the other form (absolute or percent) takes the default's limits away with it.
    """
    if own.get("kind", default.get("kind")) != default.get("kind"):
        return dict(own)
    gone = set()
    for number in ("on", "off"):
        forms = {number, f"{number}_percent"}
        if forms & own.keys():
            gone |= forms
    if not {"on", "on_percent"} & own.keys() <= default.keys():
        gone |= {"off", "off_percent"}
    return {key: value for key, value in default.items() if key not in gone} | dict(own)


def _number(key: str, absolute: float | None, percent: float | None, setpoint: float | None) -> float | None:
    if percent is None:
        return absolute
    if setpoint is None:
        raise Missing(f"{key}_percent", "setpoint")
    return setpoint * percent / 100
