"""Shares a plant's budget of false alarms out over its rules that learn their limit.

EEMUA 191 takes some 150 alarms a day for what one operator can answer. A fifth of them, 30 a day, may come from rules
that learn; the rest is left to limits, which are what a plant is designed by. Each rule that learns its limit without a
budget of its own has the same share: with n such rules `budget` / n findings a day, in the library's unit (findings on
100 points in 30 days) 3000 times that. Without `budget` in the plant file it is the usual 30 in that unit, and less
where more than 3000 rules share the 30 a day. An engineering default, no regulation.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from detectors import RuleTable
from detectors.calibration import USUAL_BUDGET, needed_s
from ingest.domain.model.text import Text
from ingest.plants.point_rules import EvaluatedPoint, EvaluatedRule
from ingest.plants.rules import AllRules

USUAL_DAILY: Final = 30.0
"""Findings a day of all rules of a plant that learn: a fifth of what EEMUA 191 takes for one operator."""
_OF_A_DAY: Final = 100.0 * 30
"""The budget of a rule with one finding a day, in findings on 100 points in 30 days."""


@dataclass(frozen=True, slots=True)
class PlantBudget:
    """What the rules of a plant that learn may find.

    Attributes:
        allowed: findings a day that the plant allows all of them.
        rules: how many learn their limit for a budget.
        share: findings on 100 points in 30 days of each without a budget of its own; None: all have their own.
        expected: findings a day that the budgets of all of them come to.
    """

    allowed: float
    rules: int
    share: float | None
    expected: float

    def text(self) -> Text:
        """Say in a sentence how many false alarms a day they may come to."""
        expected, allowed = f"{self.expected:.2g}", f"{self.allowed:g}"
        zh = f"误报预算：{self.rules} 条自学规则合计至多约每天 {expected} 次（企业 budget {allowed}）"
        en = f"budget of false alarms: some {expected} a day at most of {allowed} (rules that learn: {self.rules})"
        if self.share is None:
            return Text(zh, en)
        days = days_text(float(needed_s(np.array(self.share))))
        return Text(
            f"{zh}，未写预算的每条每 100 个测点 30 天 {self.share:.3g} 次，有 {days.zh}的读数后才判断",
            f"{en}; each without its own: {self.share:.3g} on 100 points in 30 days, evaluated after {days.en}",
        )


def share_of(daily: float | None, rules: int) -> float:
    """Return the budget of each of so many rules, in findings on 100 points in 30 days.

    >>> share_of(None, 10), share_of(None, 6_000), share_of(3.0, 60)
    (30.0, 15.0, 150.0)
    """
    each = (USUAL_DAILY if daily is None else daily) * _OF_A_DAY / max(rules, 1)
    return min(each, USUAL_BUDGET) if daily is None else each


def with_budgets(points: Iterable[EvaluatedPoint], daily: float | None) -> tuple[EvaluatedPoint, ...]:
    """Return the points of a plant with the budget of each rule, and with what its reason says of it."""
    points = tuple(points)
    share = share_of(daily, sum(rule.spec.shares_budget for point in points for rule in point.rules))
    budgeted = _Budgeted(share)
    return tuple(budgeted.point(point) for point in points)


class _Budgeted:
    """Rules with their budget, each stored once for the many points that share it."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._of: dict[int, EvaluatedRule] = {}  # by the id of the rule without

    def point(self, point: EvaluatedPoint) -> EvaluatedPoint:
        """Return the point; itself, if none of its rules has a budget."""
        if all(math.isinf(self._budget(rule)) for rule in point.rules):
            return point
        return replace(point, rules=tuple(self._rule(rule) for rule in point.rules))

    def _budget(self, rule: EvaluatedRule) -> float:
        return self._share if rule.spec.shares_budget else rule.spec.findings_budget()

    def _rule(self, rule: EvaluatedRule) -> EvaluatedRule:
        budget = self._budget(rule)
        if math.isinf(budget):
            return rule
        if id(rule) not in self._of:
            self._of[id(rule)] = replace(rule, budget=budget, reason=_with_budget(rule.reason, budget))
        return self._of[id(rule)]


def plant_budgets(
    daily: Mapping[str, float | None], tables: Mapping[str, RuleTable], rules: AllRules, shared: Sequence[int]
) -> dict[str, PlantBudget]:
    """Return what the rules that learn may find, of each plant that has any.

    Args:
        daily: `budget` of each plant.
        tables: rules by detector name.
        rules: every rule by its number.
        shared: of each rule by its number, 1 if it has a share of its plant's budget, else 0.
    """
    own: dict[str, list[float]] = {}
    share: dict[str, float] = {}
    for table in tables.values():
        if table.budget is None:
            continue
        for row in np.flatnonzero(np.isfinite(table.budget)).tolist():
            number, budget = int(table.rule[row]), float(table.budget[row])
            plant = rules.plant(number)
            own.setdefault(plant, []).append(budget)
            if shared[number]:
                share[plant] = budget
    return {
        plant: PlantBudget(
            allowed=USUAL_DAILY if daily.get(plant) is None else daily[plant] or 0.0,
            rules=len(budgets),
            share=share.get(plant),
            expected=math.fsum(budgets) / _OF_A_DAY,
        )
        for plant, budgets in own.items()
    }


def _with_budget(reason: Text, budget: float) -> Text:
    """Return the sentence of a rule with its budget, and how long it learns."""
    unjudged, shown = days_text(float(needed_s(np.array(budget)))), f"{budget:.4g}"
    return Text(
        f"{reason.zh}；限值自学，每 100 个测点 30 天至多报 {shown} 次，有 {unjudged.zh}的读数后才判断",
        f"{reason.en}; its limit is learnt, for at most {shown} findings on 100 points in 30 days; "
        f"not evaluated before {unjudged.en} of readings",
    )


def days_text(duration_s: float) -> Text:
    """Format how long a rule learns, to a tenth of a day."""
    days = f"{round(duration_s / 86_400, 1):.6g}"
    return Text(f"{days} 天", f"{days} d")
