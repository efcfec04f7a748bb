"""Plain loops that rules over groups of points share: vectors, what is learnt of them, training in parts."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np

from tests.reference.plain import PlainRule, World

Vector = list[float]
Part = list[Vector]
Lesson = list[tuple[Vector, bool]]  # vectors, and whether each begins a stretch
Model = dict[str, Any]
T = TypeVar("T")


def vector_of(rule: PlainRule, time: int, judged: bool, world: World) -> tuple[Vector, bool] | None:
    """The group's values, NaN where a member has none, and whether the vector follows no other."""
    if not judged:
        rule.memory["last"] = None
        return None
    vector = []
    for point in (rule.point, *rule.inputs):
        at, value = world.usable.get(point, (-(2**62), math.nan))
        bad = world.newest.get(point) != at or (time - at) / 1e9 > rule.param["fresh_s"]
        vector.append(math.nan if bad else value)
    if all(math.isnan(value) for value in vector):
        return None
    last = rule.memory.get("last")
    rule.memory["last"] = time
    return vector, last is None or (time - last) / 1e9 > rule.param.get("gap_s", math.inf)


def model_of(
    rule: PlainRule, vector: Vector, begins: bool, learn: Callable[[PlainRule, Lesson], Model]
) -> Model | None:
    """What was learnt; None while the lesson is going on, this vector being part of it."""
    if "model" in rule.memory:
        return dict(rule.memory["model"])
    lesson: Lesson = rule.memory.setdefault("lesson", [])
    lesson.append((vector, begins))
    if len(lesson) == max(int(rule.param["train"]), len(vector) + 1, 5):
        rows = [row for row, _ in lesson]
        _, scales, still = usual_of(rows)
        moves = [at for at, scale in enumerate(scales) if scale < math.inf and not still[at]]
        drift = [_drift([row[at] for row in rows]) for at in range(len(vector))]
        del rule.memory["lesson"]
        if moves:
            lost = [at for at in moves if drift[at] > 0.9]
            if len(lost) < len(moves):
                lesson = [([math.nan if at in lost else v for at, v in enumerate(row)], b) for row, b in lesson]
            rule.memory["unsettled"] = max(drift) > 0.4
            rule.memory["model"] = learn(rule, lesson)
    return None


def _drift(values: Vector) -> float:
    """The share of a member's variance that lies between the fifths of a lesson."""
    known = [value for value in values if not math.isnan(value)]
    mean = sum(known) / max(len(known), 1)
    off = [0.0 if math.isnan(value) else value - mean for value in values]
    levels, begin = [], 0
    for fold in range(5):
        end = begin + len(off) // 5 + (1 if fold < len(off) % 5 else 0)
        levels.append(sum(off[begin:end]) / (end - begin))
        begin = end
    total, middle = sum(value**2 for value in off) / len(off), sum(levels) / 5
    return sum((level - middle) ** 2 for level in levels) / 5 / total if total > 0 else 0.0


def parts_of(lesson: Lesson, which: list[int]) -> list[Part]:
    parts: list[Part] = []
    for place, at in enumerate(which):
        vector, begins = lesson[at]
        if place == 0 or begins or which[place - 1] != at - 1:
            parts.append([])
        parts[-1].append(vector)
    return parts


def left_out(lesson: Lesson, fit: Callable[[list[Part]], Model], measure: Callable[[Part, Model], list[T]]) -> list[T]:
    many, begin = len(lesson), 0
    found: list[T] = []
    for fold in range(5):
        end = begin + many // 5 + (1 if fold < many % 5 else 0)
        model = fit(parts_of(lesson, [*range(begin), *range(end, many)]))
        for part in parts_of(lesson, list(range(begin, end))):
            found += measure(part, model)
        begin = end
    return found


def quantile_of(found: list[float], quantile: float) -> float:
    found = sorted(found)
    place = quantile * (len(found) - 1)
    low = int(place)
    high = min(low + 1, len(found) - 1)
    return found[low] + (found[high] - found[low]) * (place - low)


def usual_of(rows: Part, *, part: bool = False) -> tuple[Vector, Vector, list[bool]]:
    means, scales, still = [], [], []
    for column in range(len(rows[0])):
        values = [row[column] for row in rows if not math.isnan(row[column])]
        many = max(len(values), 1)
        mean = 0.0
        for value in values:
            mean += value
        mean /= many
        square = 0.0
        for value in values:
            square += (value - mean) ** 2
        scale = math.sqrt(square / many)
        means.append(mean)
        stands = scale <= 1e-9 * abs(mean)
        if stands:
            scale = math.inf if part else max(0.01 * abs(mean), _last_digit(mean) / math.sqrt(12), 1e-9)
        scale = max(scale, error_of(values, mean))
        scales.append(scale if 2 * len(values) >= len(rows) else math.inf)
        still.append(stands)
    return means, scales, still


def _last_digit(value: float) -> float:
    text = f"{value:.9f}".rstrip("0")
    return 10.0 ** -len(text.partition(".")[2]) if value else 0.0


def error_of(values: Vector, mean: float) -> float:
    """By how much readings may be off: by rounding to their least step, and by the instrument."""
    least = 1e-9 * max([abs(value) for value in values], default=0.0)
    apart = [b - a for a, b in pairwise(sorted(values)) if b - a > least]
    return math.hypot(min(apart, default=0.0) / math.sqrt(12), 0.0005 * mean)


def standardised(vector: Vector, model: Model, clip: float = math.inf) -> Vector:
    found, most = [], min(clip, 1e6)
    for value, mean, scale in zip(vector, model["mean"], model["scale"], strict=True):
        z = (value - mean) / scale
        found.append(z if math.isnan(z) else min(max(z, -most), most))
    return found


def known_or_zero(vector: Vector) -> Vector:
    return [0.0 if math.isnan(value) else value for value in vector]


def times_vector(matrix: Any, vector: Vector) -> Vector:
    found = []
    for row in matrix:
        total = 0.0
        for factor, value in zip(row, vector, strict=True):
            total += float(factor) * value
        found.append(total)
    return found


def scatter_of(rows: Part, width: int) -> Any:
    total = np.zeros((width, width))
    for row in rows:
        for i in range(width):
            for j in range(width):
                total[i, j] += row[i] * row[j]
    return total / max(len(rows), 1)


def filled(vector: Vector, precision: Any) -> Vector:
    """Elimination, without pivots: the matrix is positive definite."""
    lost = [at for at, value in enumerate(vector) if math.isnan(value)]
    known = known_or_zero(vector)
    pull = times_vector(precision, known)
    system = [[float(precision[i][j]) for j in lost] + [-pull[i]] for i in lost]
    for i in range(len(lost)):
        for k in range(len(lost)):
            if k != i:
                factor = system[k][i] / system[i][i]
                system[k] = [a - factor * b for a, b in zip(system[k], system[i], strict=True)]
    for i, at in enumerate(lost):
        known[at] = system[i][-1] / system[i][i]
    return known


def most_to_blame(rule: PlainRule, blame: Vector) -> int:
    rule.memory["blame"] = blame
    return (rule.point, *rule.inputs)[blame.index(max(blame))]
