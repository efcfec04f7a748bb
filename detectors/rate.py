"""Rate of change: how fast a value moves, over a window long enough that noise does not look like movement.

Parameters `side`: +1 judges the rise, -1 the fall, 0 either; `window_s`: the window. The score is the change per minute
between the reading and the oldest kept sample within the window. Sixteen samples a rule are kept, evenly spread over
the window; with less than half a window of past, nothing can be told (NaN). Samples from before a gate was
closed are forgotten.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.pairs import Pairs
from detectors.rules import RuleTable
from detectors.trip import Arrays

_SAMPLES: Final = 16
_NEVER: Final = np.iinfo(np.int64).min // 2
"""The time of a sample that was not taken: older than any window, yet a difference to it cannot overflow."""


class Rate:
    """Scores a reading by the change per minute that led to it.

    >>> import numpy as np
    >>> from types import SimpleNamespace as Rules
    >>> from detectors.pairs import Pairing
    >>> class OneRule(Rules):
    ...     def __len__(self): return 1
    >>> scorer = Rate(OneRule(param={"side": np.array([1.0]), "window_s": np.array([4.0])}))
    >>> pairs = Pairing(np.array([0])).pair(np.zeros(5, np.int32))
    >>> seconds, value = np.arange(5) * 1_000_000_000, np.array([0.0, 2.0, 4.0, 6.0, 8.0])
    >>> scorer.score(pairs, seconds, value, np.ones(5, bool)).tolist()
    [nan, nan, 120.0, 120.0, 120.0]
    """

    judges: Final = "score"

    def __init__(self, rules: RuleTable) -> None:
        self._side = rules.param["side"]
        self._window = (rules.param["window_s"] * 1e9).astype(np.int64)
        self._time = np.full((len(rules), _SAMPLES), _NEVER)
        self._value = np.zeros((len(rules), _SAMPLES))
        self._next = np.zeros(len(rules), np.int64)
        self._kept = np.full(len(rules), _NEVER)  # time of the newest kept sample

    def score(
        self, pairs: Pairs, time: NDArray[np.int64], value: NDArray[np.float64], judged: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Change per minute, seen from `side`; NaN without a value or without enough past."""
        score = np.full(len(pairs), np.nan)
        for turn in pairs.turns(~np.isnan(value)):
            row, at, x = pairs.row[turn], time[turn], value[turn]
            self._time[row[~judged[turn]]] = _NEVER  # a movement through a closed gate is none that is judged
            window, side = self._window[row], self._side[row]
            age = at[:, None] - self._time[row]
            fits = (age <= window[:, None]) & (age >= window[:, None] // 2)
            oldest = np.argmax(np.where(fits, age, -1), axis=1)[:, None]
            span = np.take_along_axis(age, oldest, 1)[:, 0]
            change = x - np.take_along_axis(self._value[row], oldest, 1)[:, 0]
            slope = change * (60e9 / np.where(span > 0, span, 1))
            slope = np.where(side == 0, np.abs(slope), side * slope)
            score[turn] = np.where(fits.any(axis=1), slope, np.nan)

            keep = judged[turn] & (at - self._kept[row] >= window // (_SAMPLES - 1))
            row, at, x = row[keep], at[keep], x[keep]
            slot = self._next[row] % _SAMPLES
            self._time[row, slot] = at
            self._value[row, slot] = x
            self._next[row] += 1
            self._kept[row] = at
        return score

    def arrays(self) -> Arrays:
        """The kept samples of each rule."""
        return {"sample_time": self._time, "sample_value": self._value, "next": self._next, "kept": self._kept}
