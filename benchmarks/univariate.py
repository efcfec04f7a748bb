"""Surprise: how rare is this reading for its point? Three standard views of a signal, one scale, one alarm an episode.

1. *Season*: the distance from the mean of this hour of the week, which is drawn to the mean of this hour of the day
   while few weeks are known; each hour's mean learns at the end of a visit, as the seasonal indices of Winters,
   "Forecasting sales by exponentially weighted moving averages", Management Science 6, 1960.
2. *Shift*: the distance of a short EWMA from a long one (Roberts, "Control chart tests based on geometric moving
   averages", Technometrics 1, 1959).
3. *Jump*: the distance of the reading from an EWMA of some hundred readings.

Each distance becomes the probability of one as large or larger, by peaks over threshold: `benchmarks.tail`. The rarest
of the three counts. What follows within `hold` readings scores only if it is clearly rarer than what scored last: runs
declustering, Smith and Weissman, "Estimating the extremal index", J. R. Statist. Soc. B 56, 1994.

All arithmetic is reading by reading and point by point, so a split into batches changes no bit; a NaN teaches nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.tail import Tail

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Times = NDArray[np.int64]

HOUR_NS: Final = 3_600 * 10**9
DAY: Final = 24
WEEK: Final = 168
HALF: Final = 200.0
"""A reading as rare as one in 200 scores one half."""
_HALF_RARITY: Final = math.log10(HALF)
_ROUNDING: Final = 1e-9
_FRESH: Final = 10**9


@dataclass(frozen=True, slots=True)
class Settings:
    """One set for every signal. Lengths are in readings, but for the season, which goes by the clock.

    Attributes:
        long: memory of the long-run mean.
        middle: memory of the mean from which jumps are measured.
        short: span of the short EWMA, gain 2 / (short + 1).
        day_gain: least gain of an hour of the day, a visit (a day) each.
        week_gain: least gain of an hour of the week, a visit (a week) each.
        hold: how long an alarm speaks for what follows it.
        rise: how many times as large a rarity (a logarithm) must be to break through the hold.
    """

    long: float = 2_000.0
    middle: float = 100.0
    short: float = 12.0
    day_gain: float = 0.15
    week_gain: float = 0.3
    hold: int = 200
    rise: float = 1.15


class Season:
    """What is usual at this hour of the week; 1.7 KB a point."""

    def __init__(self, points: int, settings: Settings) -> None:
        self._gain = settings.day_gain, settings.week_gain
        self._mean = np.zeros((points, DAY)), np.zeros((points, WEEK))
        self._visits = np.zeros((points, DAY), np.uint8), np.zeros((points, WEEK), np.uint8)
        self._bin = np.full(points, -1)
        self._now = np.zeros(points)
        self._rows = np.zeros(points)
        self._point = np.arange(points)

    def expected(self, time_ns: Times, usable: Bools) -> Floats:
        """What this hour usually shows (float64[p]); NaN before the second day."""
        place = (time_ns // HOUR_NS) % WEEK
        left = np.flatnonzero(usable & (place != self._bin) & (self._rows > 0))
        if len(left):
            self._learn(left)
        self._bin = np.where(usable, place, self._bin)
        hour = place % DAY
        day = np.where(self._visits[0][self._point, hour] > 0, self._mean[0][self._point, hour], np.nan)
        weeks = self._visits[1][self._point, place].astype(np.float64)
        trust = weeks / (weeks + 1.0)
        return day + trust * (self._mean[1][self._point, place] - day)

    def see(self, value: Floats, usable: Bools) -> None:
        """Take the reading into the mean of the present visit."""
        self._rows += usable
        self._now += np.where(usable, (value - self._now) / np.maximum(self._rows, 1.0), 0.0)

    def _learn(self, left: NDArray[np.intp]) -> None:
        for mean, visits, least, size in zip(self._mean, self._visits, self._gain, (DAY, WEEK), strict=True):
            place = self._bin[left] % size
            gain = np.maximum(least, 1.0 / (visits[left, place] + 1.0))
            mean[left, place] += gain * (self._now[left] - mean[left, place])
            visits[left, place] = np.minimum(visits[left, place], 254) + 1
        self._now[left] = 0.0
        self._rows[left] = 0.0


class Surprise:
    """Scores one reading of each point at a time.

    Args:
        points: how many signals.
        settings: the same for all of them.
    """

    def __init__(self, points: int, settings: Settings | None = None) -> None:
        self._set = settings or Settings()
        self._season = Season(points, self._set)
        self._tails = Tail(points), Tail(points), Tail(points)
        self._rows = np.zeros(points)
        self._size, self._long, self._middle, self._short = (np.zeros(points) for _ in range(4))
        self._peak = np.zeros(points)
        self._since = np.full(points, _FRESH)

    def step(self, time_ns: Times, value: Floats) -> Floats:
        """Score a reading of every point.

        Args:
            time_ns: int64[p], since the epoch.
            value: float64[p], NaN = no reading of that point.

        Returns:
            float64[p] in [0, 1): 0 = nothing to say or held, 0.5 = one reading in 200 is as rare.
        """
        usable = ~np.isnan(value)
        value = np.where(usable, value, 0.0)
        expected = self._season.expected(time_ns, usable)
        self._season.see(value, usable)
        for mean in (self._long, self._middle, self._short):
            mean[:] = np.where(usable & (self._rows == 0), value, mean)
        self._rows += usable
        self._move(self._size, np.abs(value), usable, self._set.long)
        floor = _ROUNDING * self._size
        self._move(self._short, value, usable, (self._set.short + 1.0) / 2.0)
        distances = value - expected, self._short - self._long, value - self._middle
        rarity = np.zeros(len(value))
        for tail, distance in zip(self._tails, distances, strict=True):
            rarity = np.maximum(rarity, tail.step(np.abs(distance), usable & ~np.isnan(distance), floor))
        self._move(self._long, value, usable, self._set.long)
        self._move(self._middle, value, usable, self._set.middle)
        rarity = self._decluster(rarity, usable)
        return rarity / (rarity + _HALF_RARITY)

    def _move(self, mean: Floats, value: Floats, usable: Bools, memory: float) -> None:
        """The plain mean until `memory` readings are known, then an EWMA."""
        gain = np.maximum(1.0 / memory, 1.0 / np.maximum(self._rows, 1.0))
        mean += np.where(usable, gain * (value - mean), 0.0)

    def _decluster(self, rarity: Floats, usable: Bools) -> Floats:
        free = self._since >= self._set.hold
        speaks = usable & (rarity > 0) & (free | (rarity > self._set.rise * self._peak))
        self._peak = np.where(speaks, rarity, np.where(free & usable, 0.0, self._peak))
        self._since = np.where(speaks, 0, np.minimum(self._since + usable, _FRESH))
        return np.where(speaks, rarity, 0.0)


def scores(time_ns: Times, value: Floats) -> Floats:
    """The scores (float64[n], in [0, 1)) of one signal from its first reading; row i looks at rows <= i only.

    Args:
        time_ns: int64[n], since the epoch.
        value: float64[n], NaN = no reading.
    """
    return side_by_side([(time_ns, value)])[0]


def side_by_side(signals: Sequence[tuple[Times, Floats]]) -> list[Floats]:
    """The scores of many signals, each as if it were alone, in one pass over the longest."""
    rows = max((len(value) for _, value in signals), default=0)
    time_ns = np.zeros((rows, len(signals)), np.int64)
    value = np.full((rows, len(signals)), np.nan)
    for column, (times, values) in enumerate(signals):
        time_ns[: len(times), column] = times
        value[: len(values), column] = values
    surprise = Surprise(len(signals))
    found = np.zeros((rows, len(signals)))
    for row in range(rows):
        found[row] = surprise.step(time_ns[row], value[row])
    return [found[: len(values), column].copy() for column, (_, values) in enumerate(signals)]
