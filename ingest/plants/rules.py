"""Stores the configuration's rules compactly: what many points share is held once, and a `Rule` is built on access.

A park of 100 000 points has 600 000 rules, and nearly all of them are a catalogue's default: the same words and numbers
for every point of a signal. Held as objects with texts of their own they would take 700 MB.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray

from ingest.domain.model.plant import Confidence, Gate, Point, Rationalization, Rule, rule_key
from ingest.domain.model.text import Text


@dataclass(frozen=True, slots=True)
class RuleForm:
    """The part of a `Rule` that does not depend on its point. `label` is its title without the point's name."""

    code: str
    kind: str
    level: Literal[1, 2]
    limit: float
    unit: str
    label: Text
    gate: Gate | None
    source: str
    confidence: Confidence
    reason: Text
    when: str
    of: str
    inputs: tuple[str, ...]
    latch: bool
    signed: bool
    red: bool
    rationalization: Rationalization | None
    phases: tuple[Text, ...] = ()

    def rule_for(self, plant: str, point: str, name: Text) -> Rule:
        """Return the rule for that point."""
        return Rule(
            plant=plant,
            point=point,
            code=self.code,
            kind=self.kind,
            level=self.level,
            limit=self.limit,
            unit=self.unit,
            title=Text(f"{name.zh} {self.label.zh}", f"{name.en} {self.label.en}"),
            gate=self.gate,
            source=self.source,
            confidence=self.confidence,
            reason=self.reason,
            when=self.when,
            of=self.of,
            inputs=self.inputs,
            latch=self.latch,
            signed=self.signed,
            red=self.red,
            rationalization=self.rationalization,
            phases=self.phases,
        )


@dataclass(frozen=True, slots=True)
class PointRules(Sequence[Rule]):
    """The rules of one point, each built on access."""

    plant: str
    point: str
    name: Text
    forms: tuple[RuleForm, ...]

    def __len__(self) -> int:
        return len(self.forms)

    @overload
    def __getitem__(self, at: int) -> Rule: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Rule]: ...
    def __getitem__(self, at: int | slice) -> Rule | Sequence[Rule]:
        if isinstance(at, slice):
            return PointRules(self.plant, self.point, self.name, self.forms[at])
        return self.forms[at].rule_for(self.plant, self.point, self.name)


def rule_with(rules: Sequence[Rule], code: str) -> Rule | None:
    """Return the rule of a point with that code, the only one that is built; None: it has none."""
    if not isinstance(rules, PointRules):
        return next((rule for rule in rules if rule.code == code), None)
    at = next((at for at, form in enumerate(rules.forms) if form.code == code), None)
    return None if at is None else rules[at]


@dataclass(frozen=True, slots=True, eq=False)
class AllRules(Sequence[Rule]):
    """Every rule of a configuration by its number: the rules of one point are consecutive.

    Attributes:
        points: the configuration's points.
        owner: int32[r], the point of each rule.
        first: int32[p], the number of each point's first rule.
    """

    points: tuple[Point | None, ...]
    owner: NDArray[np.int32]
    first: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.owner)

    @overload
    def __getitem__(self, at: int) -> Rule: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Rule]: ...
    def __getitem__(self, at: int | slice) -> Rule | Sequence[Rule]:
        if isinstance(at, slice):
            return [self[each] for each in range(*at.indices(len(self)))]
        point, place = self._of(at)
        return point.rules[place]

    def key(self, number: int) -> str:
        """Return the rule's key in detector state."""
        point, place = self._of(number)
        rules = point.rules
        code = rules.forms[place].code if isinstance(rules, PointRules) else rules[place].code
        return rule_key(point.plant, point.id, code)

    def plant(self, number: int) -> str:
        """Return the id of the plant whose rule it is."""
        return self._of(number)[0].plant

    def _of(self, number: int) -> tuple[Point, int]:
        """Return the rule's point, and its index among the point's rules."""
        index = self.owner[number]
        point = self.points[index]
        if point is None:
            raise IndexError(number)
        return point, int(number % len(self) - self.first[index])


@dataclass(frozen=True, slots=True, eq=False)
class RuleKeys(Sequence[str]):
    """The keys of a detector's rules, each built on access."""

    rules: AllRules
    number: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.number)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...
    def __getitem__(self, at: int | slice) -> str | Sequence[str]:
        if isinstance(at, slice):
            return RuleKeys(self.rules, self.number[at])
        return self.rules.key(int(self.number[at]))
