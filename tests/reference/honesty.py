"""Plain loops: pinned, noise, current, neighbour."""

from __future__ import annotations

import math
import statistics

from tests.reference.plain import PlainRule, Scores, World, at

Buckets = dict[int, list[float]]


def closes(rule: PlainRule, time: int, value: float, judged: bool, parts: int) -> tuple[Buckets, int] | None:
    """The values by bucket and the newest bucket's number, if this reading closes it; takes the reading in.

    A window is cut into `parts` buckets.
    """
    if not judged:
        rule.memory.clear()
    if not judged or math.isnan(value):
        return None
    number = time // (int(rule.param["window_s"] * 1e9) // parts)
    buckets: Buckets = rule.memory.setdefault("buckets", {})
    before = {n: list(held) for n, held in buckets.items()}
    buckets.setdefault(number, []).append(value)
    for old in [n for n in buckets if n < number - 40]:
        del buckets[old]
    newest = max(before, default=number)
    return (before, newest) if number > newest else None


def pinned(rule: PlainRule, time: int, value: float, judged: bool, _world: World) -> float:
    """Percent of the window's readings that are near the limit."""
    closed = closes(rule, time, value, judged, parts=8)
    if closed is None:
        return math.nan
    buckets, newest = closed
    window = [buckets[n] for n in range(newest - 7, newest + 1) if n in buckets]
    readings = [x for bucket in window for x in bucket]
    if len(window) < 7 or len(readings) < 8:
        return math.nan
    return 100 * sum(abs(x - rule.param["at"]) <= rule.param["band"] for x in readings) / len(readings)


def noise(rule: PlainRule, time: int, value: float, judged: bool, _world: World) -> float:
    """The ordinary range over the widest of late."""
    closed = closes(rule, time, value, judged, parts=4)
    if closed is None:
        return math.nan
    buckets, newest = closed
    ranges = {n: max(held) - min(held) for n, held in buckets.items() if n > newest - 32}
    recent = [width for n, width in ranges.items() if n > newest - 4]
    older = [width for n, width in ranges.items() if n <= newest - 4]
    if len(recent) < 4 or len(older) < 12:
        return math.nan
    ordinary = statistics.median(older)
    if ordinary == 0:
        return math.nan
    return min(ordinary / max(recent), 1e6) if max(recent) > 0 else 1e6


def current(rule: PlainRule, _time: int, value: float, _judged: bool, _world: World) -> float:
    """Milliamperes from the middle of the loop's range."""
    low, high = rule.param["low"], rule.param["high"]
    score, loop = abs(4 + 16 * (value - low) / (high - low) - 12), 16 * 2 * max(abs(low), abs(high)) / abs(high - low)
    for limit in (rule.off, rule.on):
        score = at(score, limit, loop)
    return score


def neighbour(rule: PlainRule, time: int, value: float, _judged: bool, world: World) -> float:
    """How many times above or below the median of the fresh neighbours; `memory["cause"]` is the point itself."""
    rule.memory["cause"] = rule.point
    seen = [world.usable[point] for point in rule.inputs if point in world.usable]
    fresh = [x for at, x in seen if (time - at) / 1e9 <= rule.param["fresh_s"]]
    if len(fresh) < 2 or math.isnan(value):
        return math.nan
    mine = max(value, rule.param["floor"])
    theirs = max(statistics.median(fresh), rule.param["floor"])
    return max(mine / theirs, theirs / mine)


SCORES: Scores = {"pinned": pinned, "noise": noise, "current": current, "neighbour": neighbour}
