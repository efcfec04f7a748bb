"""A rule with a budget once more, as a plain loop: every rung of its ladder is a rule of its own that counts."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from tests.reference.plain import PlainRule, Scores, World

HOUR, DAY = 3_600 * 10**9, 86_400 * 10**9
RUNGS = 32
BOUNDED = {"surprise"}
"""Kinds whose score s stands for s / (1 - s)."""


@dataclass
class Rung:
    """A rule with a limit of its own, that counts how often it spoke."""

    on: float
    off: float
    speaks: bool = False
    spoke: int = 0

    def see(self, score: float) -> None:
        """Take one score."""
        if score >= self.on:
            self.spoke += not self.speaks
            self.speaks = True
        elif score <= self.off:
            self.speaks = False


@dataclass
class BudgetRule(PlainRule):
    """A rule whose limits are learnt for a budget: findings on 100 points in 30 days."""

    budget: float = math.inf
    rungs: list[Rung] = field(default_factory=list)
    first_limit: float = math.inf
    heard: int = 0
    newest: int | None = None
    now: int = 0
    limits: tuple[float, float] = (math.inf, math.inf)

    @property
    def begins_anew(self) -> float:
        """Beyond every rung."""
        return self.on * 2 * 2 ** ((RUNGS - 1) / 6)

    def __post_init__(self) -> None:
        own = self.on * (1 - math.copysign(2.0**-24, self.on)), self.off * (1 + math.copysign(2.0**-24, self.off))
        if self.kind in BOUNDED:
            own = own[0] / (1 - own[0]), own[1] / (1 - own[1])
        factors = [2 ** (rung / 6) if self.on > 0 else 2 ** (-rung / 6) for rung in range(RUNGS)]
        self.rungs = [Rung(own[0] * factor, own[1] * factor) for factor in factors]
        self._put(math.inf, own[1])

    def _put(self, on: float, off: float) -> None:
        """Put limits in force; of bounded scores as scores."""
        self.limits = on, off
        if self.kind in BOUNDED:
            self.limits = on / (1 + on) if on < math.inf else on, off / (1 + off)

    def judge(self, time: int, value: float, world: World, scores: Scores) -> tuple[bool, int] | None:
        """Take one reading."""
        self.now = time
        return super().judge(time, value, world, scores)

    def _condition(self, score: float) -> bool:
        if score > -math.inf and (self.newest is None or self.now // HOUR > self.newest // HOUR):
            if self.newest is not None:
                self.heard += min(self.now - self.newest, DAY)
            self.newest = self.now
            self._learn()
        for rung in self.rungs:
            rung.see(score / (1 - score) if self.kind in BOUNDED and score > -math.inf else score)
        if self.of > 1:
            self.hits = [*self.hits, score >= self.limits[0]][-self.of :]
            return sum(self.hits) >= self.need
        if score >= self.limits[0]:
            return True
        return False if score <= self.limits[1] else self.condition

    def _learn(self) -> None:
        allowed = self.budget / 100 / (30 * DAY) * self.heard
        if allowed < 0.2 or self.heard < DAY:
            return
        most = [max(rung.spoke for rung in self.rungs[place:]) for place in range(RUNGS)]
        quiet = sum(count > allowed for count in most)
        often = max([place for place, count in enumerate(most) if count >= 10], default=0)
        usual = 1 / (math.exp(math.log(2) / 6 / 0.15) - 1)
        further = (sum(most[often + 1 :]) + 2 * usual) / (most[often] + 2)
        shape = math.log(2) / 6 / math.log(1 + 1 / further)
        tail = 2 ** (often / 6) * max(most[often] / allowed, 1) ** min(shape, 1)
        wanted = max(tail, 2 ** (quiet / 6)) if quiet < RUNGS else math.inf
        if self.first_limit == math.inf:
            self.first_limit = wanted
        limit = min(wanted, 2 * self.first_limit)
        factor = limit if self.rungs[0].on > 0 else 1 / limit
        judges, lowest = math.isfinite(limit), self.rungs[0]
        self._put(lowest.on * factor if judges else math.inf, lowest.off * (factor if judges else 1.0))
