"""The detectors once more, as plain loops over one reading at a time: slow, obvious, written without the fast ones."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass, field
from typing import Any

OPS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass
class PlainRule:
    """One rule with plain values; times in ns."""

    kind: str
    number: int
    point: int
    on: float
    off: float
    on_delay: int
    off_delay: int
    param: dict[str, float]
    gate: tuple[int, str, float] | None = None
    memory: dict[str, Any] = field(default_factory=dict)
    condition: bool = False
    since: int = 0
    tripped: bool = False
    gate_value: float = math.nan

    def judge(self, time: int, value: float) -> tuple[bool, int] | None:
        """Take one reading; returns (tripped, since) if the verdict changed."""
        known = self.gate is None or not math.isnan(self.gate_value)
        judged = self.gate is None or (known and OPS[self.gate[1]](self.gate_value, self.gate[2]))
        score = SCORES[self.kind](self, time, value, judged)
        if not judged:
            score = -math.inf if known else math.nan
        if math.isnan(score):
            return None
        if score >= self.on:
            condition = True
        elif score <= self.off:
            condition = False
        else:
            condition = self.condition
        if condition != self.condition:
            self.condition, self.since = condition, time
        delay = self.on_delay if condition else self.off_delay
        if time - self.since >= delay and condition != self.tripped:
            self.tripped = condition
            return condition, self.since
        return None


def limit(rule: PlainRule, _time: int, value: float, _judged: bool) -> float:
    """Side times value."""
    return rule.param["side"] * value


def out_of_range(rule: PlainRule, _time: int, value: float, _judged: bool) -> float:
    """Half spans from the middle."""
    low, high = rule.param["low"], rule.param["high"]
    return abs(value - (high + low) / 2) / ((high - low) / 2)


def bad(_rule: PlainRule, _time: int, value: float, _judged: bool) -> float:
    """Whether there is no value."""
    return 1.0 if math.isnan(value) else 0.0


def stuck(rule: PlainRule, time: int, value: float, judged: bool) -> float:
    """Seconds since the value left its band."""
    if math.isnan(value):
        return math.nan
    anchor = rule.memory.get("anchor")
    healthy_zero = rule.param["nonzero"] and value == 0
    if anchor is None or abs(value - anchor) > rule.param["band"] or healthy_zero or not judged:
        rule.memory.update(anchor=value, still=time)
    return (time - int(rule.memory["still"])) / 1e9


def rate(rule: PlainRule, time: int, value: float, judged: bool) -> float:
    """Change a minute since the oldest kept sample that is at least half a window old."""
    if math.isnan(value):
        return math.nan
    window = int(rule.param["window_s"] * 1e9)
    kept: list[tuple[int, float]] = rule.memory.setdefault("kept", [])
    if not judged:
        rule.memory["forgotten"] = len(kept)
    recent = kept[max(len(kept) - 16, rule.memory.get("forgotten", 0)) :]
    usable = [(at, x) for at, x in recent if window // 2 <= time - at <= window]
    score = math.nan
    if usable:
        at, x = min(usable)
        slope = (value - x) * (60e9 / (time - at))
        score = abs(slope) if rule.param["side"] == 0 else rule.param["side"] * slope
    if judged and (not kept or time - kept[-1][0] >= window // 15):
        kept.append((time, value))
    return score


SCORES = {"limit": limit, "range": out_of_range, "bad": bad, "stuck": stuck, "rate": rate}


def run(rules: list[PlainRule], readings: list[tuple[int, int, float]]) -> list[tuple[int, bool, int, int]]:
    """Judge readings (point, time, value) one by one; returns (rule, tripped, time, since), sorted as findings are."""
    found = []
    for point, time, value in readings:
        for rule in rules:
            if rule.gate is not None and rule.gate[0] == point and not math.isnan(value):
                rule.gate_value = value
        verdicts = [(rule.number, rule.judge(time, value)) for rule in rules if rule.point == point]
        found += [(number, verdict[0], time, verdict[1]) for number, verdict in verdicts if verdict is not None]
    return sorted(found, key=lambda f: (f[2], f[1], f[0]))
