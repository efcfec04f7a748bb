"""Plain loops: forecast."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass

from tests.reference.plain import PlainRule, Scores, World


@dataclass
class _Bucket:
    number: int
    low: float
    high: float
    epoch: int


def forecast(rule: PlainRule, time: int, value: float, judged: bool, _world: World) -> float:
    """Minus the seconds left, when a bucket closes."""
    memory = rule.memory
    if not judged:
        memory["open"], memory["epoch"] = None, memory.get("epoch", 0) + 1
    if not judged or math.isnan(value):
        return math.nan
    width = int(rule.param["window_s"] * 1e9) // 16
    number, epoch = time // width, memory.get("epoch", 0)
    opened: _Bucket | None = memory.get("open")
    if opened is not None and opened.number == number:
        opened.low, opened.high = min(opened.low, value), max(opened.high, value)
        return math.nan
    memory["open"] = _Bucket(number, value, value, epoch)
    if opened is None:
        return math.nan
    closed: list[_Bucket] = memory.setdefault("closed", [])
    closed.append(opened)
    nearest = _nearest(rule, closed)
    window = [b for b in closed[-16:] if b.epoch == epoch and b.number >= max(opened.number - 15, number - 16)]
    return _left(rule, time, width, window, nearest)


def _middle(rule: PlainRule, bucket: _Bucket) -> float:
    return rule.param["side"] * ((bucket.low + bucket.high) / 2)


def _nearest(rule: PlainRule, closed: list[_Bucket]) -> float:
    """How near the value came before the window, in this stretch of 128 buckets and the one before."""
    near: dict[int, float] = rule.memory.setdefault("near", {})
    era = closed[-1].number // 128
    if len(closed) >= 16:
        near[era] = max(near.get(era, -math.inf), _middle(rule, closed[-16]))
    return max(near.get(era, -math.inf), near.get(era - 1, -math.inf))


def _left(rule: PlainRule, now: int, width: int, window: list[_Bucket], nearest: float) -> float:
    if len(window) < 12 or nearest == -math.inf:
        return math.nan
    points = [(b.number, _middle(rule, b)) for b in window]
    slopes = sorted((y - x) / ((n - m) * (width / 1e9)) for i, (m, x) in enumerate(points) for n, y in points[i + 1 :])
    n = len(points)
    reach = 1.645 * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    flat = max(math.floor((len(slopes) - reach) / 2), 1) - 1
    slope = statistics.median(slopes)
    line = [x + slope * ((now - m * width - width // 2) / 1e9) for m, x in points]
    level = statistics.median(line)
    noise = statistics.median(abs(x - level) for x in line)
    gap = rule.param["side"] * rule.param["limit"] - level
    if gap <= 0:
        return 0.0
    clear = slopes[flat] > 0 and slopes[flat] * rule.param["window_s"] > 4 * noise and points[-1][1] > nearest
    return -gap / slopes[-1 - flat] if clear else -1e12


SCORES: Scores = {"forecast": forecast}
