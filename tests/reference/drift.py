"""Plain loops: EWMA, CUSUM, Page-Hinkley, z-score, robust z."""

from __future__ import annotations

import math
import statistics

from tests.reference.plain import PlainRule, Scores, World, at


def _learn(rule: PlainRule, value: float) -> None:
    memory = rule.memory
    memory["n"] = memory.get("n", 0) + 1
    away = value - memory.get("mean", 0.0)
    memory["mean"] = memory.get("mean", 0.0) + away / memory["n"]
    memory["square"] = memory.get("square", 0.0) + away * (value - memory["mean"])


def _spread(rule: PlainRule) -> float:
    return max(math.sqrt(rule.memory["square"] / max(rule.memory["n"] - 1, 1)), rule.param["floor"])


def ewma(rule: PlainRule, _time: int, value: float, judged: bool, _world: World) -> float:
    """The average's distance from the warm-up's mean in its own standard deviations."""
    if not judged:
        rule.memory.pop("average", None)
    if not judged or math.isnan(value):
        return math.nan
    if rule.memory.get("n", 0) < rule.param["train"]:
        _learn(rule, value)
        return math.nan
    mean, weight = rule.memory["mean"], rule.param["weight"]
    before = rule.memory.get("average", mean)
    rule.memory["average"] = before + weight * (value - before)
    average = float(rule.memory["average"])
    return float(abs(average - mean) / (_spread(rule) * math.sqrt(weight / (2 - weight))))


def cusum(rule: PlainRule, _time: int, value: float, judged: bool, _world: World) -> float:
    """The larger of two sums."""
    if not judged:
        rule.memory.update(above=0.0, below=0.0)
    if not judged or math.isnan(value):
        return math.nan
    if rule.memory.get("n", 0) < rule.param["train"]:
        _learn(rule, value)
        return math.nan
    z = (value - rule.memory["mean"]) / _spread(rule)
    lowest = rule.on * (1 - 2.0**-24)  # that is at the limit
    for name, away in (("above", z), ("below", -z)):
        added = min(away - rule.param["slack"], 3.0)
        rule.memory[name] = min(max(rule.memory.get(name, 0.0) + added, 0.0), 4 * lowest)
    return float(max(rule.memory["above"], rule.memory["below"]))


def page_hinkley(rule: PlainRule, _time: int, value: float, judged: bool, _world: World) -> float:
    """As river computes it."""
    if not judged:
        rule.memory.clear()
    if not judged or math.isnan(value):
        return math.nan
    m = rule.memory
    if not m:
        m.update(n=0, mean=0.0, up=0.0, down=0.0, least=math.inf, most=-1.0)
    m["n"] += 1
    m["mean"] += 1 / m["n"] * (value - m["mean"])
    away = value - m["mean"]
    m["up"] = rule.param["alpha"] * m["up"] + away - rule.param["delta"]
    m["down"] = rule.param["alpha"] * m["down"] + away + rule.param["delta"]
    m["least"], m["most"] = min(m["least"], m["up"]), max(m["most"], m["down"])
    if m["n"] < rule.param["least"]:
        return math.nan
    score = max(m["up"] - m["least"], m["most"] - m["down"])
    if at(score, rule.begins_anew) >= rule.begins_anew:
        m.clear()
    return float(score)


def zscore(rule: PlainRule, _time: int, value: float, judged: bool, _world: World) -> float:
    """Standard deviations from the mean of all before."""
    if not judged or math.isnan(value):
        return math.nan
    enough = rule.memory.get("n", 0) >= rule.param["least"]
    score = abs(value - rule.memory["mean"]) / _spread(rule) if enough else math.nan
    _learn(rule, value)
    return score


def robust_z(rule: PlainRule, time: int, value: float, judged: bool, _world: World) -> float:
    """Median absolute deviations from the median of the window's kept readings."""
    if not judged:
        rule.memory["kept"] = []
    if not judged or math.isnan(value):
        return math.nan
    window = int(rule.param["window_s"] * 1e9)
    part = time // (window // 16)
    kept: list[tuple[int, float]] = rule.memory.setdefault("kept", [])
    past = [x for at, x in kept if time - at <= window]
    if part != rule.memory.get("part"):
        rule.memory["part"] = part
        kept.append((time, value))
    if len(past) < 9:
        return math.nan
    middle = statistics.median(past)
    spread = max(1.4826 * statistics.median(abs(x - middle) for x in past), rule.param["floor"])
    return abs(value - middle) / spread


SCORES: Scores = {
    "ewma": ewma,
    "cusum": cusum,
    "page_hinkley": page_hinkley,
    "zscore": zscore,
    "robust_z": robust_z,
}
