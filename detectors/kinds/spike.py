"""Spike: one reading far from all its neighbours, which a plant cannot do: a bad contact, a radio, a wrong scale.

Parameter `floor`: in the point's unit, the least spread reckoned with, so that a quiet signal's last digit is no spike.
The score is the distance from the median of the last ten readings and this one, in robust standard deviations
(1.4826 x the median distance from that median): the Hampel identifier, looking back only (Hampel, "The influence curve
and its role in robust estimation", JASA 69, 1974; Pearson, "Outliers in process modeling and identification", IEEE
Trans. Control Systems Technology 10, 2002). Five of the eleven may be wild before it errs. So the first five
readings of a level that has shifted are found, and from the sixth on it is the normal one. Until eleven readings have
come, also after a closed gate, nothing can be told.

>>> from detectors.examples import evaluate
>>> evaluate("spike", [5.0, 5.1] * 6 + [9.0] + [5.0, 5.1] * 2, on=6.0, off=4.0, floor=0.1)
['trips at 12 s: 9', 'returns at 13 s: 5']
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.feed import NEVER
from detectors.ring import Past, Ring
from detectors.rules import RuleTable
from detectors.runs import Runs
from detectors.trip import Arrays, joined

_SIZE: Final = 11
_MIDDLE: Final = _SIZE // 2
_TO_SIGMA: Final = 1.4826
"""Median distance to standard deviation, for normal noise (Hampel 1974)."""

_BLOCK: Final = 8192
"""Readings scored at a time: the windows of so many fit the processor's cache."""


class Spike:
    """Scores a reading by its distance from the median of the last ones, in robust standard deviations."""

    reports: Final = "value"

    def __init__(self, rules: RuleTable) -> None:
        self._floor = rules.param["floor"]
        self._least = rules.on * self._floor * (1 - 1e-9)  # no score is high with less travel
        self._ring = Ring(len(rules), _SIZE, {"time": int(NEVER), "value": np.nan})
        self._since = np.full(len(rules), NEVER)  # readings before this are forgotten

    def score(self, runs: Runs) -> NDArray[np.float64]:
        """Robust standard deviations; NaN without a value or without ten readings before.

        Where a rule is at rest and its readings do not span enough for its limit, 0 stands for any score below.
        """
        counts = ~np.isnan(runs.value) & runs.open
        since = runs.fill(runs.time, ~runs.open, self._since)
        self._since[runs.row[runs.last]] = since[runs.last]
        places = np.flatnonzero(counts)
        past = self._ring.push(runs, places, {"time": runs.time[places], "value": runs.value[places]})
        score = np.full(len(runs), np.nan)
        for begin in range(0, len(places), _BLOCK):
            asked = places[begin : begin + _BLOCK]
            full = past.windows("time", asked)[:, 0] > since[asked]
            score[asked] = np.where(full, self._wildness(runs, past, asked), np.nan)
        return score

    def _wildness(self, runs: Runs, past: Past, asked: NDArray[np.intp]) -> NDArray[np.float64]:
        ranked, row = np.sort(np.asarray(past.windows("value", asked), np.float64), axis=1), runs.row[asked]
        far = np.flatnonzero(~runs.rest[asked] | (ranked[:, -1] - ranked[:, 0] >= self._least[row]))
        ranked, floor = ranked[far], self._floor[row[far]]
        middle = ranked[:, _MIDDLE]
        spread = _TO_SIGMA * np.sort(np.abs(ranked - middle[:, None]), axis=1)[:, _MIDDLE]
        wildness = np.zeros(len(asked))
        wildness[far] = np.abs(runs.value[asked[far]] - middle) / np.maximum(spread, floor)
        return wildness

    def blind(self, now: int) -> NDArray[np.bool_]:  # noqa: ARG002  judged by the readings kept
        """Rules that have not eleven readings."""
        return np.asarray(self._ring.entries("time")[:, 0] <= self._since, np.bool_)

    def arrays(self) -> Arrays:
        """The last readings of each rule."""
        return joined({"kept_since": self._since}, self._ring.arrays())
