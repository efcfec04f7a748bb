"""Kinds whose limit can be learnt, so that a rule keeps a budget of findings instead of a limit that somebody chose."""

from __future__ import annotations

from typing import ClassVar

from ingest.plants.kinds.bounded import bounded
from ingest.plants.kinds.localized import number
from ingest.plants.kinds.rule import Positive, RuleSpec, Score, return_threshold


class BudgetedSpec(RuleSpec):
    """`budget`: findings on 100 points in 30 days, for which its limit is learnt from its own upwards."""

    budget: Positive | None = None

    def findings_budget(self) -> float:
        """Findings on 100 points in 30 days, as written; inf = none."""
        return super().findings_budget() if self.budget is None else self.budget


class OwnLimitSpec(BudgetedSpec):
    """A limit in scatters: `on` alone stays as it is; without it, it is learnt from `OWN` up.

    With neither `on` nor `budget` it has a share of its plant's budget.
    """

    OWN: ClassVar[float]

    on: float | None = bounded("ewma", "on", default=None)
    off: float | None = bounded("ewma", "off", default=None)

    @property
    def shares_budget(self) -> bool:
        """Whether it has a share of its plant's budget."""
        return self.on is None and self.budget is None

    def lowest(self) -> float:
        """The limit as written, else that of the theory."""
        return self.OWN if self.on is None else self.on

    def scores(self, param: dict[str, float]) -> Score:
        """The score, with these parameters."""
        on = self.lowest()
        return Score(on, return_threshold(on, self.off, number(on)), on, "", param)
