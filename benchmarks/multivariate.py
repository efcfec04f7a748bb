"""A Mahalanobis distance of smoothed forecast errors: one detector for a group of sensors read together.

Each vector of readings is compared with what the last one foretold; the errors are averaged with exponentially falling
weights (MEWMA: Lowry, Woodall, Champ & Rigdon 1992), so that a small fault that stays adds up. The distance of that
average from zero is Hotelling's T2 over all directions, which holds both T2 and SPE of a principal component model
(Jackson & Mudholkar 1979) without having to choose the number of components. What it should have been measured with is
not only the scatter of single readings: plants wander. So the covariance adds how far the average really strayed in
training and how far it strayed over a lag (a multivariate variogram), shrunk towards its diagonal (Ledoit & Wolf 2004).

The forecast is a first-order vector autoregression (the dynamic PCA of Ku, Storer & Georgakis 1995 finds the same
relations from lagged variables), plus a baseline that follows slow drift and stands still, in an alarm, for the sensors
that explain it. A sensor's contribution is its term in the sum that makes T2 (MacGregor & Kourti 1995).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEAST_SCALE: Final = 1e-9  # relative to the mean: below it, a sensor stood still in training


@dataclass(frozen=True, slots=True)
class Tuning:
    """How one kind of plant is watched; counts are in vectors, so they depend on the sampling interval.

    Attributes:
        smoothing: weight of the newest error in the average, 0..1; small finds small faults, later.
        ridge: of the autoregression, as a share of a sensor's variance; None forecasts the baseline alone.
        adaptation: weight of the newest error in the baseline; 0 = a stationary process.
        clip: how many standard deviations one reading may count for at most.
        limit: distance at which an alarm begins; None finds it from training, block by block left out.
        release: share of the limit below which an alarm ends.
        culprit: share of T2 from which a sensor counts as a cause of the alarm, and its baseline stands still.
        lags: over which the wander of the average is measured in training.
        shrinkage: of the covariance towards its diagonal, 0..1.
        folds: blocks of the cross-validation.
        quantile: of the distances of left-out vectors, taken as limit.
    """

    smoothing: float = 0.1
    ridge: float | None = None
    adaptation: float = 0.0
    clip: float = np.inf
    limit: float | None = None
    release: float = 0.85
    culprit: float = 0.2
    lags: tuple[int, ...] = (50, 100)
    shrinkage: float = 0.05
    folds: int = 5
    quantile: float = 0.99

    @property
    def warm_up(self) -> int:
        """Vectors until the average has forgotten its start."""
        return int(2 / self.smoothing)


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """What training leaves: float64[d] mean and scale (inf = not judged), float64[d, d] transition and weights."""

    mean: Floats
    scale: Floats
    transition: Floats
    weights: Floats

    def standardised(self, rows: Floats, clip: float) -> Floats:
        """Readings in standard deviations from the mean (any shape ending in d), NaN where there is none."""
        return np.clip((rows - self.mean) / self.scale, -clip, clip)


@dataclass(slots=True, eq=False)
class Memory:
    """What is kept from one vector to the next: three float64[d] in standard deviations, and a flag."""

    previous: Floats
    average: Floats
    baseline: Floats
    alarm: bool = False

    @classmethod
    def fresh(cls, sensors: int) -> Memory:
        """As if the plant had always stood at its mean."""
        return cls(np.zeros(sensors), np.zeros(sensors), np.zeros(sensors))

    def strayed(self, value: Floats, model: Model, smoothing: float) -> tuple[Floats, Floats]:
        """Take in one standardised vector; return its forecast error and the average error beyond the baseline."""
        # products summed row by row: a matrix product may round differently from one build of the library to the next
        forecast = (model.transition * self.previous).sum(axis=1)
        error = value - forecast
        if np.isnan(error).any():
            error = self.baseline + filled(error - self.baseline, model.weights)
        self.previous = forecast + error
        self.average = self.average + smoothing * (error - self.average)
        return error, self.average - self.baseline


class SmoothedMahalanobis:
    """Learns how a group of sensors belongs together and tells, vector by vector, how far it is from that.

    >>> rng = np.random.default_rng(1)
    >>> common = rng.normal(size=(500, 1))
    >>> detector = SmoothedMahalanobis(Tuning())
    >>> detector.train(np.hstack([common, common]) + 0.1 * rng.normal(size=(500, 2)))
    >>> for _ in range(5):
    ...     score, limit, contributions = detector.step(np.array([1.0, 1.0]))
    >>> score > limit
    False
    >>> for _ in range(5):
    ...     score, limit, contributions = detector.step(np.array([1.0, -1.0]))
    >>> score > limit
    True
    """

    def __init__(self, tuning: Tuning) -> None:
        self.tuning = tuning
        self.model = Model(np.zeros(0), np.ones(0), np.zeros((0, 0)), np.zeros((0, 0)))
        self.limit = np.inf
        self.memory = Memory.fresh(0)

    def train(self, rows: Floats) -> None:
        """Learn from float64[n, d] in order of time, NaN where a value is missing; remember the last row."""
        self.limit = self.tuning.limit if self.tuning.limit is not None else cross_validated_limit(rows, self.tuning)
        self.model = fitted((rows,), self.tuning)
        self.restart()
        for row in rows:
            self.step(row)

    def restart(self) -> None:
        """Forget what was seen since training, as for another recording of the same plant."""
        self.memory = Memory.fresh(len(self.model.mean))

    def step(self, row: Floats) -> tuple[float, float, Floats]:
        """Judge one vector.

        Args:
            row: float64[d] in the sensors' units, NaN where there is no value.

        Returns:
            The distance, the limit that stands (lower during an alarm: the alarm is on while the distance exceeds it)
            and float64[d], what each sensor adds to the squared distance.
        """
        tuning, memory = self.tuning, self.memory
        value = self.model.standardised(row, tuning.clip)
        error, strayed = memory.strayed(value, self.model, tuning.smoothing)
        squared, contributions = distance(strayed, self.model.weights)
        limit = self.limit * (tuning.release if memory.alarm else 1.0)
        score = float(np.sqrt(squared))
        memory.alarm = score > limit
        held = memory.alarm & (contributions >= tuning.culprit * squared)
        memory.baseline = memory.baseline + np.where(held, 0.0, tuning.adaptation) * (error - memory.baseline)
        return score, limit, contributions


def distance(strayed: Floats, weights: Floats) -> tuple[float, Floats]:
    """T2 of float64[d] and the terms it is the sum of, one a sensor."""
    contributions = strayed * (weights * strayed).sum(axis=1)
    return max(float(contributions.sum()), 0.0), contributions


def filled(vector: Floats, weights: Floats) -> Floats:
    """Put for NaN in float64[d] what the other sensors suggest: the values that leave the distance smallest.

    So a missing sensor breaks no relation, and one that stays away explains nothing.
    """
    missing = np.isnan(vector)
    known = np.where(missing, 0.0, vector)
    pull = (weights[missing] * known).sum(axis=1)
    known[missing] = -np.linalg.solve(weights[np.ix_(missing, missing)], pull)
    return known


def fitted(parts: tuple[Floats, ...], tuning: Tuning) -> Model:
    """Learn a model from stretches (float64[n_i, d]) with gaps between them; a missing value counts as the mean."""
    mean, scale = _mean_and_scale(np.concatenate(parts))
    sensors = len(mean)
    model = Model(mean, scale, np.zeros((sensors, sensors)), np.eye(sensors))
    whole = [np.nan_to_num(model.standardised(part, tuning.clip)) for part in parts]
    if tuning.ridge is not None:
        model = replace(model, transition=_transition(whole, tuning.ridge))
    errors, strayed = zip(*(_followed(part, model, tuning) for part in whole), strict=True)
    covariance = _scatter(errors) * tuning.smoothing / (2 - tuning.smoothing) + _scatter(strayed)
    wander = [[part[lag:] - part[:-lag] for part in strayed if len(part) > lag] for lag in tuning.lags]
    measured = [_scatter(differences) for differences in wander if differences]
    if measured:
        covariance += sum(measured) / len(measured)
    spread = np.diag(covariance)
    covariance = (1 - tuning.shrinkage) * covariance + np.diag(tuning.shrinkage * spread + (spread <= 0))
    return replace(model, weights=np.linalg.inv(covariance))


def cross_validated_limit(rows: Floats, tuning: Tuning) -> float:
    """The distance that vectors of a block left out of training exceed as rarely as the tuning says.

    Measured on its own training vectors, a distance in many dimensions comes out far too small.
    """
    scores: list[float] = []
    for block in np.array_split(np.arange(len(rows)), tuning.folds):
        parts = tuple(part for part in (rows[: block[0]], rows[block[-1] + 1 :]) if len(part))
        model = fitted(parts, tuning)
        left_out = np.nan_to_num(model.standardised(rows[block], tuning.clip))
        _, strayed = _followed(left_out, model, tuning)
        scores += [distance(vector, model.weights)[0] for vector in strayed]
    return float(np.sqrt(np.quantile(scores, tuning.quantile)))


def _mean_and_scale(rows: Floats) -> tuple[Floats, Floats]:
    """float64[d] both; a sensor that never moved, or never spoke, gets an infinite scale and so never counts."""
    present = ~np.isnan(rows)
    count = np.maximum(present.sum(axis=0), 1)
    mean = np.where(present, rows, 0.0).sum(axis=0) / count
    scale = np.sqrt(np.where(present, (rows - mean) ** 2, 0.0).sum(axis=0) / count)
    return mean, np.where(scale > LEAST_SCALE * np.abs(mean), scale, np.inf)


def _transition(parts: list[Floats], ridge: float) -> Floats:
    """float64[d, d] that foretells a standardised vector from the one before, by ridge regression."""
    before = np.concatenate([part[:-1] for part in parts])
    after = np.concatenate([part[1:] for part in parts])
    damping = ridge * len(before) * np.eye(before.shape[1])
    solved: Floats = np.linalg.solve(before.T @ before + damping, before.T @ after)
    return np.ascontiguousarray(solved.T)


def _followed(part: Floats, model: Model, tuning: Tuning) -> tuple[Floats, Floats]:
    """Forecast errors and stray averages (float64[n - warm-up, d]) of a stretch without an alarm."""
    memory = Memory.fresh(part.shape[1])
    errors, strayed = np.empty_like(part), np.empty_like(part)
    for i, vector in enumerate(part):
        errors[i], strayed[i] = memory.strayed(vector, model, tuning.smoothing)
        memory.baseline = memory.baseline + tuning.adaptation * (errors[i] - memory.baseline)
    return errors[tuning.warm_up :], strayed[tuning.warm_up :]


def _scatter(parts: list[Floats] | tuple[Floats, ...]) -> Floats:
    """Mean outer product (float64[d, d]) of the rows of all stretches."""
    rows = np.concatenate(parts)
    product: Floats = rows.T @ rows
    return product / len(rows)
