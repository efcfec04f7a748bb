"""Mahalanobis: a group of points that no longer belongs together, though each of them may be within its limits.

Parameters `train`: vectors of the lesson; `smoothing`: weight of the newest error in its average, 0 to 1, small finds
small faults, later; `ridge`: of the forecast, as a share of a member's variance, 0 = no forecast; `adaptation`: weight
of the newest error in the baseline, 0 = a stationary process; `clip`: standard deviations a value may count for at
most; `limit`: distance at which the score is 1, 0 = learnt; `quantile`: share of the vectors left out of training at
which neither distance nor spread is beyond a limit that is learnt; `release`: score at which the alarm ends that holds
the baseline, as a rule the rule's `off`; `culprit`: share of the squared distance from which a member counts as a cause
of that alarm, and its baseline stands still; `shrink`: of the covariance towards its diagonal, 0 to 1; `fresh_s`: a
value older than this, s, is missing; `gap_s`: after a longer pause, s, the memory begins anew: nothing is foretold, the
average stands at the baseline, and the spread is not judged for 2 / `smoothing` vectors.

Two things are judged, how far the group has strayed and how much it trembles; the score is the larger of the two. Each
vector is compared with what the last one foretold; the errors are averaged with exponentially falling weights
(MEWMA: Lowry, Woodall, Champ & Rigdon 1992), so that a small fault that stays adds up. The distance of that average
from the baseline is Hotelling's T2 over all directions, which holds both T2 and SPE of a principal component model
without having to choose the number of components. What it is measured with is not only the scatter of single readings:
plants wander. So the covariance adds how far the average really strayed in training and how far it strayed over a lag
(a multivariate variogram), shrunk towards its diagonal (Ledoit & Wolf 2004).

A sticking valve makes its loop hunt and leaves all averages where they were. So the spread of the errors about their
running average is judged too, by an average of squares (`detectors.spread`: MEWMV of Huwang, Yeh & Wu 2007), with a
limit of its own: of what `quantile` allows, distance and spread have one half each. Several vectors must say so, one
wild value is no spread. But a jump to another level is, until the average has followed: where operating points jump,
the lesson has to hold such jumps, or the rule an on-delay of 2 / `smoothing` vectors. Slow hunting, over more than that
many vectors, is followed by the average and seen as distance, if at all; nor is less spread than usual a finding: see
`noise` and `stuck`. Where `limit` is set by hand, the spread is not judged, as nothing is learnt then that bounds it.

A lesson holds few averages that do not overlap, so the limits are at least what these foretell of the next one.

The forecast is a first-order vector autoregression (the dynamic PCA of Ku, Storer & Georgakis 1995 finds the same
relations from lagged variables), plus the baseline, which follows slow drift by at most 2 standard deviations of the
lesson: what strays further is found, however slowly it comes. A member's share of the squared distance
is its term in the sum (MacGregor & Kourti 1995). The finding names the member without which the distance would shrink
most (Alcala & Qin 2009), and tells the score.

An alarm of the distance ends, unless `adaptation` is 0, once the process has kept still at its new level for three
quarters of a lesson: it is then judged about that level, and the rule reports an operating point that no lesson held
until the process is back (`detectors.operating_point`). A rule in whose `train` vectors all operating points occur
knows them; where a plant has phases, a rule for each, gated by it, learns each by itself.

A lesson in which a member drifted may not be what is usual. Its limits are wider (`WIDER_DISTANCE`, `WIDER_SPREAD`),
and where the process has been away from it, in alarm, for as many vectors as it had, the alarm ends and the rule learns
anew where the process is. It does not judge meanwhile, and reports that it learns at an operating point that no lesson
held; then it judges there, and reports that nobody has accepted that point.

>>> from detectors.examples import evaluate
>>> load = np.random.default_rng(1).normal(size=120)
>>> inlet, outlet = load + 0.05 * np.cos(np.arange(120.0)), load.copy()
>>> inlet[110:] += 0.6
>>> evaluate("mahalanobis", inlet, others=[outlet], on=1.0, off=0.85, train=100, smoothing=0.3, ridge=0.0,
...          adaptation=0.0, clip=np.inf, limit=0.0, quantile=0.99, release=0.85, culprit=0.2, shrink=0.05,
...          fresh_s=5.0, gap_s=60.0)
['trips at 112 s: 1.219']
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.detector import Reason
from detectors.group import Group, blamed, filled, ordered_sum, products, pulled, standardised
from detectors.lesson import Floats, Lesson, Parts, left_out, scatter, usual_of
from detectors.operating_point import OperatingPoints
from detectors.rules import RuleTable
from detectors.spread import Scatter, Spread, averaged, energies, excess_limit, foretold, scatter_of, settling

LAGS: Final = (50, 100)
"""Vectors over which the wander of the average is measured in training."""
LEAST_DISTANCE: Final = 1.0  # a limit below one standard deviation is an accident of the lesson
LEAST_VARIANCE: Final = 1e-6  # of an average, relative to a reading's
MOST_DRIFT: Final = 2.0
"""Standard deviations of the lesson by which a baseline follows drift. Beyond it, drift is a finding, however slow."""
WIDER_DISTANCE: Final = 1.2
"""How many times as far as in a settled lesson the limit of the distance lies where the lesson drifted."""
WIDER_SPREAD: Final = 3.0
"""The same for the excess of spread, where the lesson was short, too."""
FEW_AVERAGES: Final = 50
"""A lesson of fewer averages that do not overlap is short: how far they stray says little of how far they may."""
USUAL: Final[Mapping[str, float]] = {
    "smoothing": 0.1,
    "ridge": 0.01,
    "adaptation": 0.002,
    "clip": 10.0,
    "limit": 0.0,
    "quantile": 0.99,
    "release": 0.7,
    "culprit": 0.2,
    "shrink": 0.05,
}
"""The usual setting, one for all processes; lesson and times are the process's own."""


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
    """float64[d] mean and scale (inf = not judged), float64[d, d] transition and weights; how deviations scatter."""

    mean: Floats
    scale: Floats
    transition: Floats
    weights: Floats
    spread: Scatter


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """A stretch without an alarm, and float64[d] how it ended.

    Attributes:
        errors: float64[n, d].
        strayed: float64[n, d], averages beyond the baseline.
        deviations: float64[n, d], errors from the average before.
    """

    errors: Floats
    strayed: Floats
    deviations: Floats
    average: Floats
    baseline: Floats


class Mahalanobis(Group):
    """Scores a vector by the distance of the smoothed forecast errors from their baseline, or by their spread."""

    settings = Setting.__match_args__

    def __init__(self, rules: RuleTable) -> None:
        super().__init__(rules)
        param = rules.param
        self._smoothing, self._adaptation = param["smoothing"][:, np.newaxis], param["adaptation"][:, np.newaxis]
        self._clip, self._culprit = param["clip"][:, np.newaxis], param["culprit"][:, np.newaxis]
        self._foretells, self._limit, self._release = param["ridge"] > 0, param["limit"], param["release"]
        self._drifts = bool(param["adaptation"].any())
        rows, width = self.member.shape
        self._mean, self._scale = np.zeros((rows, width)), np.full((rows, width), np.inf)
        self._transition = np.zeros((rows, width, width)).swapaxes(1, 2)  # so that `pulled` takes it as it lies
        self._weights = np.zeros((rows, 2, width, width))  # of the distance, of the spread
        self._learnt_limit, self._alarm = np.ones(rows), np.zeros(rows, bool)
        self._previous, self._average, self._baseline = np.zeros((3, rows, width))
        self._spread = Spread(param["smoothing"], rules.on)
        self._points = OperatingPoints(
            self._train, self._smoothing, self._clip, width, foretell=self._forecast, reach=self._reach
        )
        self.model = {
            "mean": self._mean,
            "scale": self._scale,
            "transition": self._transition,
            "weights": self._weights[:, 0],
            "spread_weights": self._weights[:, 1],
            "limit": self._learnt_limit,
            "alarm": self._alarm,
            "previous": self._previous,
            "average": self._average,
            "baseline": self._baseline,
            **self._spread.arrays(),
            **self._points.arrays(),
        }

    def learn(self, row: int, at: NDArray[np.intp], lesson: Lesson) -> None:
        """Make the model of one rule, and the memory it would have had it judged the lesson."""
        setting = Setting(*self.setting[row, :-1].tolist())
        model = fitted(lesson.parts(), setting)
        self._mean[row, at], self._scale[row, at] = model.mean, model.scale
        self._transition[row][np.ix_(at, at)] = model.transition
        self._weights[row, 0][np.ix_(at, at)] = model.weights
        self._weights[row, 1][np.ix_(at, at)] = model.spread.weights
        limit, excess = learnt_limits(lesson, model, setting)
        if self.unsettled[row]:
            short = len(lesson.rows) * setting.smoothing / (2 - setting.smoothing) < FEW_AVERAGES
            limit, excess = WIDER_DISTANCE * limit, (WIDER_SPREAD if short else 1.0) * excess
        self._learnt_limit[row] = limit
        newest = _whole(lesson.parts()[-1], model, setting)
        end = followed(newest, model.transition, setting)
        self._previous[row, at], self._average[row, at], self._baseline[row, at] = newest[-1], end.average, end.baseline
        spread = averaged(energies(end.deviations, model.spread), setting.smoothing)[-1]
        self._spread.learn(row, model.spread.usual, excess, spread, len(newest))
        self._points.forget(row)

    def score_vectors(self, row: NDArray[np.intp], vector: Floats, begins: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """Distance or spread over its limit, whichever is more, and what each member has to do with it."""
        if begins.any():
            self._points.begin(row[begins], self._baseline)
        value = self._about_level(row, vector)
        weights, baseline = self._weights[row], self._baseline[row]
        forecast, unknown = self._forecast(row, self._previous[row]), begins & self._foretells[row]
        error = np.where(unknown[:, np.newaxis], baseline, value - forecast)
        before = np.where(begins[:, np.newaxis], baseline, self._average[row])
        deviation = error - before
        missing = np.isnan(error)
        if missing.any():  # the others are left as they are: no last bit depends on what comes with them
            error = np.where(missing, baseline + filled(error - baseline, weights[:, 0]), error)
            deviation = filled(deviation, weights[:, 1])
        self._previous[row] = forecast + error
        if unknown.any():
            self._previous[row[unknown]] = np.nan_to_num(value[unknown])
        average = self._average[row] = before + self._smoothing[row] * (error - before)
        both = np.stack((average - baseline, deviation), axis=1)
        pull = pulled(weights, both)
        shares = both * pull
        squared = np.maximum(ordered_sum(shares), 0.0)
        chosen = self._limit[row]
        distance = np.sqrt(squared[:, 0]) / self._limit_of(row)
        left = np.empty(0, np.intp)
        if self._drifts:
            away = self._points.away(row)
            if len(away):
                homeward, apart = self._points.from_home(row[away], self._whole(row[away], vector[away]))
                distance[away] = np.minimum(distance[away], apart)
            stood, release = self._alarm[row], self._release[row]
            alarm = self._alarm[row] = distance > np.where(stood & ~begins, release, 1.0)
            held = alarm[:, np.newaxis] & (shares[:, 0] >= self._culprit[row] * squared[:, :1])
            self._baseline[row] = leashed(baseline + np.where(held, 0.0, self._adaptation[row]) * (error - baseline))
            if len(away):
                back = apart <= np.minimum(distance, release)[away]
                self._points.begin(row[away[back]], self._baseline)
                self._continue(row[away[back]], vector[away[back]], homeward[back])
            if alarm.any() or stood.any():
                left = self._settle(row, vector, alarm)
        spread = np.where(chosen > 0, 0.0, self._spread.score(row, squared[:, 1], begins))  # by hand: none is learnt
        gains = blamed(weights, pull)
        distance[left] = spread[left] = 0.0
        return np.maximum(distance, spread), np.where((spread > distance)[:, np.newaxis], gains[:, 1], gains[:, 0])

    def caveat(self) -> NDArray[np.int8]:
        """int8[r], the `Reason` that speaks from a lesson, or that the process is not where it was then; 0 = none."""
        there = self._points.unknown & self._trained
        return np.where(there, np.int8(Reason.OPERATING_POINT_UNKNOWN), super().caveat())

    def _forecast(self, row: NDArray[np.intp], value: Floats) -> Floats:
        """What values (float64[m, width]) of rules foretell of the next ones."""
        if not self._foretells[row].any():
            return np.zeros_like(value)
        return pulled(self._transition.swapaxes(1, 2)[row], value)

    def _settle(self, row: NDArray[np.intp], vector: Floats, alarm: NDArray[np.bool_]) -> NDArray[np.intp]:
        """Centre the rules where they stand whose processes have kept still in alarm for long enough.

        Returns:
            Places of the rules (intp[k]) that learn anew: a lesson that drifted was left for as long as it lasted.
        """
        drifts = alarm & (self._adaptation[row, 0] > 0)
        whole = self._whole(row, vector)
        settled = self._points.follow(row, drifts, whole, self._average[row], self._baseline[row])
        rules = row[settled]
        self._baseline[rules], self._alarm[rules] = 0.0, False
        self._continue(rules, vector[settled], np.zeros((len(settled), vector.shape[1])))
        left = np.flatnonzero(self.unsettled[row] & (self._points.stood[row] >= self._train[row]))
        self._alarm[row[left]] = False
        self._learn_anew(row[left])
        return left

    def _whole(self, row: NDArray[np.intp], vector: Floats) -> Floats:
        """Standardised, whatever a value may count for."""
        return standardised(vector, self._mean[row], self._scale[row])

    def _about_level(self, row: NDArray[np.intp], vector: Floats) -> Floats:
        """Standardised, about the level at which rules stand; how much a value may count for is bounded."""
        most = self._clip[row]
        if not self._points.unknown.any():
            return standardised(vector, self._mean[row], self._scale[row], most)
        return np.clip(self._whole(row, vector) - self._points.centre[row], -most, most)

    def _limit_of(self, row: NDArray[np.intp]) -> Floats:
        return np.where(self._limit[row] > 0, self._limit[row], self._learnt_limit[row])

    def _reach(self, row: NDArray[np.intp], errors: Floats) -> Floats:
        """The distance of errors (float64[m, width]) of rules from 0, over its limit."""
        squared = ordered_sum(errors * pulled(self._weights[row, 0], errors))
        return np.asarray(np.sqrt(np.maximum(squared, 0.0)) / self._limit_of(row))

    def _continue(self, row: NDArray[np.intp], vector: Floats, average: Floats) -> None:
        """Go on at the level at which rules stand now, with this average of errors."""
        if len(row):
            self._previous[row] = np.nan_to_num(self._about_level(row, vector))
            self._average[row] = average


def fitted(parts: Parts, setting: Setting, *, part: bool = False) -> Model:
    """Learn a model from stretches, or from `part` of a lesson; a missing value counts as the mean."""
    usual = usual_of(np.concatenate(parts), part=part)
    mean, scale, width = usual.mean, usual.scale, len(usual.mean)
    whole = [np.nan_to_num(standardised(part, mean, scale, setting.clip)) for part in parts]
    transition = _transition(whole, setting.ridge) if setting.ridge > 0 else np.zeros((width, width))
    past = [followed(part, transition, setting) for part in whole]
    strayed = [path.strayed for path in past]
    covariance = scatter([path.errors for path in past]) * (setting.smoothing / (2 - setting.smoothing)) + scatter(
        strayed
    )
    wander = [[part[lag:] - part[:-lag] for part in strayed if len(part) > lag] for lag in LAGS]
    measured = [scatter(differences) for differences in wander if differences]
    if measured:
        covariance = covariance + sum(measured) / len(measured)
    spread = np.diag(covariance)
    assumed = np.where(usual.still, setting.smoothing / (2 - setting.smoothing), 0.0)
    inexact = usual.inexact**2
    kept = np.diag(assumed + inexact + np.maximum(setting.shrink * spread, LEAST_VARIANCE))
    weights = np.linalg.inv((1 - setting.shrink) * covariance + kept)
    assumed = np.where(usual.still, 1.0, 0.0) + inexact
    deviations = scatter_of([path.deviations for path in past], assumed, setting.shrink, LEAST_VARIANCE)
    return Model(mean, scale, transition, np.asarray(weights, np.float64), deviations)


def leashed(baseline: Floats) -> Floats:
    """A baseline, as far from where it was learnt as drift may take it."""
    return np.clip(baseline, -MOST_DRIFT, MOST_DRIFT)


def followed(part: Floats, transition: Floats, setting: Setting) -> Followed:
    """Errors, averages and deviations of a standardised stretch, but for its beginning: there the average is short."""
    errors = part.copy()
    if setting.ridge > 0:
        errors[0] = 0.0
        errors[1:] -= products(transition, part[:-1])
    strayed, deviations = np.empty_like(part), np.empty_like(part)
    average = baseline = np.zeros(part.shape[1])
    for i, error in enumerate(errors):
        deviations[i] = error - average
        average = average + setting.smoothing * deviations[i]
        strayed[i] = average - baseline
        baseline = leashed(baseline + setting.adaptation * (error - baseline))
    settled = min(int(settling(setting.smoothing)), len(part) // 2)
    return Followed(errors[settled:], strayed[settled:], deviations[settled:], average, baseline)


def learnt_limits(lesson: Lesson, model: Model, setting: Setting) -> tuple[float, float]:
    """The distance and the excess of spread that vectors left out exceed rarely: each as half of `quantile` allows.

    `model` is that of the whole lesson.
    """

    def measured(parts: Parts, rest: Model) -> Floats:
        past = [followed(_whole(part, rest, setting), rest.transition, setting) for part in parts]
        strayed = np.concatenate([path.strayed for path in past])
        squared = ordered_sum(strayed * products(rest.weights, strayed))
        spread = [averaged(energies(path.deviations, rest.spread), setting.smoothing) for path in past]
        return np.column_stack((np.sqrt(np.maximum(squared, 0.0)), np.concatenate(spread)))

    def fit(parts: Parts) -> Model:
        return fitted(parts, setting, part=True)

    found = left_out(lesson, fit, measured)
    each = 1 - (1 - setting.quantile) / 2
    ahead = math.sqrt(foretold(found[:, 0] ** 2, each, setting.smoothing))
    distance = max(float(np.quantile(found[:, 0], each)), ahead, LEAST_DISTANCE)
    return distance, excess_limit(found[:, 1], each, setting.smoothing, model.spread.usual)


def _whole(part: Floats, model: Model, setting: Setting) -> Floats:
    return np.nan_to_num(standardised(part, model.mean, model.scale, setting.clip))


def _transition(parts: Parts, ridge: float) -> Floats:
    """float64[d, d] that foretells a standardised vector from the one before, by ridge regression."""
    before, after = np.concatenate([part[:-1] for part in parts]), np.concatenate([part[1:] for part in parts])
    width = before.shape[1]
    both = scatter([np.hstack((before, after))])
    solved = np.linalg.solve(both[:width, :width] + ridge * np.eye(width), both[:width, width:])
    return np.ascontiguousarray(solved.T, np.float64)
