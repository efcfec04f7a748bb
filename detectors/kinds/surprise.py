"""Surprise: is anything about this reading rare for its point? For a signal of which nothing is known beforehand.

What this hour of the week usually shows, drawn to what this hour of the day shows while few weeks are known, is
expected; before the hour was visited, the long average is. Four distances are looked at. *Season*: of the reading from
what is expected, once the hour is known. *Shift*: of a short average of what it is away from that, from the long one.
*Jump*: of what it is away, from the average of some fifty readings. *Drift*: of a slow average of the signal itself
from its long one (Roberts, "Control chart tests based on geometric moving averages", Technometrics 1, 1959). Each
becomes a rarity, -log10 of the probability of such a distance or a larger one at this point, by peaks over threshold:
Pickands, "Statistical inference using extreme order statistics", Ann. Statist. 3, 1975; Siffer et al., "Anomaly
detection in streams with extreme value theory", KDD 2017; with means, as of Hill, Ann. Statist. 3, 1975, for the fit.
A rare average stays so for a while, and is one event: rarities are weighted, 0.8, 0.95, 0.95 and 1.2. The largest
counts, and 0.3 of what the others are beyond one in twenty. The score is R / (R + log10(`one_in`)): 0 = nothing, 0.5 =
one reading in `one_in` is as rare. One `on`, 0.5, is meant for all signals.

One event speaks once: what follows scores 0, unless it is more than `rise` times as rare, in logarithms, as what
scored last; that bar fades by 63 % in `hold` readings (after runs declustering: Smith and Weissman, "Estimating the
extremal index", J. R. Statist. Soc. B 56, 1994). So a finding returns with the next reading: it is an event, not a
state, and a rule with an on-delay or N of M would never trip. It names the distances that count, with their shares of
the score.

Parameters, in readings: `short`, `slow`: spans of the averages, whose gains are 2 / (span + 1); `middle`, `long`:
memories of the other two; `hold`; `least`: a tail tells nothing before so many distances. Without unit: `day_gain`,
`week_gain`: the least weight of the newest visit to an hour of the day, of the week; `rise`; `one_in` (20 or more: the
commonest 19 of 20 readings score 0). `offset_s`: what local time is ahead of UTC (28 800 in China). `USUAL` has them
all. Before `least` readings nothing is told.

Training: without end, from every reading, whatever its score: a new way of running the plant is surprising once, and
normal after some days. Averages are plain means until they have as many readings as their memory. An hour learns at the
end of a visit, as in Winters, "Forecasting sales by exponentially weighted moving averages", Management Science 6,
1960. Readings behind a closed gate neither teach nor are judged.

Anomaly likelihood asks the same question of the errors of a prediction, and its benchmark is what this is measured by:
Lavin and Ahmad, "Evaluating real-time anomaly detection algorithms: the Numenta Anomaly Benchmark", ICMLA 2015.

>>> from detectors.examples import evaluate
>>> from detectors.kinds.surprise import USUAL
>>> evaluate("surprise", [*[1.0, 2.0, 4.0, 2.0, 3.0] * 60, 9.0, 9.0, 9.0, 2.0], on=0.5, step_s=60.0, **USUAL)
['trips at 18000 s: 0.5598', 'returns at 18060 s: nan']
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.contributions import Aspect
from detectors.rarity import Tails
from detectors.rules import RuleTable
from detectors.running import Index, Walk, among
from detectors.runs import Runs
from detectors.trip import Arrays, joined

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

USUAL: Final[Mapping[str, float]] = {
    "short": 12.0,
    "middle": 50.0,
    "slow": 80.0,
    "long": 2_500.0,
    "day_gain": 0.1,
    "week_gain": 0.3,
    "hold": 200.0,
    "rise": 1.5,
    "offset_s": 0.0,
    "least": 60.0,
    "one_in": 400.0,
}
"""The parameters for all signals, those it was measured with."""

HOUR_NS: Final = 3_600 * 10**9
DAY: Final = 24
WEEK: Final = 168
_NOWHERE: Final = -1
_ROUNDING: Final = 1e-9
"""Of a signal's size: a smaller distance is none."""
_COMMONEST: Final = 20.0
_ASPECTS: Final = (Aspect.SEASON, Aspect.SHIFT, Aspect.JUMP, Aspect.DRIFT)
_WEIGHTS: Final = np.array([[0.8], [0.95], [0.95], [1.2]])
"""Of their rarities."""
_COMMON: Final = float(np.log10(_COMMONEST))
_OTHERS: Final = 0.3
"""What the rarities beside the largest count for, as far as each is above that of one distance in `_COMMONEST`."""


class Surprise:
    """Scores a reading by how rare its distances are."""

    reports: Final = "score"
    bounded: Final = True
    aspect: Final = np.array(_ASPECTS, np.int8)

    def __init__(self, rules: RuleTable) -> None:
        param, rows = rules.param, len(rules)
        self._offset = (param["offset_s"] * 1e9).astype(np.int64)
        self._least, self._rise = param["least"], param["rise"]
        self._fade = np.exp(-1.0 / np.maximum(param["hold"], 1e-3))
        self._half = np.log10(np.maximum(param["one_in"], _COMMONEST))
        short, slow, long = (param["short"] + 1.0) / 2.0, (param["slow"] + 1.0) / 2.0, param["long"]
        memories = long, long, slow, long, short, param["middle"]
        self._gain = 1.0 / np.maximum(np.stack(memories), 1.0)
        self._walk = Walk(rows)
        self._hours = Hours(param["day_gain"], param["week_gain"])
        self._tails = Tails(self._least, len(_WEIGHTS))
        self._taken = np.zeros(rows)
        self._mean = np.zeros((len(memories), rows))
        self._bar = np.zeros(rows)
        self._on = rules.on
        self._blame = np.empty((0, len(_WEIGHTS)))  # of the batch

    def score(self, runs: Runs) -> Floats:
        """R / (R + log10(one_in)), in [0, 1); NaN without a value and before `least` readings."""
        place = (runs.time + self._offset[runs.row]) // HOUR_NS % WEEK
        self._blame = runs.blame = np.zeros((len(runs), len(_WEIGHTS)))
        pair, usable = np.arange(len(runs)), runs.open & ~np.isnan(runs.value)
        return self._walk.score(runs, usable, self._step, pair, place, runs.value)

    def blind(self, now: int) -> NDArray[np.bool_]:  # noqa: ARG002  counts readings, not time
        """Rules that have had fewer than `least` readings."""
        return self._taken < self._least

    def arrays(self) -> Arrays:
        """The averages, the tails, the hours and what the last finding left of each rule."""
        own: Arrays = {"taken": self._taken, "averages": self._mean.T, "bar": self._bar}
        return joined(own, self._tails.arrays(), self._hours.arrays())

    def _step(self, at: Index, pair: Rows, place: NDArray[np.int64], value: Floats) -> Floats:
        """One reading each of different rules; `pair`: their places in the batch."""
        enough = self._taken[at] >= self._least[at]
        usual = self._hours.expected(at, place)
        self._hours.learn(at, value)
        size, distance = self._distances(at, value, usual)
        rarities = self._tails.score(at, distance, _ROUNDING * size) * _WEIGHTS
        rarity = self._decluster(at, _together(rarities))
        score = np.where(enough, rarity / (rarity + self._half[at]), np.nan)
        trips = np.flatnonzero(score >= self._on[at])
        if len(trips):
            self._blame[pair[trips]] = _terms(rarities[:, trips]).T
        return score

    def _distances(self, at: Index, value: Floats, usual: Floats) -> tuple[Floats, Floats]:
        """The signal's size (float64[k]) and its distances: season, shift, jump and drift (float64[4, k])."""
        taken, mean = self._taken[at], self._mean[:, at]
        first = taken == 0
        long = np.where(first, value, mean[1])
        away = value - np.where(np.isnan(usual), long, usual)
        seen = np.stack((np.abs(value), value, value, away, away, away))
        old = np.where(first, seen, mean)
        new = old + np.maximum(self._gain[:, at], 1.0 / (taken + 1.0)) * (seen - old)
        self._mean[:, at], self._taken[at] = new, taken + 1.0
        return new[0], np.abs(np.stack((value - usual, new[4] - old[3], away - old[5], new[2] - long)))

    def _decluster(self, at: Index, rarity: Floats) -> Floats:
        """What is left of the rarities (float64[k]) while a finding speaks for what follows it."""
        bar = self._bar[at]
        speaks = rarity > bar
        self._bar[at] = np.where(speaks, self._rise[at] * rarity, self._fade[at] * bar)
        return np.where(speaks, rarity, 0.0)


def _together(rarity: Floats) -> Floats:
    """One rarity (float64[k]) of those of several distances (float64[n, k]): the largest, and a part of the others."""
    largest = rarity.max(axis=0)
    beyond = np.maximum(rarity - _COMMON, 0.0).sum(axis=0)
    return np.asarray(largest + _OTHERS * (beyond - np.maximum(largest - _COMMON, 0.0)))


def _terms(rarity: Floats) -> Floats:
    """What each distance (float64[n, k]) gives to the rarity of all together."""
    terms = _OTHERS * np.maximum(rarity - _COMMON, 0.0)
    largest, each = rarity.argmax(axis=0), np.arange(rarity.shape[1])
    terms[largest, each] = rarity[largest, each]
    return terms


class Hours:
    """What is usual at each hour of the day and of the week; 1.7 KiB a rule."""

    def __init__(self, day_gain: Floats, week_gain: Floats) -> None:
        rows = len(day_gain)
        self._everyone = np.arange(rows)
        self._day, self._week = np.zeros((rows, DAY)), np.zeros((rows, WEEK))
        self._days, self._weeks = np.zeros((rows, DAY), np.uint8), np.zeros((rows, WEEK), np.uint8)  # stay at 255
        self._place = np.full(rows, _NOWHERE)  # of the visit under way
        self._count, self._mean = np.zeros(rows), np.zeros(rows)
        self._taught = (DAY, day_gain, self._day, self._days), (WEEK, week_gain, self._week, self._weeks)

    def expected(self, at: Index, place: NDArray[np.int64]) -> Floats:
        """What is usual at this hour of the week (int64[k]); NaN if this hour of the day was never visited."""
        leaves = (place != self._place[at]) & (self._count[at] > 0)
        if leaves.any():
            self._end_visits(among(at, leaves))
        self._place[at] = place
        row, hour = self._everyone[at], place % DAY
        day = np.where(self._days[row, hour] > 0, self._day[row, hour], np.nan)
        weeks = self._weeks[row, place].astype(np.float64)
        return np.asarray(day + weeks / (weeks + 1.0) * (self._week[row, place] - day), np.float64)

    def learn(self, at: Index, value: Floats) -> None:
        """Take a reading (float64[k]) into the visit under way."""
        count = self._count[at] + 1.0
        self._mean[at] += (value - self._mean[at]) / count
        self._count[at] = count

    def arrays(self) -> Arrays:
        """The hours and the visit under way of each rule."""
        hours: Arrays = {"day": self._day, "week": self._week, "days": self._days, "weeks": self._weeks}
        return {**hours, "place": self._place, "visit_count": self._count, "visit_mean": self._mean}

    def _end_visits(self, rows: Rows) -> None:
        for size, least, mean, visits in self._taught:
            place = self._place[rows] % size
            known = visits[rows, place].astype(np.float64)
            gain = np.maximum(least[rows], 1.0 / (known + 1.0))
            mean[rows, place] += gain * (self._mean[rows] - mean[rows, place])
            visits[rows, place] = np.minimum(known + 1.0, 255.0)
        self._count[rows] = self._mean[rows] = 0.0
