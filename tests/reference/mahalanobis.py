"""Plain loops: groups of points by their Mahalanobis distance. Only training asks numpy, for inverses."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np

from tests.reference.lessons import (
    Lesson,
    Model,
    Part,
    Vector,
    error_of,
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


def _gains(matrix: Any, vector: Vector) -> Vector:
    """How much smaller the quadratic form is where it is smallest along each member."""
    own = [float(matrix[at][at]) for at in range(len(vector))]
    return [pull * pull / d if d > 1e-9 else 0.0 for pull, d in zip(times_vector(matrix, vector), own, strict=True)]


def _leashed(baseline: float) -> float:
    return min(max(baseline, -2.0), 2.0)


def _clipped(vector: Vector, most: float) -> Vector:
    return [min(max(value, -most), most) for value in vector]  # NaN stays


def _about(vector: Vector, centre: Vector, most: float) -> Vector:
    return _clipped([a - b for a, b in zip(vector, centre, strict=True)], most)


def _averaged(average: Vector, newest: Vector, gain: float) -> Vector:
    return [a if math.isnan(b) else a + gain * (b - a) for a, b in zip(average, newest, strict=True)]


def _length(vector: Vector, level: Vector, model: Model) -> float:
    return math.sqrt(_squared([a - b for a, b in zip(vector, level, strict=True)], model["weights"]))


def _begin_at_home(state: dict[str, Any]) -> None:
    """The process is back at the level of the lesson, or a new stretch begins there."""
    if state["home"] is not None:
        state.update(baseline=state["home"], home=None, centre=[0.0] * len(state["centre"]))
    state.update(still=None, stood=0)


def _from_level(rule: PlainRule, distance: float, whole: Vector, model: Model) -> float:
    """The distance from the nearer level over its limit; sets the alarm by it."""
    state, param = rule.memory["state"], rule.param
    state["back"] = None
    limit = param["limit"] or model["limit"]
    if state["home"] is not None:
        before = state["homeward"]
        state["homeward"] = _averaged(before, _clipped(whole, param["clip"]), param["smoothing"])
        foretold = times_vector(model["transition"], before)
        errors = [a - b for a, b in zip(state["homeward"], foretold, strict=True)]
        learnt, home = _length(errors, [0.0] * len(errors), model), _length(errors, state["home"], model)
        if learnt < home:
            state["home"], home = [0.0] * len(errors), learnt
        state["back"] = errors if home <= min(distance, param["release"] * limit) else None
        distance = min(home, distance)
    state["alarm"] = distance / limit > (param["release"] if state["alarm"] else 1.0)
    return distance / limit


def _settle(rule: PlainRule, whole: Vector, model: Model) -> None:
    """Go back to the lesson's level, or centre where the process has kept still in alarm for most of a lesson."""
    state, param = rule.memory["state"], rule.param
    if state["back"] is not None:
        _begin_at_home(state)
        state["previous"] = known_or_zero(_clipped(whole, param["clip"]))
        state["average"] = state["back"]
    if not state["alarm"] or param["adaptation"] == 0:
        state.update(still=None, stood=0)
        return
    state["stood"] += 1
    if state["still"] is None:
        state.update(still=0, value=list(state["centre"]), level=list(state["average"]))
    state["value"] = _averaged(state["value"], whole, param["smoothing"])
    apart = _length(state["average"], state["level"], model)
    state["level"] = _averaged(state["level"], state["average"], param["smoothing"] / 5)
    state["still"] += apart / (param["limit"] or model["limit"]) <= 0.5
    if state["still"] < 0.75 * max(param["train"], len(whole) + 1, 5):
        if rule.memory["unsettled"] and state["stood"] >= max(int(param["train"]), len(whole) + 1, 5):
            del rule.memory["model"]
        return
    if state["home"] is None:
        state.update(home=list(state["baseline"]), homeward=_clipped(state["value"], param["clip"]))
    zero = [0.0] * len(whole)
    state.update(centre=state["value"], baseline=zero, average=list(zero), alarm=False, still=None, stood=0)
    state["previous"] = known_or_zero(_about(whole, state["centre"], param["clip"]))


def _follow(part: Part, model: Model, param: dict[str, float]) -> Model:
    width = len(part[0])
    z = [known_or_zero(standardised(vector, model, param["clip"])) for vector in part]
    average, baseline = [0.0] * width, [0.0] * width
    errors: Part = []
    strayed: Part = []
    deviations: Part = []
    for at, vector in enumerate(z):
        if param["ridge"] > 0:
            foretold = times_vector(model["transition"], z[at - 1]) if at else vector
            error = [a - b for a, b in zip(vector, foretold, strict=True)]
        else:
            error = vector
        deviations.append([e - a for a, e in zip(average, error, strict=True)])
        average = [a + param["smoothing"] * (e - a) for a, e in zip(average, error, strict=True)]
        errors.append(error)
        strayed.append([a - b for a, b in zip(average, baseline, strict=True)])
        baseline = [_leashed(b + param["adaptation"] * (e - b)) for b, e in zip(baseline, error, strict=True)]
    begin = min(int(2 / param["smoothing"]), len(part) // 2)
    state = {"previous": z[-1], "average": average, "baseline": baseline}
    return {"errors": errors[begin:], "strayed": strayed[begin:], "deviations": deviations[begin:], **state}


def _fit(parts: list[Part], param: dict[str, float], *, part: bool = False) -> Model:
    rows = [row for part in parts for row in part]
    mean, scale, still = usual_of(rows, part=part)
    width = len(mean)
    inexact = [
        error_of([row[at] for row in rows if not math.isnan(row[at])], mean[at]) / scale[at] for at in range(width)
    ]
    model: Model = {"mean": mean, "scale": scale, "transition": np.zeros((width, width))}
    if param["ridge"] > 0:
        whole = [[known_or_zero(standardised(vector, model, param["clip"])) for vector in part] for part in parts]
        pairs = [part[at - 1] + part[at] for part in whole for at in range(1, len(part))]
        both = scatter_of(pairs, 2 * width)
        damped = both[:width, :width] + param["ridge"] * np.eye(width)
        model["transition"] = np.linalg.solve(damped, both[:width, width:]).T
    followed = [_follow(part, model, param) for part in parts]
    covariance = scatter_of([row for sequence in followed for row in sequence["errors"]], width)
    covariance = covariance * (param["smoothing"] / (2 - param["smoothing"]))
    covariance = covariance + scatter_of([row for sequence in followed for row in sequence["strayed"]], width)
    wander = []
    for lag in (50, 100):
        rows = [
            [a - b for a, b in zip(sequence["strayed"][at], sequence["strayed"][at - lag], strict=True)]
            for sequence in followed
            for at in range(lag, len(sequence["strayed"]))
        ]
        if rows:
            wander.append(scatter_of(rows, width))
    for matrix in wander:
        covariance = covariance + matrix / len(wander)
    kept = (1 - param["shrink"]) * covariance
    for i in range(width):
        kept[i, i] += max(param["shrink"] * covariance[i, i], 1e-6) + inexact[i] ** 2
        if still[i]:
            kept[i, i] += param["smoothing"] / (2 - param["smoothing"])
    model["weights"] = np.linalg.inv(kept)
    scattered = scatter_of([row for sequence in followed for row in sequence["deviations"]], width)
    kept = (1 - param["shrink"]) * scattered
    for i in range(width):
        kept[i, i] += max(param["shrink"] * scattered[i, i], 1e-6) + still[i] + inexact[i] ** 2
    model["spread"] = np.linalg.inv(kept)
    model["usual"] = max(sum(float(model["spread"][i] @ scattered[i]) for i in range(width)), 1e-9)
    return model


def _squared(vector: Vector, matrix: Any) -> float:
    squared = 0.0
    for a, b in zip(vector, times_vector(matrix, vector), strict=True):
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
    parts = parts_of(lesson, list(range(len(lesson))))
    model = _fit(parts, param)
    end = _follow(parts[-1], model, param)
    rule.memory["state"] = {name: end[name] for name in ("previous", "average", "baseline")} | {"alarm": False}
    rule.memory["state"] |= {"spread": _spreads(end, model, param)[-1], "seen": len(parts[-1])}
    rule.memory["state"] |= {"home": None, "still": None, "stood": 0, "centre": [0.0] * len(end["baseline"])}
    found = left_out(
        lesson,
        lambda some: _fit(some, param, part=True),
        lambda part, by: _distances(part, by, param),
    )
    each = 1 - (1 - param["quantile"]) / 2
    ahead = math.sqrt(_foretold([distance**2 for distance, _ in found], each, param))
    limit = max(quantile_of([distance for distance, _ in found], each), ahead, 1.0)
    excess = _excess([spread for _, spread in found], each, model, param)
    if rule.memory["unsettled"]:
        few = len(lesson) * param["smoothing"] / (2 - param["smoothing"]) < 50
        limit, excess = 1.2 * limit, 3 * excess if few else excess
    return {**model, "limit": limit, "excess": excess}


def _foretold(squares: list[float], quantile: float, param: dict[str, float]) -> float:
    """What the next averaged square is rarely beyond."""
    many = max(len(squares) * param["smoothing"] / (2 - param["smoothing"]), 3.0)
    roots = [square ** (1 / 3) for square in squares]
    mean = sum(roots) / len(roots)
    deviation = math.sqrt(sum((root - mean) ** 2 for root in roots) / len(roots))
    z, v = NormalDist().inv_cdf(quantile), many - 1
    t = z + (z**3 + z) / (4 * v) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
    return float((mean + deviation * t * math.sqrt(1 + 1 / many)) ** 3)


def _excess(spreads: list[float], quantile: float, model: Model, param: dict[str, float]) -> float:
    """What the spread was rarely beyond, or will be; 1 is usual."""
    white = math.sqrt(2 / max(model["usual"], 1.0) * param["smoothing"] / (2 - param["smoothing"]))
    return float(max(quantile_of(spreads, quantile) - 1, _foretold(spreads, quantile, param) - 1, white))


def _spread(rule: PlainRule, deviation: Vector, begins: bool, model: Model) -> float:
    """How far the averaged spread is beyond the usual, over its limit; as a distance."""
    state, smoothing = rule.memory["state"], rule.param["smoothing"]
    state["seen"] = 1 if begins else state["seen"] + 1
    if begins:
        state["spread"] = 1.0
    square = 1.0
    if state["seen"] > int(2 / smoothing):
        square = _squared(filled(deviation, model["spread"]), model["spread"]) / model["usual"]
    most = 1 + 0.5 * max(rule.on, 1.0) ** 2 * model["excess"] / smoothing
    state["spread"] += smoothing * (min(square, most) - state["spread"])
    return math.sqrt(max(state["spread"] - 1, 0.0) / model["excess"])


def mahalanobis(rule: PlainRule, time: int, _value: float, judged: bool, world: World) -> float:
    """The smoothed distance over its limit."""
    rule.memory["cause"] = None
    taken = vector_of(rule, time, judged, world)
    if taken is None:
        return math.nan
    vector, begins = taken
    model, param = model_of(rule, vector, begins, _learn_distance), rule.param
    if model is None:
        return math.nan
    state = rule.memory["state"]
    if begins:
        _begin_at_home(state)
    whole, baseline = standardised(vector, model, math.inf), state["baseline"]
    z = _about(whole, state["centre"], param["clip"])
    if begins:
        state.update(average=list(baseline), alarm=False)
    if begins and param["ridge"] > 0:
        error, state["previous"] = list(baseline), known_or_zero(z)
        deviation = [e - a for e, a in zip(error, state["average"], strict=True)]
    else:
        foretold = times_vector(model["transition"], state["previous"])
        deviation = [a - b - c for a, b, c in zip(z, foretold, state["average"], strict=True)]
        away = [a - b - c for a, b, c in zip(z, foretold, baseline, strict=True)]
        error = [a + b for a, b in zip(baseline, filled(away, model["weights"]), strict=True)]
        state["previous"] = [a + b for a, b in zip(foretold, error, strict=True)]
    state["average"] = [a + param["smoothing"] * (e - a) for a, e in zip(state["average"], error, strict=True)]
    strayed = [a - b for a, b in zip(state["average"], baseline, strict=True)]
    shares = [a * b for a, b in zip(strayed, times_vector(model["weights"], strayed), strict=True)]
    squared = sum(shares)
    score = _from_level(rule, math.sqrt(max(squared, 0.0)), whole, model)
    for at, share in enumerate(shares):
        if not (state["alarm"] and share >= param["culprit"] * squared):
            baseline[at] = _leashed(baseline[at] + param["adaptation"] * (error[at] - baseline[at]))
    _settle(rule, whole, model)
    rule.memory["cause"] = most_to_blame(rule, _gains(model["weights"], strayed))
    if "model" not in rule.memory:
        return 0.0
    spread = _spread(rule, deviation, begins, model)
    if spread > score and not param["limit"]:
        rule.memory["cause"] = most_to_blame(rule, _gains(model["spread"], filled(deviation, model["spread"])))
        return spread
    return score


SCORES: Scores = {"mahalanobis": mahalanobis}
