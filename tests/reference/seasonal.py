"""Plain loops: profile, phase."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from tests.reference.plain import PlainRule, Scores, World, at


@dataclass
class _Bin:
    visits: int = 0
    mean: float = 0.0
    variance: float = 0.0


@dataclass
class _Visit:
    place: int = -1
    values: list[float] = field(default_factory=list)
    refused: int = 0


def _season(rule: PlainRule, place: int, bins: int, value: float, beside: tuple[int, int]) -> float:
    learnt: list[_Bin] = rule.memory.setdefault("bins", [_Bin() for _ in range(bins)])
    visit: _Visit = rule.memory.setdefault("visit", _Visit())
    if place < 0 or place not in {visit.place, visit.place - 1}:
        if len(visit.values) > visit.refused:
            _teach(learnt[visit.place % bins], visit.values)
        visit = rule.memory["visit"] = _Visit(place)
    if place < 0:
        return math.nan
    score = _score(rule, learnt[place % bins], [learnt[b] for b in beside], value)
    if at(score, rule.on) >= rule.on:
        visit.refused += 1
    elif place == visit.place:
        visit.values.append(value)
    return score


def _score(rule: PlainRule, own: _Bin, beside: list[_Bin], value: float) -> float:
    if own.visits < rule.param["least"]:
        return math.nan
    pool = [own, *beside]
    variance = sum(b.visits * b.variance for b in pool) / sum(b.visits for b in pool)
    n = min(own.visits, 14)
    variance *= (n + 1) / max(n - 1, 1)
    return abs(value - own.mean) / max(math.sqrt(variance), rule.param["floor"])


def _teach(place: _Bin, values: list[float]) -> None:
    mean = sum(values) / len(values)
    within = sum((x - mean) ** 2 for x in values) / len(values)
    place.visits = min(place.visits + 1, 255)
    weight = 1 / min(place.visits, 14)
    away = mean - place.mean
    place.mean += weight * away
    place.variance = (1 - weight) * (place.variance + weight * away**2) + weight * within


def profile(rule: PlainRule, time: int, value: float, judged: bool, _world: World) -> float:
    """Distance from what the days before had at this time."""
    if not judged or math.isnan(value):
        return math.nan
    place = (time + int(rule.param["offset_s"] * 1e9)) // (int(rule.param["period_s"] * 1e9) // 24)
    return _season(rule, place, 24, value, ((place - 1) % 24, (place + 1) % 24))


def phase(rule: PlainRule, time: int, value: float, judged: bool, world: World) -> float:
    """Distance from what the runs before had at this phase."""
    seen, now = world.usable.get(rule.inputs[0], (0, math.nan))
    if not judged or math.isnan(value) or math.isnan(now) or time - seen > rule.param["fresh_s"] * 1e9:
        return math.nan
    low, high = rule.param["low"], rule.param["high"]
    place = min(int((now - low) / (high - low) * 32), 31) if low <= now <= high else -1
    return _season(rule, place, 32, value, (max(place - 1, 0), min(place + 1, 31)))


SCORES: Scores = {"profile": profile, "phase": phase}
