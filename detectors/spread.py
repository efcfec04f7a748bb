"""Detects vectors of a group that scatter more about their running average than in training.

A valve that sticks makes its loop hunt: every mean stays where it was, and the scatter grows. A chart of averages
cannot see that, so one of the spread stands beside it, as Shewhart's R chart stands beside his chart of means. Here it
is that of Huwang, Yeh & Wu ("Monitoring multivariate process variability for individual observations", J. Quality
Technology 39, 2007): each deviation of a vector from the average of those before it is measured by the inverse
covariance such deviations had in the lesson, and the squares are averaged with exponentially falling weights.

The measure is 1 on average in the lesson, whatever the size of the group. A member that is missing adds nothing to the
square, which is then the less: what is not known is no spread. One vector alone, however wild, takes the average at
most half the way to where the rule trips: spread is what several say. At the beginning of a stretch the running average
has not yet found the level of the process, so for 2 / `smoothing` vectors nothing is judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.group import ordered_sum, products
from detectors.lesson import LEAST_SCALE, Floats, Parts, scatter
from detectors.trip import Arrays

MOST_ALONE: Final = 0.5
"""Of the way to where a rule trips: how far one vector alone takes an average that is as usual."""


@dataclass(frozen=True, slots=True, eq=False)
class Scatter:
    """How deviations usually scatter: float64[d, d] weights that measure them, and what they measure on average."""

    weights: Floats
    usual: float


def scatter_of(parts: Parts, assumed: Floats, shrink: float, least: float) -> Scatter:
    """Learn from deviations; beside what they scatter, members are `assumed` (float64[d]) to have these variances."""
    covariance = scatter(parts)
    spread = np.diag(covariance)
    kept = np.diag(assumed + np.maximum(shrink * spread, least))
    weights = np.asarray(np.linalg.inv((1 - shrink) * covariance + kept), np.float64)
    return Scatter(weights, max(float((weights * covariance).sum()), LEAST_SCALE))


def energies(deviations: Floats, known: Scatter) -> Floats:
    """float64[n], the squares of deviations (float64[n, d]) of which no member is missing; 1 = as usual."""
    return np.maximum(ordered_sum(deviations * products(known.weights, deviations)), 0.0) / known.usual


def averaged(energy: Floats, smoothing: float) -> Floats:
    """float64[n], the running average along a stretch, which begins at the mean of it."""
    average = energy.copy()
    newest = float(energy.mean())
    for i, each in enumerate(energy.tolist()):
        newest += smoothing * (each - newest)
        average[i] = newest
    return average


def excess_limit(averages: Floats, quantile: float, smoothing: float, members: float) -> float:
    """The excess over 1 that averages (float64[n]) of vectors left out of training exceed as rarely as asked.

    At least the standard deviation an average of so many `members` has in white noise.
    """
    least = np.sqrt(2 / max(members, 1.0) * smoothing / (2 - smoothing))
    return float(max(np.quantile(averages, quantile) - 1, foretold(averages, quantile, smoothing) - 1, least))


def foretold(squares: Floats, quantile: float, smoothing: float) -> float:
    """The limit that the next one of such averaged squares (float64[n]) exceeds as rarely as asked.

    A lesson holds few averages that do not overlap, so what was seen is not all that can come. Their cube root is all
    but Gaussian (Wilson & Hilferty, Proc. Nat. Acad. Sci. 17, 1931), and Student's t tells how little few of them know.
    """
    alone = max(len(squares) * smoothing / (2 - smoothing), 3.0)  # as many as if each stood for itself
    root = np.cbrt(squares)
    reach = student(quantile, alone - 1) * np.sqrt(1 + 1 / alone)
    return float((root.mean() + root.std() * reach) ** 3)


def student(quantile: float, freedom: float) -> float:
    """The quantile of Student's t, by Fisher & Cornish, Technometrics 2, 1960.

    >>> round(student(0.99, 20), 2), round(student(0.995, 10), 2)
    (2.53, 3.16)
    """
    z = NormalDist().inv_cdf(quantile)
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)


def settling(smoothing: Floats | float) -> NDArray[np.int64]:
    """int64, after how many vectors a running average has found the level of the process."""
    return (2 / np.asarray(smoothing)).astype(np.int64)


class Spread:
    """The averages of all rules of a kind, and what they are compared with."""

    def __init__(self, smoothing: Floats, on: Floats) -> None:
        """Start without a model, so that no rule scores until it has learnt.

        Args:
            smoothing: float64[r], weight of the newest square in the average.
            on: float64[r], the score at which the rule trips.
        """
        rows = len(smoothing)
        self._smoothing, self._settling = smoothing, settling(smoothing)
        self._most = MOST_ALONE * np.maximum(on, 1.0) ** 2 / smoothing  # excess one vector counts for, in limits
        self._usual, self._limit = np.ones(rows), np.full(rows, np.inf)  # limit of the excess over 1
        self._average = np.ones(rows)
        self._wait = np.zeros(rows, np.int64)  # vectors until the next is judged

    def learn(self, row: int, usual: float, limit: float, average: float, vectors: int) -> None:
        """Take what a rule's squares are on average, the excess at which its score is 1, and how the lesson ended.

        That is the average, of a stretch of so many `vectors`.
        """
        self._usual[row], self._limit[row], self._average[row] = usual, limit, average
        self._wait[row] = max(int(self._settling[row]) + 1 - vectors, 0)

    def score(self, row: NDArray[np.intp], square: Floats, begins: NDArray[np.bool_]) -> Floats:
        """Score one square (float64[m]) each of different rules; `begins` (bool[m]): it is the first of a stretch.

        Returns:
            The root of the excess over its limit, float64[m]: as a distance is of a square.
        """
        smoothing, limit = self._smoothing[row], self._limit[row]
        wait = self._wait[row] = np.where(begins, self._settling[row], np.maximum(self._wait[row] - 1, 0))
        energy = np.where(wait > 0, 1.0, np.minimum(square / self._usual[row], 1 + self._most[row] * limit))
        average = np.where(begins, 1.0, self._average[row])
        average = self._average[row] = average + smoothing * (energy - average)
        score: Floats = np.sqrt(np.maximum(average - 1, 0.0) / limit)
        return score

    def arrays(self) -> Arrays:
        """What was learnt and what is remembered."""
        learnt = {"spread_usual": self._usual, "spread_limit": self._limit}
        return {**learnt, "spread": self._average, "spread_wait": self._wait}
