"""Learns the normal value at each place of a cycle: a mean and a variance per bin, visit by visit."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.running import Index, RunningMoments, Walk, among
from detectors.runs import Runs
from detectors.trip import Arrays, joined

_MEMORY: Final = 14
"""Visits a bin remembers: older ones fade by 1/14 with each."""
_NOWHERE: Final = -1


class Season:
    """Scores readings against the bin their cycle is in, and teaches the bins what is normal there.

    A visit is a stay in one bin. When it ends, the bin's mean and variance move towards those of the visit's readings,
    with the weight 1/n at the n-th visit and 1/14 from the 14th on; the variance is that between visits plus that
    within them. A reading whose score is at or above `on` does not teach, and a visit most of whose readings were so
    teaches nothing at all.

    The score is |x - mean| / max(sd, floor). The variance is pooled over the bin and its two neighbours, by their
    visits, and widened by (n + 1) / (n - 1), as for the prediction of one more value from n.
    """

    def __init__(
        self,
        on: NDArray[np.float64],
        least: NDArray[np.float64],
        floor: NDArray[np.float64],
        bins: int,
        *,
        round_: bool,
    ) -> None:
        """Bins of each rule; `round_` says whether the last one is the neighbour of the first."""
        rows = len(on)
        self.bins = bins
        self._on, self._least, self._floor = on, np.maximum(least, 1), floor
        around = np.arange(-1, bins + 1)
        around = around % bins if round_ else np.clip(around, 0, bins - 1)
        self._before, self._after = around[:-2], around[2:]
        self._begin = np.arange(rows) * bins
        self._walk = Walk(rows)
        self._visits = np.zeros((rows, bins), np.uint8)  # of each bin; stays at 255
        self._mean, self._variance = np.zeros((rows, bins)), np.zeros((rows, bins))
        self._place = np.full(rows, _NOWHERE)  # of the visit under way
        self._visit = RunningMoments(rows)
        self._refused = np.zeros(rows)

    def score(self, runs: Runs, usable: NDArray[np.bool_], place: NDArray[np.int64]) -> NDArray[np.float64]:
        """Standard deviations from the normal value here, float64[k]; NaN where that is unknown.

        Args:
            runs: the batch.
            usable: bool[k], pairs that count.
            place: int64[k], where each pair is: bin `place % bins`, negative = outside the cycle, which ends a visit.
                A visit lasts while this stays the same; falling back by one does not end it, for a place may jitter.
        """
        return self._walk.score(runs, usable, self._step, place, runs.value)

    def ripe(self, place: NDArray[np.int64]) -> NDArray[np.bool_]:
        """bool[r], rules whose bin at that place (int64[r]) has had enough visits."""
        return np.asarray(self._visits.ravel()[self._begin + place % self.bins] >= self._least, bool)

    def any_ripe(self) -> NDArray[np.bool_]:
        """bool[r], rules one of whose bins has had enough visits."""
        return np.asarray((self._visits >= self._least[:, None]).any(axis=1), bool)

    def arrays(self) -> Arrays:
        """The bins and the visit under way of each rule."""
        bins: Arrays = {"visits": self._visits, "bin_mean": self._mean, "bin_variance": self._variance}
        return joined(bins, {"place": self._place, "refused": self._refused}, self._visit.arrays())

    def _step(self, at: Index, place: NDArray[np.int64], value: NDArray[np.float64]) -> NDArray[np.float64]:
        """One reading each of different rules."""
        inside = place >= 0
        leaves = (place != self._place[at]) & ~(inside & (place == self._place[at] - 1))
        if leaves.any():
            self._end_visits(among(at, leaves), place[leaves])
        score = np.where(inside, self._score_bins(at, place % self.bins, value), np.nan)
        refused = score >= self._on[at]
        teaches = (place == self._place[at]) & inside & ~refused
        if teaches.all():
            self._visit.learn(at, value)
        else:
            self._visit.learn(among(at, teaches), value[teaches])
            self._refused[among(at, refused)] += 1
        return score

    def _score_bins(self, at: Index, bin_: NDArray[np.int64], value: NDArray[np.float64]) -> NDArray[np.float64]:
        visits, variance = self._visits.ravel(), self._variance.ravel()
        own = self._begin[at] + bin_
        weight = visits[own].astype(np.float64)
        young, remembered = weight < self._least[at], np.minimum(weight, _MEMORY)
        pooled = weight * variance[own]
        for neighbour in (self._before, self._after):
            other = self._begin[at] + neighbour[bin_]
            many = visits[other].astype(np.float64)
            pooled += many * variance[other]
            weight += many
        wider = (remembered + 1) / np.maximum(remembered - 1, 1)
        spread = np.maximum(np.sqrt(pooled / np.maximum(weight, 1) * wider), self._floor[at])
        return np.where(young, np.nan, np.abs(value - self._mean.ravel()[own]) / spread)

    def _end_visits(self, rows: NDArray[np.intp], place: NDArray[np.int64]) -> None:
        """Teach the bins what their visits saw, and begin new visits."""
        visit = self._visit
        taught = rows[visit.count[rows] > self._refused[rows]]
        bin_ = self._place[taught] % self.bins
        visits = np.minimum(self._visits[taught, bin_].astype(np.int64) + 1, 255)
        weight = 1 / np.minimum(visits, _MEMORY)
        away = visit.mean[taught] - self._mean[taught, bin_]
        within = visit.square[taught] / visit.count[taught]
        self._visits[taught, bin_] = visits
        self._mean[taught, bin_] += weight * away
        variance = self._variance[taught, bin_]
        self._variance[taught, bin_] = (1 - weight) * (variance + weight * away**2) + weight * within
        visit.forget(rows)
        self._refused[rows] = 0
        self._place[rows] = place
