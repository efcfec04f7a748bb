"""Plain loop: surprise."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from tests.reference.plain import PlainRule, Scores, World

_HOUR = 3_600 * 10**9
_WEIGHTS = 0.8, 0.95, 0.95, 1.2


@dataclass
class _Tail:
    """One kind of distance, and how far it usually goes."""

    seen: int = 0
    size: float = 0.0
    quantile: float = 0.0
    excesses: int = 0
    excess: float = 0.0
    log: float = 0.0

    def rarity(self, distance: float, floor: float, least: float) -> float:
        """Minus the logarithm of the probability of such a distance; then learn it."""
        floor = max(floor + 0.001 * self.size, 1e-300)
        above, found = distance > self.quantile, 0.0
        if above:
            excess = distance - self.quantile
            log = math.log(max(distance, floor) / max(self.quantile, floor))
            if self.seen >= least:
                exponential, pareto = excess / max(self.excess, floor), log / max(self.log, 0.01)
                found = min(exponential, pareto) / math.log(10) - math.log10(1 - 0.95)
            self._learn(excess, log, floor)
        self.seen += 1
        self.size += max(1 / 2000, 1 / self.seen) * (distance - self.size)
        step = self.size * max(self.seen**-0.7, 0.001)
        self.quantile = max(self.quantile + step * (0.95 if above else 0.95 - 1.0), 0.0)
        return found

    def _learn(self, excess: float, log: float, floor: float) -> None:
        self.excesses += 1
        gain = max(1 / (2000 * (1 - 0.95)), 1 / self.excesses)
        if self.excesses > 3:
            excess, log = min(excess, 3 * max(self.excess, floor)), min(log, 3 * max(self.log, 0.01))
        self.excess += gain * (excess - self.excess)
        self.log += gain * (min(log, 2.0) - self.log)


@dataclass
class _Mean:
    """A plain mean until it has as many readings as its memory, then a fading one."""

    memory: float
    seen: int = 0
    value: float = 0.0

    def take(self, value: float) -> tuple[float, float]:
        """The mean before (with the first reading, that) and after."""
        self.seen += 1
        before = value if self.seen == 1 else self.value
        self.value = before + max(1 / self.memory, 1 / self.seen) * (value - before)
        return before, self.value


@dataclass
class _Hours:
    """What the hours of the day (0..23) and of the week (0..167) showed, and how often they were visited."""

    mean: dict[tuple[int, int], float] = field(default_factory=dict)
    visits: dict[tuple[int, int], int] = field(default_factory=dict)
    place: int = -1
    seen: int = 0
    now: float = 0.0

    def take(self, place: int, value: float, gains: tuple[float, float]) -> float:
        """What was to be expected here."""
        if self.seen and place != self.place:
            for size, least in zip((24, 168), gains, strict=True):
                self._teach((size, self.place % size), least)
            self.seen, self.now = 0, 0.0
        self.place = place
        expected = self.expected(place)
        self.seen += 1
        self.now += (value - self.now) / self.seen
        return expected

    def expected(self, place: int) -> float:
        day, week = (24, place % 24), (168, place)
        if not self.visits.get(day):
            return math.nan
        weeks = self.visits.get(week, 0)
        return self.mean[day] + weeks / (weeks + 1) * (self.mean.get(week, 0.0) - self.mean[day])

    def _teach(self, hour: tuple[int, int], least: float) -> None:
        visits, mean = self.visits.get(hour, 0), self.mean.get(hour, 0.0)
        self.mean[hour] = mean + max(least, 1 / (visits + 1)) * (self.now - mean)
        self.visits[hour] = min(visits + 1, 255)


class _Memory:
    def __init__(self, param: dict[str, float]) -> None:
        long = param["long"]
        self.size, self.long, self.slow = _Mean(long), _Mean(long), _Mean((param["slow"] + 1) / 2)
        self.usual_away, self.short_away, self.middle_away = (
            _Mean(long),
            _Mean((param["short"] + 1) / 2),
            _Mean(param["middle"]),
        )
        self.hours = _Hours()
        self.tails = _Tail(), _Tail(), _Tail(), _Tail()
        self.bar = 0.0


def surprise(rule: PlainRule, time: int, value: float, judged: bool, _world: World) -> float:
    """How rare four distances are together, unless an alarm already speaks for it."""
    if not judged or math.isnan(value):
        return math.nan
    of, param = rule.memory.setdefault("surprise", _Memory(rule.param)), rule.param
    place = (time + int(param["offset_s"] * 1e9)) // _HOUR % 168
    expected = of.hours.take(place, value, (param["day_gain"], param["week_gain"]))
    _, size = of.size.take(abs(value))
    long, _ = of.long.take(value)
    _, slow = of.slow.take(value)
    away = value - (long if math.isnan(expected) else expected)
    usual, _ = of.usual_away.take(away)
    _, short = of.short_away.take(away)
    middle, _ = of.middle_away.take(away)
    rarities = [
        0.0 if math.isnan(distance) else weight * tail.rarity(abs(distance), 1e-9 * size, param["least"])
        for tail, weight, distance in zip(
            of.tails, _WEIGHTS, (value - expected, short - usual, away - middle, slow - long), strict=True
        )
    ]
    largest = max(rarities)
    terms = [0.3 * max(other - math.log10(20), 0.0) for other in rarities]
    terms[rarities.index(largest)] = largest
    rule.memory["blame"] = terms
    rarity = _declustered(of, sum(terms), param)
    if of.long.seen <= param["least"]:
        return math.nan
    return rarity / (rarity + math.log10(max(param["one_in"], 20)))


def _declustered(of: _Memory, rarity: float, param: dict[str, float]) -> float:
    if rarity > of.bar:
        of.bar = param["rise"] * rarity
        return rarity
    of.bar *= math.exp(-1 / param["hold"])
    return 0.0


SCORES: Scores = {"surprise": surprise}
