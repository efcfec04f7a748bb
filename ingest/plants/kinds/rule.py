"""The base of all kinds of rule: the keys they share, and the score they become."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from ingest.domain.model.expectations import InvalidValue
from ingest.domain.model.plant import PhaseName
from ingest.domain.model.text import Text
from ingest.plants.enrolment import Dust
from ingest.plants.formula import condition, parse_formula
from ingest.plants.gates import ALWAYS, Missing, Nearby, Peers
from ingest.plants.kinds.labels import label_of
from ingest.plants.kinds.localized import seconds
from ingest.plants.written import Sourced

Positive = Annotated[float, Field(gt=0)]
Side = Literal["above", "below", "either"]
Direction = Literal["rise", "fall", "either"]

SIGNS: dict[str, float] = {
    "high": 1.0, "low": -1.0, "above": 1.0, "below": -1.0, "rise": 1.0, "fall": -1.0, "either": 0.0,
}  # fmt: skip
"""The number for each side in detector parameters."""


SETPOINT = Text("设定值", "setpoint")


def rule_named(code: str | None) -> Text:
    """Return that a rule of that code is needed."""
    return Text(f"规则 {code}", f"rule {code}")


@dataclass(frozen=True, slots=True)
class BorrowedLimit:
    """A limit taken from another rule of the point (`of_limit`), with that rule's side and label."""

    value: float
    side: float
    label: Text


@dataclass(frozen=True, slots=True)
class Measure:
    """The properties of a point that its rules' numbers depend on.

    Attributes:
        others: further points the rule reads, by id.
        signals: their signals.
        fresh_s: the longest any of them may be silent.
        taken: the limit its `of_limit` names.
        phases: the phases of its equipment in their order, for rules that judge it.
    """

    unit: str
    low: float
    high: float
    silence_s: float
    setpoint: float | None
    others: tuple[str, ...] = ()
    fresh_s: float = math.inf
    taken: BorrowedLimit | None = None
    signals: tuple[str, ...] = ()
    phases: tuple[PhaseName, ...] = ()

    def of_span(self, percent: float) -> float:
        """Return that percentage of the instrument's span, in its unit."""
        return (self.high - self.low) * percent / 100

    def of_setpoint(self, percent: float, key: str) -> float:
        """Return that percentage of the set-point. Raises Missing if there is none."""
        if self.setpoint is None:
            raise Missing(key, SETPOINT)
        return self.setpoint * percent / 100


@dataclass(frozen=True, slots=True)
class Score:
    """The thresholds at which a rule trips and returns, in the detector's units, and the limit for people."""

    on: float
    off: float
    limit: float
    unit: str
    param: Mapping[str, float] = field(default_factory=dict)


class Unfit(Exception):
    """A number contradicts another: carries the key, its value and what was expected."""

    def __init__(self, key: str, value: object, expected: Text) -> None:
        super().__init__(expected.en)
        self.key = key
        self.value = value
        self.expected = expected


def _formula(text: str) -> str:
    parse_formula(text)
    return text


def _condition(text: str) -> str:
    condition(text)
    return text


class RuleSpec(Sourced):
    """The keys every rule may have.

    `of` is evaluated instead of the point's own value. `unless` closes the rule; where the plant lacks what it names it
    is left out. `phases` of the equipment stand for both: `when` the first of them has begun, `unless` one after them
    has; either may be given beside it, and replaces its part. `dust` confines a rule to plants with one of these dusts.
    `need` of `of_last` readings make it trip.
    `cause`, `consequence`, `action` and `respond_s` replace what the catalogue says of them.
    `signed`: its alarm, which is latched, is reset only with a signed inspection.
    """

    params: ClassVar[tuple[str, ...]] = ()
    has_peers: ClassVar[bool] = False  # reads further points
    carried: ClassVar[bool] = False  # evaluated only once the gateway that carries its point has sent
    meaning: ClassVar[Text | None] = None  # why a trip matters, where its label does not say it

    kind: str
    level: Literal[1, 2]
    on_delay_s: float = Field(default=0, ge=0)
    off_delay_s: float = Field(default=0, ge=0)
    when: Annotated[str, AfterValidator(_condition)] = ALWAYS
    unless: Annotated[str, AfterValidator(_condition)] | None = None
    phases: list[str] | None = Field(default=None, min_length=1)
    of: Annotated[str, AfterValidator(_formula)] | None = None
    unit: str | None = None
    latch: bool = False
    signed: bool = False
    need: int | None = Field(default=None, ge=1, le=64)
    of_last: int | None = Field(default=None, ge=1, le=64, validate_default=True)
    dust: list[Dust] | None = None
    red: bool = False
    label: str | None = Field(default=None, min_length=1)
    label_en: str | None = Field(default=None, min_length=1)
    cause: str | None = Field(default=None, min_length=1)
    cause_en: str | None = Field(default=None, min_length=1)
    consequence: str | None = Field(default=None, min_length=1)
    consequence_en: str | None = Field(default=None, min_length=1)
    action: str | None = Field(default=None, min_length=1)
    action_en: str | None = Field(default=None, min_length=1)
    respond_s: float | None = Field(default=None, gt=0)

    @field_validator("of_last")
    @classmethod
    def _enough(cls, of_last: int | None, info: ValidationInfo) -> int | None:
        need = info.data.get("need")
        if (need is None) != (of_last is None) or (need or 0) > (of_last or 0):
            raise InvalidValue(
                Text("need 与 of_last 同填，need 不大于 of_last", "need and of_last together, need at most of_last")
            )
        return of_last

    @field_validator("cause_en", "consequence_en", "action_en")
    @classmethod
    def _in_chinese_too(cls, text: str | None, info: ValidationInfo) -> str | None:
        key = str(info.field_name).removesuffix("_en")
        if text is not None and info.data.get(key) is None:
            raise InvalidValue(Text(f"与中文的 {key} 同填", f"only beside {key}, the same in Chinese"))
        return text

    @field_validator("signed")
    @classmethod
    def _latched(cls, signed: bool, info: ValidationInfo) -> bool:  # noqa: FBT001  pydantic calls it
        if signed and not info.data.get("latch"):
            raise InvalidValue(
                Text(
                    "同时写 latch = true：只有锁存的报警才须复位",
                    "latch = true as well: only what is latched is reset",
                )
            )
        return signed

    @abstractmethod
    def score(self, of: Measure) -> Score:
        """Return the rule's numbers for one point.

        Raises:
            Missing: the point lacks something they depend on (a set-point).
            Unfit: they contradict each other.
        """

    @abstractmethod
    def finds(self, of: Measure, score: Score) -> Text:
        """Return what a trip finds on the point, without the rule's delay and meaning."""

    def reason(self, code: str, of: Measure, score: Score) -> Text:
        """Return one sentence: what the rule finds, for how long, and why it matters."""
        finds, delay = self.finds(of, score), seconds(self.on_delay_s)
        means = self.meaning if self.meaning and not self.label else self.labelled(code)
        zh, en = finds.zh, finds.en
        if self.of_last:
            zh, en = (
                f"{zh}（最近 {self.of_last} 次读数中 {self.need} 次）",
                f"{en} ({self.need} of {self.of_last} readings)",
            )
        if self.on_delay_s:
            zh, en = f"{zh}（持续 {delay.zh}）", f"{en} (held for {delay.en})"
        if not self.of:
            en = en[:1].upper() + en[1:]
        return Text(f"{zh}：{means.zh}", f"{en}: {means.en}")

    def findings_budget(self) -> float:
        """Return the most findings on 100 points in 30 days for which its limit is learnt, as written; inf: none."""
        return math.inf

    @property
    def shares_budget(self) -> bool:
        """Whether its limit is learnt for a share of its plant's budget."""
        return False

    def peer_points(self) -> Peers | Nearby | None:
        """Return the further points it reads, as written."""
        return None

    def steps(self) -> tuple[str, ...]:
        """Return the phases whose order it judges: their number is evaluated instead of the value."""
        return ()

    def limit_of(self) -> str | None:
        """Return the code of the rule whose limit it takes, or None."""
        return None

    def names(self) -> Iterator[tuple[str, str]]:
        """Yield every signal or point the rule names, with the key."""
        for key in ("when", "unless"):
            found = condition(getattr(self, key) or ALWAYS)
            for name in found.names if found is not None else ():
                yield key, name
        if self.of is not None:
            for name in parse_formula(self.of).names:
                yield "of", name
        others = self.peer_points()
        if isinstance(others, Nearby):
            for name in others.names:
                yield others.key, name
        elif others is not None and isinstance(others.where, tuple):
            for name in others.where:
                yield others.key, name

    def labelled(self, code: str) -> Text:
        """Return the rule's own label, else that of its code, else the code."""
        known = label_of(code) or Text(code, code)
        return Text(self.label or known.zh, self.label_en or known.en)

    def subject(self) -> Text:
        """Return what is evaluated: the value, or the expression."""
        return Text(f"{self.of} ", self.of) if self.of else Text("数值", "the value")


def require_single_form(value: object, info: ValidationInfo, *forms: str) -> None:
    """Refuse a number given in two forms. Raises InvalidValue."""
    if value is not None:
        for other in forms:
            if other != info.field_name and info.data.get(other) is not None:
                raise InvalidValue(
                    Text(f"{other} 与 {info.field_name} 只填其一", f"either {other} or {info.field_name}, not both")
                )


def return_threshold(on: float, off: float | None, shown: str) -> float:
    """Return the return threshold: `off`, or `on` if none is given. Raises Unfit if it is beyond `on`."""
    if off is not None and off > on:
        raise Unfit("off", off, Text(f"不大于 on，即 {shown}", f"at most on, which is {shown}"))
    return on if off is None else off
