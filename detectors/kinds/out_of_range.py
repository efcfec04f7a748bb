"""Out of range: a value the instrument cannot measure is an instrument fault (NAMUR NE 43 gives the idea for 4-20 mA).

Parameters `low`, `high`: the instrument's range. The score is the distance from its middle in half spans: 1 at both
ends, and as near to them as single precision cannot tell.

>>> from detectors.examples import evaluate
>>> evaluate("range", [50.0, 100.0, 101.0], on=1.0000001, off=1.0, low=0.0, high=100.0)
['trips at 2 s: 101']
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

_END: Final = np.ones(1)


class OutOfRange:
    """Scores a value by how far out of its instrument's range it lies."""

    reports: Final = "value"

    def __init__(self, rules: RuleTable) -> None:
        self._middle = (rules.param["high"] + rules.param["low"]) / 2
        self._half = (rules.param["high"] - rules.param["low"]) / 2
        self._unsure = SINGLE * np.maximum(np.abs(rules.param["low"]), np.abs(rules.param["high"])) / self._half
        self._on, self._off = rules.on, rules.off

    def score(self, runs: Runs) -> NDArray[np.float64]:
        """Distance from the middle in half spans; NaN stays NaN."""
        score = np.abs(runs.shown - self._middle[runs.row]) / self._half[runs.row]
        return settled(score, _END, self._unsure[runs.row])

    def quiet(self) -> Interval:
        """What surely lies within; the ends too where they are well, since many values lie at one all the time."""
        reach = self._on * (1 - 1e-12) - 2 * self._unsure
        # Nearly all that single precision cannot tell: rounding of our own is far less than what is left out.
        reach = self._half * np.where(self._on > _END, np.maximum(reach, 1 + self._unsure * (1 - 1e-6)), reach)
        return self._middle - reach, self._middle + reach

    def loud(self, row: NDArray[np.intp], value: NDArray[np.float64]) -> Interval:
        """What surely lies as far out on the same side."""
        reach = self._half[row] * (np.minimum(self._off[row], self._on[row]) * (1 + 1e-12) + 2 * self._unsure[row])
        return beyond(self._middle[row], reach, value)

    def blind(self, now: int) -> NDArray[np.bool_]:  # noqa: ARG002  needs no past
        """Never."""
        return np.zeros(len(self._on), bool)

    def arrays(self) -> Arrays:
        """Nothing to remember."""
        return {}
