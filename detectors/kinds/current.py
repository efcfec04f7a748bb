"""Current: a 4-20 mA loop that is broken or shorted, seen in the unit its card scaled it to.

Parameters `low`, `high`: the values that stand for 4 and 20 mA. The score is the distance of the loop's current from
its middle, 12 mA: 8 at both ends of the range, 11 at 1 and at 23 mA. A transmitter that finds itself faulty drives its
current out of the range on purpose: NAMUR NE 43 (2003) has it signal failure at or below 3.6 and at or above 21 mA, and
keeps 3.8 to 20.5 for measuring. The idea is from there; the limit here is one for both ends, and a card that clips what
it reads at the ends of its range hides all of it.

>>> from detectors.examples import evaluate
>>> evaluate("current", [50.0, -20.0, 3.0], on=11.0, off=8.5, low=0.0, high=100.0)
['trips at 1 s: -20', 'returns at 2 s: 3']
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.detector import Interval, beyond
from detectors.precision import SINGLE, settled
from detectors.rules import RuleTable
from detectors.runs import Runs
from detectors.trip import Arrays

_LOW_MA: Final = 4.0
_SPAN_MA: Final = 16.0
_MIDDLE_MA: Final = 12.0


class Current:
    """Scores a value by how far the current behind it is from 12 mA."""

    reports: Final = "value"

    def __init__(self, rules: RuleTable) -> None:
        self._low = rules.param["low"]
        self._span = rules.param["high"] - rules.param["low"]
        most = np.maximum(np.abs(rules.param["low"]), np.abs(rules.param["high"]))
        self._unsure = 2 * SINGLE * most / np.abs(self._span) * _SPAN_MA  # what lies beyond the range is larger
        self._on, self._off = rules.on, rules.off

    def score(self, runs: Runs) -> NDArray[np.float64]:
        """Milliamperes from the middle; NaN stays NaN."""
        current = _LOW_MA + _SPAN_MA * (runs.shown - self._low[runs.row]) / self._span[runs.row]
        score, unsure = np.abs(current - _MIDDLE_MA), self._unsure[runs.row]
        return settled(settled(score, self._off[runs.row], unsure), self._on[runs.row], unsure)

    def quiet(self) -> Interval:
        """What surely lies within; the ends are left out, so that rounding cannot matter."""
        middle = self._low + self._span / 2
        reach = np.abs(self._span) * (self._on * (1 - 1e-9) - 2 * self._unsure) / _SPAN_MA
        return middle - reach, middle + reach

    def loud(self, row: NDArray[np.intp], value: NDArray[np.float64]) -> Interval:
        """What surely lies as far out on the same side."""
        span = self._span[row]
        end = np.minimum(self._off[row], self._on[row]) * (1 + 1e-9) + 2 * self._unsure[row]
        reach = np.abs(span) * end / _SPAN_MA
        return beyond(self._low[row] + span / 2, reach, value)

    def blind(self, now: int) -> NDArray[np.bool_]:  # noqa: ARG002  needs no past
        """Never."""
        return np.zeros(len(self._on), bool)

    def arrays(self) -> Arrays:
        """Nothing to remember."""
        return {}
