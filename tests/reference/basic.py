"""Plain loops: limit, range, bad signal, stuck, rate."""

from __future__ import annotations

import math
import statistics

from tests.reference.plain import PlainRule, Scores, World, at


def limit(rule: PlainRule, _time: int, value: float, _judged: bool, _world: World) -> float:
    """Side times value."""
    return rule.param["side"] * value


def out_of_range(rule: PlainRule, _time: int, value: float, _judged: bool, _world: World) -> float:
    """Half spans from the middle."""
    low, high = rule.param["low"], rule.param["high"]
    for end in (low, high):
        value = at(value, end, max(abs(low), abs(high)))
    return abs(value - (high + low) / 2) / ((high - low) / 2)


def bad(_rule: PlainRule, _time: int, value: float, _judged: bool, _world: World) -> float:
    """Whether there is no value."""
    return 1.0 if math.isnan(value) else 0.0


def stuck(rule: PlainRule, time: int, value: float, judged: bool, _world: World) -> float:
    """Seconds since the value left its band."""
    if math.isnan(value):
        return math.nan
    anchor = rule.memory.get("anchor")
    healthy_zero = rule.param["nonzero"] and value == 0
    if anchor is None or abs(value - anchor) > rule.param["band"] or healthy_zero or not judged:
        rule.memory.update(anchor=value, still=time)
    return (time - int(rule.memory["still"])) / 1e9


def rate(rule: PlainRule, time: int, value: float, judged: bool, _world: World) -> float:
    """Median change a minute since the kept readings of the window's older half."""
    if not judged:
        rule.memory["forgotten"] = time
    if math.isnan(value) or not judged:
        return math.nan
    window = int(rule.param["window_s"] * 1e9)
    part = time // (window // 8)
    kept: list[tuple[int, int, float]] = rule.memory.setdefault("kept", [])
    past = [(at, x) for _, at, x in kept[-9:] if at > rule.memory.get("forgotten", -1)]
    if not kept or kept[-1][0] != part:
        kept.append((part, time, value))
        past = [(at, x) for _, at, x in kept[-9:] if at > rule.memory.get("forgotten", -1)]
    slopes = [(value - x) * (60e9 / (time - at)) for at, x in past if window // 2 <= time - at <= window and at < time]
    if not slopes:
        return math.nan
    steep = statistics.median(slopes)
    return abs(steep) if rule.param["side"] == 0 else rule.param["side"] * steep


SCORES: Scores = {"limit": limit, "range": out_of_range, "bad": bad, "stuck": stuck, "rate": rate}
