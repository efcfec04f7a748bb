"""Plain loops: groups of points by T² and SPE, their distance within and beside the principal components."""

from __future__ import annotations

import math

import numpy as np

from tests.reference.lessons import (
    Lesson,
    Model,
    Part,
    Vector,
    filled,
    known_or_zero,
    left_out,
    model_of,
    most_to_blame,
    parts_of,
    quantile_of,
    scatter_of,
    standardised,
    times_vector,
    usual_of,
    vector_of,
)
from tests.reference.plain import PlainRule, Scores, World


def _components(parts: list[Part], share: float, *, part: bool = False) -> Model:
    rows = [row for part in parts for row in part]
    mean, scale, still = usual_of(rows, part=part)
    width = len(mean)
    model: Model = {"mean": mean, "scale": scale}
    correlation = scatter_of([known_or_zero(standardised(row, model)) for row in rows], width)
    values, vectors = np.linalg.eigh(correlation)
    pairs = [(max(float(values[at]), 0.0), vectors[:, at]) for at in range(width - 1, -1, -1)]
    total = sum(value for value, _ in pairs)
    real = sum(value > 1e-6 for value, _ in pairs)
    kept, explained = 0, 0.0
    while kept < min(real, max(real - 1, 1)) and (kept == 0 or explained < share * total):
        explained += pairs[kept][0]
        kept += 1
    inverse, residual = np.zeros((width, width)), np.eye(width)
    for value, vector in pairs[:kept]:
        inverse += np.outer(vector, vector) / value
        residual -= np.outer(vector, vector)
    inverse += np.diag([float(stands) for stands in still])
    left = max(sum(value for value, _ in pairs[kept:]) / max(width - kept, 1), 1e-6)
    return {**model, "t2": inverse, "spe": residual, "precision": inverse + residual / left}


def _shares(kind: str, z: Vector, model: Model) -> Vector:
    pull = times_vector(model[kind], z)
    return [b * b if kind == "spe" else a * b for a, b in zip(z, pull, strict=True)]


def _averages(kind: str, part: Part, model: Model, smoothing: float) -> list[float]:
    found: list[float] = []
    for vector in part:
        statistic = 0.0
        for share in _shares(kind, known_or_zero(standardised(vector, model)), model):
            statistic += share
        found.append(found[-1] + smoothing * (statistic - found[-1]) if found else statistic)
    return found


def _learn_components(rule: PlainRule, lesson: Lesson) -> Model:
    kind, share, smoothing = rule.kind, rule.param["share"], rule.param["smoothing"]
    parts = parts_of(lesson, list(range(len(lesson))))
    model = _components(parts, share)
    found = left_out(
        lesson,
        lambda some: _components(some, share, part=True),
        lambda part, by: _averages(kind, part, by, smoothing),
    )
    limit = quantile_of(found, rule.param["quantile"])
    rule.memory["average"] = _averages(kind, parts[-1], model, smoothing)[-1]
    return {**model, "limit": max(limit, 1e-6)}


def principal(rule: PlainRule, time: int, _value: float, judged: bool, world: World) -> float:
    """The averaged T² or SPE over its limit."""
    rule.memory["cause"] = None
    taken = vector_of(rule, time, judged, world)
    if taken is None:
        return math.nan
    vector, begins = taken
    model = model_of(rule, vector, begins, _learn_components)
    if model is None:
        return math.nan
    z = filled(standardised(vector, model), model["precision"])
    shares = _shares(rule.kind, z, model)
    statistic = 0.0
    for share in shares:
        statistic += share
    average = statistic if begins else rule.memory["average"]
    rule.memory["average"] = average + rule.param["smoothing"] * (statistic - average)
    rule.memory["cause"] = most_to_blame(rule, shares)
    return float(rule.memory["average"] / model["limit"])


SCORES: Scores = {"t2": principal, "spe": principal}
