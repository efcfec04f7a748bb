"""What a rule whose limit is learnt for a budget of findings has found, and may find."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RuleBudget:
    """Of one rule.

    Attributes:
        budget: findings on 100 points in 30 days.
        spent: findings since its limit was first learnt.
        expected: findings the budget allowed in that time.
        needed_s: seconds of readings still needed before it judges.
        limit: the score at which it trips now; None: it does not judge.
    """

    budget: float
    spent: int
    expected: float
    needed_s: float
    limit: float | None
