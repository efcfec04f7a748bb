"""Reads the rules that derive a plant's colour, from a versioned TOML file."""

from __future__ import annotations

import hashlib
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, ValidationError, model_validator

from ingest.base.config import Config
from ingest.domain.model.expectations import InvalidValue, with_reason
from ingest.domain.model.fault import Fault, InvalidConfig, faults_of
from ingest.domain.model.plant import Confidence
from ingest.domain.model.text import Text
from ingest.domain.model.toml_texts import toml_text
from ingest.domain.model.warning import Colour, Trait

Same = Literal["equipment", "signal"]
Each = Literal["alarm", "point"]
Seconds = Annotated[int, Field(gt=0)]

_LEVELS: Final = {1: Trait.LEVEL_1, 2: Trait.LEVEL_2}


@dataclass(frozen=True, slots=True)
class Selector:
    """Selects the facts with all of the `wanted` traits and none of the `unwanted`."""

    wanted: int  # as plain numbers: evaluated very often in an alarm flood
    unwanted: int

    def matches(self, traits: Trait) -> bool:
        """Whether a fact with these traits is selected."""
        bits = int(traits)
        return not ((self.wanted & ~bits) | (self.unwanted & bits))


@dataclass(frozen=True, slots=True)
class ColourRule:
    """One rule; see the head of `rules.toml`. Times in ns."""

    id: str
    colour: Colour
    text: Text
    source: str
    confidence: Confidence
    select: Selector
    older: int
    within: int | None
    count: int
    same: Same | None
    each: Each
    beside: Selector | None
    reached: Colour | None

    @property
    def single(self) -> bool:
        """Whether it applies to single facts, and so gives each of them a colour."""
        return self.count == 1 and self.beside is None and self.reached is None


@dataclass(frozen=True, slots=True)
class ColourRules:
    """All rules of one file.

    Attributes:
        version: as written in the file, plus the beginning of its digest, so that no change goes unnoticed.
        bypass_signals: the signals whose alarms mean that an interlock is bypassed.
        longest: the longest `within` of any rule, ns.
    """

    version: str
    bypass_signals: frozenset[str]
    rules: tuple[ColourRule, ...]
    longest: int
    _matching: dict[int, tuple[int, ...]] = field(default_factory=dict, repr=False, compare=False)

    def matching(self, traits: Trait) -> Sequence[int]:
        """Return the indices of all rules that select a fact with these traits."""
        found = self._matching.get(int(traits))
        if found is None:
            chosen = (at for at, rule in enumerate(self.rules) if rule.select.matches(traits))
            found = self._matching[int(traits)] = tuple(chosen)
        return found


class _Selection(Config):
    level: Literal[1, 2] | None = None
    red: bool | None = None
    unacknowledged: bool | None = None
    forecast: bool | None = None
    lost: bool | None = None
    mandatory: bool | None = None
    bypass: bool | None = None
    out_of_service: bool | None = None
    function_check: bool | None = None
    in_production: bool | None = None
    critical_phase: bool | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set:
            fields = [*type(self).model_fields]
            raise InvalidValue(Text(f"至少一项：{'、'.join(fields)}", "at least one of " + ", ".join(fields)))
        return self

    def selector(self) -> Selector:
        wanted = _LEVELS[self.level] if self.level else Trait(0)
        unwanted = Trait(0)
        for name in type(self).model_fields.keys() - {"level"}:
            required = getattr(self, name)
            if required is True:
                wanted |= Trait[name.upper()]
            elif required is False:
                unwanted |= Trait[name.upper()]
        return Selector(int(wanted), int(unwanted))


class _Rule(Config):
    id: str = Field(pattern=r"^[A-Z0-9][A-Z0-9-]{0,39}$")
    colour: Colour
    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)
    source: str = Field(min_length=1)
    confidence: Confidence
    select: _Selection
    older_s: Seconds | None = None
    within_s: Seconds | None = None
    count: Annotated[int, Field(ge=1)] = 1
    same: Same | None = None
    each: Each = "alarm"
    beside: _Selection | None = None
    reached: Colour | None = None

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.count == 1 and (self.within_s or self.same):
            raise InvalidValue(
                Text("有 within_s 或 same 时，count 不小于 2", "a count of at least 2 with within_s or same")
            )
        if self.within_s and (self.older_s or self.reached):
            raise InvalidValue(Text("within_s 不与 older_s、reached 同用", "within_s without older_s and reached"))
        if self.reached and self.beside:
            raise InvalidValue(Text("reached 不与 beside 同用", "reached without beside"))
        if self.reached and self.reached >= self.colour:
            raise InvalidValue(
                Text(
                    f"高于 {self.reached} 的颜色；{self.reached} 已经达到",
                    f"a colour above {self.reached}, which is reached already",
                )
            )
        return self

    def rule(self) -> ColourRule:
        return ColourRule(
            id=self.id,
            colour=self.colour,
            text=Text(self.zh, self.en),
            source=self.source,
            confidence=self.confidence,
            select=self.select.selector(),
            older=(self.older_s or 0) * 10**9,
            within=self.within_s * 10**9 if self.within_s else None,
            count=self.count,
            same=self.same,
            each=self.each,
            beside=self.beside.selector() if self.beside else None,
            reached=self.reached,
        )


class _File(Config):
    version: str = Field(min_length=1, max_length=40)
    bypass_signals: tuple[str, ...] = ()
    rules: tuple[_Rule, ...] = Field(min_length=1)


def load_rules(path: Path | None = None) -> ColourRules:
    """Load the rules of that file, or those shipped with the service.

    Raises:
        InvalidConfig: with every fault in it.
    """
    file = path or Path("rules.toml")
    try:
        given = path or resources.files("ingest.domain.warnings") / "rules.toml"
        text = given.read_text(encoding="utf-8")
        written = _written(text)
    except OSError as error:
        expected = with_reason(Text("文件", "a file"), error)
        raise InvalidConfig([Fault(str(file), "warnings.rules", str(file), expected)]) from error
    except ValidationError as error:
        raise InvalidConfig(faults_of(file, error, _File)) from error
    except ValueError as error:  # not TOML, or not UTF-8
        raise InvalidConfig([Fault(str(file), "(file)", "(content)", toml_text(str(error)))]) from error
    twice = [name for name, times in Counter(rule.id for rule in written.rules).items() if times > 1]
    if twice:
        once = Text("每条规则一个编号，不重复", "an id for each rule, given once")
        raise InvalidConfig([Fault(str(file), "rules.id", name, once) for name in twice])
    return _compile(written, text)


@lru_cache(maxsize=4)  # at a reload it is nearly always the same text
def _written(text: str) -> _File:
    return _File.model_validate(tomllib.loads(text))


def _compile(written: _File, text: str) -> ColourRules:
    rules = tuple(rule.rule() for rule in written.rules)
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    longest = max((rule.within or 0 for rule in rules), default=0)
    return ColourRules(f"{written.version}+{digest}", frozenset(written.bypass_signals), rules, longest)
