"""Plain loops: deviation, step, spike, count."""

from __future__ import annotations

import math
import statistics

from tests.reference.plain import PlainRule, Scores, World, at


def seen_from(side: float, difference: float) -> float:
    """A difference seen from above (+1), from below (-1), or from either side (0)."""
    return abs(difference) if side == 0 else side * difference


def deviation(rule: PlainRule, time: int, value: float, _judged: bool, world: World) -> float:
    """Distance from the set-point, in the unit or in percent of it."""
    setpoint = rule.param["setpoint"]
    if math.isnan(setpoint) and rule.inputs:
        taken, newest = world.usable.get(rule.inputs[0], (0, math.nan))
        if (time - taken) / 1e9 <= rule.param["fresh_s"]:
            setpoint = newest
    if rule.param["relative"] and setpoint == 0:
        return math.nan
    distance = value - setpoint
    part = 100 / abs(setpoint) if rule.param["relative"] else 1.0
    score = seen_from(rule.param["side"], part * distance)
    for limit in (rule.off, rule.on):
        score = at(score, limit, part * value, part * setpoint)
    return score


def step(rule: PlainRule, time: int, value: float, judged: bool, _world: World) -> float:
    """Median middle of the last four buckets less that of the four before, when a bucket closes."""
    if not judged:
        rule.memory.clear()
        return math.nan
    if math.isnan(value):
        return math.nan
    number = time // (int(rule.param["window_s"] * 1e9) // 4)
    buckets: dict[int, list[float]] = rule.memory.setdefault("buckets", {})
    newest = max(buckets, default=number)
    score = math.nan
    if number > newest:
        levels = []
        for first in (newest - 3, newest - 7):
            held = [buckets[n] for n in range(first, first + 4) if n in buckets]
            middles = [(min(bucket) + max(bucket)) / 2 for bucket in held]
            levels.append(statistics.median(middles) if len(middles) >= 3 else math.nan)
        score = seen_from(rule.param["side"], levels[0] - levels[1])
    buckets.setdefault(number, []).append(value)
    return score


def spike(rule: PlainRule, _time: int, value: float, judged: bool, _world: World) -> float:
    """Distance from the median of eleven readings, in robust standard deviations."""
    if not judged:
        rule.memory.clear()
    if not judged or math.isnan(value):
        return math.nan
    readings: list[float] = rule.memory.setdefault("readings", [])
    readings.append(value)
    if len(readings) < 11:
        return math.nan
    window = readings[-11:]
    middle = statistics.median(window)
    spread = 1.4826 * statistics.median(abs(x - middle) for x in window)
    return abs(value - middle) / max(spread, rule.param["floor"])


def count(rule: PlainRule, time: int, value: float, judged: bool, _world: World) -> float:
    """Events within the window, sixteen at most."""
    if not judged:
        rule.memory.clear()
    if not judged or math.isnan(value):
        return math.nan
    on = at(value, rule.param["above"]) >= rule.param["above"]
    events: list[int] = rule.memory.setdefault("events", [])
    if on and not (rule.param["edges"] and rule.memory.get("was_on")):
        events.append(time)
    rule.memory["was_on"] = on
    return float(min(16, sum(time - then <= int(rule.param["window_s"] * 1e9) for then in events)))


SCORES: Scores = {"deviation": deviation, "step": step, "spike": spike, "count": count}
