"""Places rules on the columns of a table: a row of its kind's table each, its defaults filled in from the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from detectors.workbench.errors import InvalidRule, unknown
from detectors.workbench.rules import FLOOR, LESSON, MOST_LESSON, STEPS, Rule

_FRESH: Final = 5.0
_GAP: Final = 20.0
_LEAST_GAP_S: Final = 60.0
_LEAST_FLOOR: Final = 1e-9
_FLOOR_SHARE: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Setting:
    """What rules need to know of the data.

    Attributes:
        lesson: rows that rules learn from before they judge.
        step_s: the usual distance between rows, s.
        span: of each column in the lesson, in its unit.
        offset_s: what local time is ahead of UTC.
    """

    lesson: int
    step_s: float
    span: Mapping[str, float]
    offset_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Placed:
    """A rule on its columns: a row of its kind's table. `name` is unique."""

    rule: Rule
    name: str
    columns: tuple[str, ...]
    param: Mapping[str, float]

    @property
    def needed(self) -> int:
        """Readings it learns from before it judges."""
        return int(self.param[self.rule.form.lesson]) if self.rule.form.lesson else 0


def place(columns: Sequence[str], rules: Sequence[Rule], setting: Setting) -> list[Placed]:
    """Place each rule on its columns. Raises InvalidRule for unknown columns and names used twice."""
    placed: list[Placed] = []
    for rule in rules:
        chosen = tuple(columns) if rule.columns is None else rule.columns
        for name in chosen:
            if name not in columns:
                raise unknown("column", name, columns)
        if rule.form.group and len(chosen) > 1:
            placed.append(Placed(rule, rule.name, chosen, _numbers_of(rule, chosen, setting)))
        elif not rule.form.group:
            placed += [
                Placed(rule, f"{name}/{rule.name}", (name,), _numbers_of(rule, (name,), setting)) for name in chosen
            ]
        elif rule.columns is not None:
            raise InvalidRule(f"{rule.name}: one column; expected two or more, as {rule.kind} judges columns together")
    names = [each.name for each in placed]
    for name in names:
        if names.count(name) > 1:
            raise InvalidRule(f"two rules {name!r}; expected Rule(..., name=...) to tell them apart")
    return placed


def _numbers_of(rule: Rule, columns: Sequence[str], setting: Setting) -> dict[str, float]:
    """The parameters of a rule on these columns, its defaults filled in from the data."""
    param = dict(rule.param)
    if rule.form.lesson and param[rule.form.lesson] == LESSON:
        param[rule.form.lesson] = float(min(setting.lesson, MOST_LESSON) if rule.form.group else setting.lesson)
    if param.get("floor") == FLOOR:
        param["floor"] = max(_FLOOR_SHARE * max(setting.span[name] for name in columns), _LEAST_FLOOR)
    if param.get("fresh_s") == STEPS:
        param["fresh_s"] = _FRESH * setting.step_s
    if param.get("gap_s") == STEPS:
        param["gap_s"] = max(_GAP * setting.step_s, _LEAST_GAP_S)
    if "offset_s" in param and not param["offset_s"]:
        param["offset_s"] = setting.offset_s
    return param
