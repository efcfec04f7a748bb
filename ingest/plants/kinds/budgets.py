"""Kinds whose limit can be learnt, so that a rule keeps a budget of findings instead of a limit that somebody chose."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from detectors.calibration import USUAL_BUDGET, needed_s
from ingest.domain.model.text import Text
from ingest.plants.kinds.bounded import bounded
from ingest.plants.kinds.localized import number
from ingest.plants.kinds.rule import Measure, Positive, RuleSpec, Score, return_threshold


class BudgetedSpec(RuleSpec):
    """`budget`: findings on 100 points in 30 days, for which its limit is learnt from its own upwards."""

    budget: Positive | None = None

    def findings_budget(self) -> float:
        """Findings on 100 points in 30 days; inf = its limit is its own."""
        return super().findings_budget() if self.budget is None else self.budget

    def reason(self, code: str, of: Measure, score: Score) -> Text:
        """Return one sentence as of every rule, with the budget if it has one."""
        sentence, budget = super().reason(code, of, score), self.findings_budget()
        if math.isinf(budget):
            return sentence
        unjudged = _rounded(float(needed_s(np.array(budget))))
        return Text(
            f"{sentence.zh}；限值自学，每 100 个测点 30 天至多报 {budget:g} 次，有 {unjudged.zh}的读数后才判断",
            f"{sentence.en}; its limit is learnt, for at most {budget:g} findings on 100 points in 30 days; "
            f"not evaluated before {unjudged.en} of readings",
        )


def _rounded(duration_s: float) -> Text:
    """Format how long it learns, to a tenth, in days or, of less than one, in hours."""
    days = duration_s / 86_400
    value, zh, en = (days, "天", "d") if days >= 1 else (days * 24, "小时", "h")
    return Text(f"{round(value, 1):.6g} {zh}", f"{round(value, 1):.6g} {en}")


class OwnLimitSpec(BudgetedSpec):
    """A limit in scatters: `on` alone stays as it is; without it, it is learnt from `OWN` up for the usual budget."""

    OWN: ClassVar[float]

    on: float | None = bounded("ewma", "on", default=None)
    off: float | None = bounded("ewma", "off", default=None)

    def findings_budget(self) -> float:
        """Findings on 100 points in 30 days; inf = its limit is its own."""
        return USUAL_BUDGET if self.on is None and self.budget is None else super().findings_budget()

    def lowest(self) -> float:
        """The limit as written, else that of the theory."""
        return self.OWN if self.on is None else self.on

    def scores(self, param: dict[str, float]) -> Score:
        """The score, with these parameters."""
        on = self.lowest()
        return Score(on, return_threshold(on, self.off, number(on)), on, "", param)
