"""Mahalanobis: a group of points that no longer belongs together, though each of them may be within its limits.

Parameters `train`: vectors of the lesson; `smoothing`: weight of the newest error in its average, 0 to 1, small finds
small faults, later; `ridge`: of the forecast, as a share of a member's variance, 0 = no forecast; `adaptation`: weight
of the newest error in the baseline, 0 = a stationary process; `clip`: standard deviations a value may count for at
most; `limit`: distance at which the score is 1, 0 = the `quantile` of the distances of vectors left out of training;
`release`: score at which the alarm ends that holds the baseline, as a rule the rule's `off`; `culprit`: share of the
squared distance from which a member counts as a cause of that alarm, and its baseline stands still; `shrink`: of the
covariance towards its diagonal, 0 to 1; `fresh_s`: a value older than this, s, is missing; `gap_s`: after a longer
pause, s, the memory begins anew: nothing is foretold and the average stands at the baseline.

Each vector is compared with what the last one foretold; the errors are averaged with exponentially falling weights
(MEWMA: Lowry, Woodall, Champ & Rigdon 1992), so that a small fault that stays adds up. The distance of that average
from the baseline is Hotelling's T2 over all directions, which holds both T2 and SPE of a principal component model
without having to choose the number of components. What it is measured with is not only the scatter of single readings:
plants wander. So the covariance adds how far the average really strayed in training and how far it strayed over a lag
(a multivariate variogram), shrunk towards its diagonal (Ledoit & Wolf 2004).

The forecast is a first-order vector autoregression (the dynamic PCA of Ku, Storer & Georgakis 1995 finds the same
relations from lagged variables), plus the baseline, which follows slow drift. A member's share of the squared distance
is its term in the sum (MacGregor & Kourti 1995). The finding names the member without which the distance would shrink
most (Alcala & Qin 2009), and tells the score.

>>> from detectors.examples import judge
>>> load = np.random.default_rng(1).normal(size=120)
>>> inlet, outlet = load + 0.05 * np.cos(np.arange(120.0)), load.copy()
>>> inlet[110:] += 0.6
>>> judge("mahalanobis", inlet, others=[outlet], on=1.0, off=0.85, train=100, smoothing=0.3, ridge=0.0, adaptation=0.0,
...       clip=np.inf, limit=0.0, quantile=0.99, release=0.85, culprit=0.2, shrink=0.05, fresh_s=5.0, gap_s=60.0)
['trips at 111 s: 1.153']
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.group import (
    Floats,
    Group,
    Lesson,
    Parts,
    blamed,
    filled,
    left_out_limit,
    ordered_sum,
    products,
    pulled,
    scatter,
    standardised,
    usual_of,
)
from detectors.rules import RuleTable

LAGS: Final = (50, 100)
"""Vectors over which the wander of the average is measured in training."""
LEAST_DISTANCE: Final = 1.0  # a limit below one standard deviation is an accident of the lesson
LEAST_VARIANCE: Final = 1e-6  # of an average, relative to a reading's


@dataclass(frozen=True, slots=True)
class Setting:
    """The parameters a model is made with."""

    train: float
    smoothing: float
    ridge: float
    adaptation: float
    clip: float
    quantile: float
    shrink: float


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """float64[d] mean and scale (inf = not judged), float64[d, d] transition and weights."""

    mean: Floats
    scale: Floats
    transition: Floats
    weights: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """A stretch without an alarm: float64[n, d] errors and averages beyond the baseline; float64[d] how it ended."""

    errors: Floats
    strayed: Floats
    average: Floats
    baseline: Floats


class Mahalanobis(Group):
    """Scores a vector by the distance of the smoothed forecast errors from their baseline."""

    settings = Setting.__match_args__

    def __init__(self, rules: RuleTable) -> None:
        super().__init__(rules)
        param = rules.param
        self._smoothing, self._adaptation = param["smoothing"][:, np.newaxis], param["adaptation"][:, np.newaxis]
        self._clip, self._culprit = param["clip"][:, np.newaxis], param["culprit"][:, np.newaxis]
        self._foretells, self._limit, self._release = param["ridge"] > 0, param["limit"], param["release"]
        rows, width = self.member.shape
        self._mean, self._scale = np.zeros((rows, width)), np.full((rows, width), np.inf)
        self._transition, self._weights = np.zeros((2, rows, width, width))
        self._learnt_limit, self._alarm = np.ones(rows), np.zeros(rows, bool)
        self._previous, self._average, self._baseline = np.zeros((3, rows, width))
        self.model = {
            "mean": self._mean,
            "scale": self._scale,
            "transition": self._transition,
            "weights": self._weights,
            "limit": self._learnt_limit,
            "alarm": self._alarm,
            "previous": self._previous,
            "average": self._average,
            "baseline": self._baseline,
        }

    def learn(self, row: int, at: NDArray[np.intp], lesson: Lesson) -> None:
        """Make the model of one rule, and the memory it would have had it judged the lesson."""
        setting = Setting(*self.setting[row, :-1].tolist())
        model = fitted(lesson.parts(), setting)
        self._mean[row, at], self._scale[row, at] = model.mean, model.scale
        self._transition[row][np.ix_(at, at)] = model.transition
        self._weights[row][np.ix_(at, at)] = model.weights
        self._learnt_limit[row] = learnt_limit(lesson, setting)
        newest = _whole(lesson.parts()[-1], model, setting)
        end = followed(newest, model, setting)
        self._previous[row, at], self._average[row, at], self._baseline[row, at] = newest[-1], end.average, end.baseline

    def tell(self, row: NDArray[np.intp], vector: Floats, begins: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """Distance over limit, and what each member has to do with it."""
        value = standardised(vector, self._mean[row], self._scale[row], self._clip[row])
        weights, baseline = self._weights[row], self._baseline[row]
        forecast = pulled(self._transition[row], self._previous[row])
        unknown = (begins & self._foretells[row])[:, np.newaxis]
        error = np.where(unknown, baseline, value - forecast)
        error = baseline + filled(error - baseline, weights)
        self._previous[row] = np.where(unknown, np.nan_to_num(value), forecast + error)
        average = np.where(begins[:, np.newaxis], baseline, self._average[row])
        average = self._average[row] = average + self._smoothing[row] * (error - average)
        strayed = average - baseline
        pull = pulled(weights, strayed)
        shares = strayed * pull
        squared = np.maximum(ordered_sum(shares), 0.0)
        score: Floats = np.sqrt(squared) / np.where(self._limit[row] > 0, self._limit[row], self._learnt_limit[row])
        alarm = self._alarm[row] = score > np.where(self._alarm[row] & ~begins, self._release[row], 1.0)
        held = alarm[:, np.newaxis] & (shares >= self._culprit[row] * squared[:, np.newaxis])
        self._baseline[row] = baseline + np.where(held, 0.0, self._adaptation[row]) * (error - baseline)
        return score, blamed(weights, pull)


def fitted(parts: Parts, setting: Setting, *, part: bool = False) -> Model:
    """Learn a model from stretches, or from `part` of a lesson; a missing value counts as the mean."""
    usual = usual_of(np.concatenate(parts), part=part)
    mean, scale, width = usual.mean, usual.scale, len(usual.mean)
    model = Model(mean, scale, np.zeros((width, width)), np.eye(width))
    whole = [_whole(part, model, setting) for part in parts]
    if setting.ridge > 0:
        model = Model(mean, scale, _transition(whole, setting.ridge), model.weights)
    past = [followed(part, model, setting) for part in whole]
    strayed = [one.strayed for one in past]
    covariance = scatter([one.errors for one in past]) * (setting.smoothing / (2 - setting.smoothing)) + scatter(
        strayed
    )
    wander = [[part[lag:] - part[:-lag] for part in strayed if len(part) > lag] for lag in LAGS]
    measured = [scatter(differences) for differences in wander if differences]
    if measured:
        covariance = covariance + sum(measured) / len(measured)
    spread = np.diag(covariance)
    assumed = np.where(usual.still, setting.smoothing / (2 - setting.smoothing), 0.0)
    kept = np.diag(assumed + np.maximum(setting.shrink * spread, LEAST_VARIANCE))
    weights = np.linalg.inv((1 - setting.shrink) * covariance + kept)
    return Model(mean, scale, model.transition, np.asarray(weights, np.float64))


def followed(part: Floats, model: Model, setting: Setting) -> Followed:
    """Errors and averages of a standardised stretch, but for its beginning: there the average is still short."""
    errors = part.copy()
    if setting.ridge > 0:
        errors[0] = 0.0
        errors[1:] -= products(model.transition, part[:-1])
    strayed = np.empty_like(part)
    average = baseline = np.zeros(part.shape[1])
    for i, error in enumerate(errors):
        average = average + setting.smoothing * (error - average)
        strayed[i] = average - baseline
        baseline = baseline + setting.adaptation * (error - baseline)
    settled = min(int(2 / setting.smoothing), len(part) // 2)
    return Followed(errors[settled:], strayed[settled:], average, baseline)


def learnt_limit(lesson: Lesson, setting: Setting) -> float:
    """The distance that vectors left out exceed rarely."""

    def distances(parts: Parts, model: Model) -> Floats:
        strayed = np.concatenate([followed(_whole(part, model, setting), model, setting).strayed for part in parts])
        return ordered_sum(strayed * products(model.weights, strayed))

    squared = left_out_limit(lesson, lambda parts: fitted(parts, setting, part=True), distances, setting.quantile)
    return max(float(np.sqrt(max(squared, 0.0))), LEAST_DISTANCE)


def _whole(part: Floats, model: Model, setting: Setting) -> Floats:
    return np.nan_to_num(standardised(part, model.mean, model.scale, setting.clip))


def _transition(parts: Parts, ridge: float) -> Floats:
    """float64[d, d] that foretells a standardised vector from the one before, by ridge regression."""
    before, after = np.concatenate([part[:-1] for part in parts]), np.concatenate([part[1:] for part in parts])
    width = before.shape[1]
    both = scatter([np.hstack((before, after))])
    solved = np.linalg.solve(both[:width, :width] + ridge * np.eye(width), both[:width, width:])
    return np.ascontiguousarray(solved.T, np.float64)
