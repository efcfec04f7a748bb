"""T² and SPE: a principal component model of a group of points, and the two ways of leaving it.

Parameters `train`: vectors of the lesson; `share`: of the variance the components must keep, 0 to 1 (one direction is
always left for the residual); `quantile`: of the statistics of vectors left out of training, taken as limit;
`smoothing`: weight of the newest statistic in its average, 1 = no average; `fresh_s`: a value older than this, s, is
missing. The lesson gives every member's mean and standard deviation and, from their correlations, the components. The
score is the statistic over its limit: 1 is as far off as a `quantile` of normal vectors never is.

A missing value is what the others suggest by the model (conditional mean: Nelson, Taylor & MacGregor 1996). Limits by
formula (Jackson & Mudholkar 1979) hold for independent normal readings; a plant's are neither, so the limit is measured
on blocks left out of training. The finding names the member with the largest term in the newest statistic (MacGregor &
Kourti 1995; Miller, Swanson & Heckler 1998), and tells the score. For slow and small faults see `mahalanobis`.

>>> from detectors.examples import evaluate
>>> load = np.random.default_rng(1).normal(size=120)
>>> inlet, outlet = load + 0.05 * np.cos(np.arange(120.0)), load.copy()
>>> inlet[110:] += 0.6
>>> param = {"train": 100.0, "share": 0.9, "quantile": 0.99, "smoothing": 1.0, "fresh_s": 5.0}
>>> evaluate("spe", inlet, others=[outlet], on=2.0, **param), evaluate("t2", inlet, others=[outlet], on=2.0, **param)
(['trips at 110 s: 98.16'], [])
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.group import Group, filled, ordered_sum, products, pulled, standardised
from detectors.lesson import Floats, Lesson, Parts, left_out, scatter, usual_of
from detectors.rules import RuleTable

LEAST: Final = 1e-6  # of a limit and of a variance: what is less is rounding


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Float64[d] mean and scale (inf = not judged), float64[d, d] what T2 and SPE are made with.

    Attributes:
        inverse: of the covariance within the components.
        residual: takes a vector to what the components leave of it.
        precision: inverse of the whole covariance by the model, the residual being the same in all directions.
    """

    mean: Floats
    scale: Floats
    inverse: Floats
    residual: Floats
    precision: Floats


class _Components(Group):
    """What T2 and SPE share."""

    settings = ("train", "share", "quantile", "smoothing")

    def __init__(self, rules: RuleTable) -> None:
        super().__init__(rules)
        self._smoothing = rules.param["smoothing"]
        rows, width = self.member.shape
        self._mean, self._scale = np.zeros((rows, width)), np.full((rows, width), np.inf)
        self._form, self._precision = np.zeros((2, rows, width, width))
        self._limit, self._average = np.ones(rows), np.zeros(rows)
        self.model = {
            "mean": self._mean,
            "scale": self._scale,
            "form": self._form,
            "precision": self._precision,
            "limit": self._limit,
            "average": self._average,
        }

    @staticmethod
    @abstractmethod
    def form(model: Model) -> Floats:
        """The matrix (float64[d, d]) the statistic is made with."""

    @staticmethod
    @abstractmethod
    def terms(value: Floats, pull: Floats) -> Floats:
        """The terms of the statistic, of standardised vectors and of these times the matrix (float64[m, d] all)."""

    def learn(self, row: int, at: NDArray[np.intp], lesson: Lesson) -> None:
        """Make the model of one rule."""
        _, share, quantile, smoothing, _ = self.setting[row].tolist()

        def averages(parts: Parts, model: Model) -> Floats:
            return np.concatenate([self._averages(part, model, smoothing) for part in parts])

        model = components(lesson.parts(), share)
        self._mean[row, at], self._scale[row, at] = model.mean, model.scale
        self._form[row][np.ix_(at, at)], self._precision[row][np.ix_(at, at)] = self.form(model), model.precision
        found = left_out(lesson, lambda parts: components(parts, share, part=True), averages)
        self._limit[row] = max(float(np.quantile(found, quantile)), LEAST)
        self._average[row] = self._averages(lesson.parts()[-1], model, smoothing)[-1]

    def score_vectors(self, row: NDArray[np.intp], vector: Floats, begins: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """Averaged statistic over limit, and each member's term in the newest statistic."""
        value = filled(standardised(vector, self._mean[row], self._scale[row]), self._precision[row])
        terms = self.terms(value, pulled(self._form[row], value))
        statistic = ordered_sum(terms)
        average = np.where(begins, statistic, self._average[row])
        average = self._average[row] = average + self._smoothing[row] * (statistic - average)
        return average / self._limit[row], terms

    def _averages(self, part: Floats, model: Model, smoothing: float) -> Floats:
        """float64[n], the averaged statistic along a stretch."""
        value = np.nan_to_num(standardised(part, model.mean, model.scale))
        found = ordered_sum(self.terms(value, products(self.form(model), value)))
        for i in range(1, len(found)):
            found[i] = found[i - 1] + smoothing * (found[i] - found[i - 1])
        return found


class T2(_Components):
    """`t2`: Hotelling's T², how far from the usual the common movement is."""

    @staticmethod
    def form(model: Model) -> Floats:
        """Inverse covariance within the components."""
        return model.inverse

    @staticmethod
    def terms(value: Floats, pull: Floats) -> Floats:
        """Terms of the quadratic form; single ones may be negative."""
        return value * pull


class Spe(_Components):
    """`spe`: the squared prediction error (Q), how far the members have parted from their common movement."""

    @staticmethod
    def form(model: Model) -> Floats:
        """To the residual."""
        return model.residual

    @staticmethod
    def terms(value: Floats, pull: Floats) -> Floats:  # noqa: ARG004  the residual alone counts
        """Squared residuals."""
        return pull * pull


def components(parts: Parts, share: float, *, part: bool = False) -> Model:
    """The model of these stretches, or of `part` of a lesson; a missing value counts as the mean.

    A member that stood still belongs to no common movement; T2 and SPE both see it leave.
    """
    rows = np.concatenate(parts)
    usual = usual_of(rows, part=part)
    mean, scale = usual.mean, usual.scale
    variances, directions = np.linalg.eigh(scatter([np.nan_to_num(standardised(rows, mean, scale))]))
    variances, directions = np.maximum(variances[::-1], 0.0), directions[:, ::-1]
    real = int(np.count_nonzero(variances > LEAST))
    enough = int(np.searchsorted(np.cumsum(variances), share * variances.sum())) + 1
    many = min(enough, max(real - 1, 1), real)
    kept = directions[:, :many]
    residual = np.eye(len(mean)) - kept @ kept.T
    inverse = (kept / variances[:many]) @ kept.T + np.diag(usual.still.astype(np.float64))
    left = max(float(variances[many:].sum()) / max(len(mean) - many, 1), LEAST)
    return Model(mean, scale, inverse, residual, inverse + residual / left)
