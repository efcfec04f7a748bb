"""Plain loops: groups of points by their Mahalanobis distance, T² and SPE. Only training asks numpy, for inverses."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Any, TypeVar

import numpy as np

from tests.reference.plain import PlainRule, Scores, World

Vector = list[float]
Part = list[Vector]
Lesson = list[tuple[Vector, bool]]  # vectors, and whether each begins a stretch
Model = dict[str, Any]
T = TypeVar("T")


def _vector(rule: PlainRule, time: int, judged: bool, world: World) -> tuple[Vector, bool] | None:
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


def _model(rule: PlainRule, vector: Vector, begins: bool, learn: Callable[[PlainRule, Lesson], Model]) -> Model | None:
    """What was learnt; None while the lesson is going on, this vector being part of it."""
    if "model" in rule.memory:
        return dict(rule.memory["model"])
    lesson: Lesson = rule.memory.setdefault("lesson", [])
    lesson.append((vector, begins))
    if len(lesson) == max(int(rule.param["train"]), len(vector) + 1, 5):
        _, scales, still = _usual([row for row, _ in lesson])
        if any(scale < math.inf and not stands for scale, stands in zip(scales, still, strict=True)):
            rule.memory["model"] = learn(rule, lesson)
        else:
            del rule.memory["lesson"]
    return None


def _parts(lesson: Lesson, which: list[int]) -> list[Part]:
    parts: list[Part] = []
    for place, at in enumerate(which):
        vector, begins = lesson[at]
        if place == 0 or begins or which[place - 1] != at - 1:
            parts.append([])
        parts[-1].append(vector)
    return parts


def _left_out(lesson: Lesson, fit: Callable[[list[Part]], Model], measure: Callable[[Part, Model], list[T]]) -> list[T]:
    many, begin = len(lesson), 0
    found: list[T] = []
    for fold in range(5):
        end = begin + many // 5 + (1 if fold < many % 5 else 0)
        model = fit(_parts(lesson, [*range(begin), *range(end, many)]))
        for part in _parts(lesson, list(range(begin, end))):
            found += measure(part, model)
        begin = end
    return found


def _quantile(found: list[float], quantile: float) -> float:
    found = sorted(found)
    place = quantile * (len(found) - 1)
    low = int(place)
    high = min(low + 1, len(found) - 1)
    return found[low] + (found[high] - found[low]) * (place - low)


def _usual(rows: Part, *, part: bool = False) -> tuple[Vector, Vector, list[bool]]:
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
            scale = math.inf if part else max(0.01 * abs(mean), 1e-9)
        scales.append(scale if 2 * len(values) >= len(rows) else math.inf)
        still.append(stands)
    return means, scales, still


def _standardised(vector: Vector, model: Model, clip: float = math.inf) -> Vector:
    found, most = [], min(clip, 1e6)
    for value, mean, scale in zip(vector, model["mean"], model["scale"], strict=True):
        z = (value - mean) / scale
        found.append(z if math.isnan(z) else min(max(z, -most), most))
    return found


def _known(vector: Vector) -> Vector:
    return [0.0 if math.isnan(value) else value for value in vector]


def _times(matrix: Any, vector: Vector) -> Vector:
    found = []
    for row in matrix:
        total = 0.0
        for factor, value in zip(row, vector, strict=True):
            total += float(factor) * value
        found.append(total)
    return found


def _scatter(rows: Part, width: int) -> Any:
    total = np.zeros((width, width))
    for row in rows:
        for i in range(width):
            for j in range(width):
                total[i, j] += row[i] * row[j]
    return total / max(len(rows), 1)


def _filled(vector: Vector, precision: Any) -> Vector:
    """Elimination, without pivots: the matrix is positive definite."""
    lost = [at for at, value in enumerate(vector) if math.isnan(value)]
    known = _known(vector)
    pull = _times(precision, known)
    system = [[float(precision[i][j]) for j in lost] + [-pull[i]] for i in lost]
    for i in range(len(lost)):
        for k in range(len(lost)):
            if k != i:
                factor = system[k][i] / system[i][i]
                system[k] = [a - factor * b for a, b in zip(system[k], system[i], strict=True)]
    for i, at in enumerate(lost):
        known[at] = system[i][-1] / system[i][i]
    return known


def _most(rule: PlainRule, blame: Vector) -> int:
    return (rule.point, *rule.inputs)[blame.index(max(blame))]


def _gains(matrix: Any, vector: Vector) -> Vector:
    """How much smaller the quadratic form is where it is smallest along each member."""
    own = [float(matrix[at][at]) for at in range(len(vector))]
    return [pull * pull / d if d > 1e-9 else 0.0 for pull, d in zip(_times(matrix, vector), own, strict=True)]


def _follow(part: Part, model: Model, param: dict[str, float]) -> Model:
    width = len(part[0])
    z = [_known(_standardised(vector, model, param["clip"])) for vector in part]
    average, baseline = [0.0] * width, [0.0] * width
    errors: Part = []
    strayed: Part = []
    deviations: Part = []
    for at, vector in enumerate(z):
        if param["ridge"] > 0:
            foretold = _times(model["transition"], z[at - 1]) if at else vector
            error = [a - b for a, b in zip(vector, foretold, strict=True)]
        else:
            error = vector
        deviations.append([e - a for a, e in zip(average, error, strict=True)])
        average = [a + param["smoothing"] * (e - a) for a, e in zip(average, error, strict=True)]
        errors.append(error)
        strayed.append([a - b for a, b in zip(average, baseline, strict=True)])
        baseline = [b + param["adaptation"] * (e - b) for b, e in zip(baseline, error, strict=True)]
    begin = min(int(2 / param["smoothing"]), len(part) // 2)
    state = {"previous": z[-1], "average": average, "baseline": baseline}
    return {"errors": errors[begin:], "strayed": strayed[begin:], "deviations": deviations[begin:], **state}


def _fit(parts: list[Part], param: dict[str, float], *, part: bool = False) -> Model:
    mean, scale, still = _usual([row for part in parts for row in part], part=part)
    width = len(mean)
    model: Model = {"mean": mean, "scale": scale, "transition": np.zeros((width, width))}
    if param["ridge"] > 0:
        whole = [[_known(_standardised(vector, model, param["clip"])) for vector in part] for part in parts]
        pairs = [part[at - 1] + part[at] for part in whole for at in range(1, len(part))]
        both = _scatter(pairs, 2 * width)
        damped = both[:width, :width] + param["ridge"] * np.eye(width)
        model["transition"] = np.linalg.solve(damped, both[:width, width:]).T
    followed = [_follow(part, model, param) for part in parts]
    covariance = _scatter([row for sequence in followed for row in sequence["errors"]], width)
    covariance = covariance * (param["smoothing"] / (2 - param["smoothing"]))
    covariance = covariance + _scatter([row for sequence in followed for row in sequence["strayed"]], width)
    wander = []
    for lag in (50, 100):
        rows = [
            [a - b for a, b in zip(sequence["strayed"][at], sequence["strayed"][at - lag], strict=True)]
            for sequence in followed
            for at in range(lag, len(sequence["strayed"]))
        ]
        if rows:
            wander.append(_scatter(rows, width))
    for matrix in wander:
        covariance = covariance + matrix / len(wander)
    kept = (1 - param["shrink"]) * covariance
    for i in range(width):
        kept[i, i] += max(param["shrink"] * covariance[i, i], 1e-6)
        if still[i]:
            kept[i, i] += param["smoothing"] / (2 - param["smoothing"])
    model["weights"] = np.linalg.inv(kept)
    scattered = _scatter([row for sequence in followed for row in sequence["deviations"]], width)
    kept = (1 - param["shrink"]) * scattered
    for i in range(width):
        kept[i, i] += max(param["shrink"] * scattered[i, i], 1e-6) + still[i]
    model["spread"] = np.linalg.inv(kept)
    model["usual"] = max(sum(float(model["spread"][i] @ scattered[i]) for i in range(width)), 1e-9)
    return model


def _squared(vector: Vector, matrix: Any) -> float:
    squared = 0.0
    for a, b in zip(vector, _times(matrix, vector), strict=True):
        squared += a * b
    return max(squared, 0.0)


def _spreads(followed: Model, model: Model, param: dict[str, float]) -> list[float]:
    squares = [_squared(deviation, model["spread"]) / model["usual"] for deviation in followed["deviations"]]
    newest, found = sum(squares) / len(squares), []
    for square in squares:
        newest += param["smoothing"] * (square - newest)
        found.append(newest)
    return found


def _distances(part: Part, model: Model, param: dict[str, float]) -> list[tuple[float, float]]:
    """Of each vector the distance and the spread."""
    followed = _follow(part, model, param)
    distances = [math.sqrt(_squared(strayed, model["weights"])) for strayed in followed["strayed"]]
    return list(zip(distances, _spreads(followed, model, param), strict=True))


def _learn_distance(rule: PlainRule, lesson: Lesson) -> Model:
    param = rule.param
    parts = _parts(lesson, list(range(len(lesson))))
    model = _fit(parts, param)
    end = _follow(parts[-1], model, param)
    rule.memory["state"] = {name: end[name] for name in ("previous", "average", "baseline")} | {"alarm": False}
    rule.memory["state"] |= {"spread": _spreads(end, model, param)[-1], "seen": len(parts[-1])}
    found = _left_out(
        lesson,
        lambda some: _fit(some, param, part=True),
        lambda part, by: _distances(part, by, param),
    )
    each = 1 - (1 - param["quantile"]) / 2
    limit = max(_quantile([distance for distance, _ in found], each), 1.0)
    return {**model, "limit": limit, "excess": _excess([spread for _, spread in found], each, model, param)}


def _excess(spreads: list[float], quantile: float, model: Model, param: dict[str, float]) -> float:
    """What the spread was rarely beyond, or will be; 1 is usual."""
    apart = param["smoothing"] / (2 - param["smoothing"])
    many = max(len(spreads) * apart, 3.0)
    roots = [spread ** (1 / 3) for spread in spreads]
    mean = sum(roots) / len(roots)
    deviation = math.sqrt(sum((root - mean) ** 2 for root in roots) / len(roots))
    z, v = NormalDist().inv_cdf(quantile), many - 1
    t = z + (z**3 + z) / (4 * v) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
    foretold = (mean + deviation * t * math.sqrt(1 + 1 / many)) ** 3
    white = math.sqrt(2 / max(model["usual"], 1.0) * apart)
    return float(max(_quantile(spreads, quantile) - 1, foretold - 1, white))


def _spread(rule: PlainRule, deviation: Vector, begins: bool, model: Model) -> float:
    """How far the averaged spread is beyond the usual, over its limit; as a distance."""
    state, smoothing = rule.memory["state"], rule.param["smoothing"]
    state["seen"] = 1 if begins else state["seen"] + 1
    if begins:
        state["spread"] = 1.0
    square = 1.0
    if state["seen"] > int(2 / smoothing):
        square = _squared(_filled(deviation, model["spread"]), model["spread"]) / model["usual"]
    most = 1 + 0.5 * max(rule.on, 1.0) ** 2 * model["excess"] / smoothing
    state["spread"] += smoothing * (min(square, most) - state["spread"])
    return math.sqrt(max(state["spread"] - 1, 0.0) / model["excess"])


def mahalanobis(rule: PlainRule, time: int, _value: float, judged: bool, world: World) -> float:
    """The smoothed distance over its limit."""
    rule.memory["cause"] = None
    taken = _vector(rule, time, judged, world)
    if taken is None:
        return math.nan
    vector, begins = taken
    model, param = _model(rule, vector, begins, _learn_distance), rule.param
    if model is None:
        return math.nan
    state = rule.memory["state"]
    z, baseline = _standardised(vector, model, param["clip"]), state["baseline"]
    if begins:
        state.update(average=list(baseline), alarm=False)
    if begins and param["ridge"] > 0:
        error, state["previous"] = list(baseline), _known(z)
        deviation = [e - a for e, a in zip(error, state["average"], strict=True)]
    else:
        foretold = _times(model["transition"], state["previous"])
        deviation = [a - b - c for a, b, c in zip(z, foretold, state["average"], strict=True)]
        away = [a - b - c for a, b, c in zip(z, foretold, baseline, strict=True)]
        error = [a + b for a, b in zip(baseline, _filled(away, model["weights"]), strict=True)]
        state["previous"] = [a + b for a, b in zip(foretold, error, strict=True)]
    state["average"] = [a + param["smoothing"] * (e - a) for a, e in zip(state["average"], error, strict=True)]
    strayed = [a - b for a, b in zip(state["average"], baseline, strict=True)]
    shares = [a * b for a, b in zip(strayed, _times(model["weights"], strayed), strict=True)]
    squared = sum(shares)
    score = math.sqrt(max(squared, 0.0)) / (param["limit"] or model["limit"])
    state["alarm"] = score > (param["release"] if state["alarm"] else 1.0)
    for at, share in enumerate(shares):
        if not (state["alarm"] and share >= param["culprit"] * squared):
            baseline[at] += param["adaptation"] * (error[at] - baseline[at])
    rule.memory["cause"] = _most(rule, _gains(model["weights"], strayed))
    spread = _spread(rule, deviation, begins, model)
    if spread > score and not param["limit"]:
        rule.memory["cause"] = _most(rule, _gains(model["spread"], _filled(deviation, model["spread"])))
        return spread
    return score


def _components(parts: list[Part], share: float, *, part: bool = False) -> Model:
    rows = [row for part in parts for row in part]
    mean, scale, still = _usual(rows, part=part)
    width = len(mean)
    model: Model = {"mean": mean, "scale": scale}
    correlation = _scatter([_known(_standardised(row, model)) for row in rows], width)
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
    pull = _times(model[kind], z)
    return [b * b if kind == "spe" else a * b for a, b in zip(z, pull, strict=True)]


def _averages(kind: str, part: Part, model: Model, smoothing: float) -> list[float]:
    found: list[float] = []
    for vector in part:
        statistic = 0.0
        for share in _shares(kind, _known(_standardised(vector, model)), model):
            statistic += share
        found.append(found[-1] + smoothing * (statistic - found[-1]) if found else statistic)
    return found


def _learn_components(rule: PlainRule, lesson: Lesson) -> Model:
    kind, share, smoothing = rule.kind, rule.param["share"], rule.param["smoothing"]
    parts = _parts(lesson, list(range(len(lesson))))
    model = _components(parts, share)
    found = _left_out(
        lesson,
        lambda some: _components(some, share, part=True),
        lambda part, by: _averages(kind, part, by, smoothing),
    )
    limit = _quantile(found, rule.param["quantile"])
    rule.memory["average"] = _averages(kind, parts[-1], model, smoothing)[-1]
    return {**model, "limit": max(limit, 1e-6)}


def principal(rule: PlainRule, time: int, _value: float, judged: bool, world: World) -> float:
    """The averaged T² or SPE over its limit."""
    rule.memory["cause"] = None
    taken = _vector(rule, time, judged, world)
    if taken is None:
        return math.nan
    vector, begins = taken
    model = _model(rule, vector, begins, _learn_components)
    if model is None:
        return math.nan
    z = _filled(_standardised(vector, model), model["precision"])
    shares = _shares(rule.kind, z, model)
    statistic = 0.0
    for share in shares:
        statistic += share
    average = statistic if begins else rule.memory["average"]
    rule.memory["average"] = average + rule.param["smoothing"] * (statistic - average)
    rule.memory["cause"] = _most(rule, shares)
    return float(rule.memory["average"] / model["limit"])


SCORES: Scores = {"t2": principal, "spe": principal, "mahalanobis": mahalanobis}
