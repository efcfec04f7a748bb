"""Fixed limits: low-low, low, high, high-high (ISA-18.2 / IEC 62682 absolute alarms).

Parameter `side`: +1 judges high, -1 judges low. The score is the value as seen from that side, so `on` and `off` are
`side` times the limits a person would write.

>>> from detectors.examples import evaluate
>>> evaluate("limit", [0.35, 0.20, 0.29, 0.31], on=-0.28, off=-0.30, side=-1.0)
['trips at 1 s: 0.2', 'returns at 3 s: 0.31']
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.detector import Interval
from detectors.rules import RuleTable
from detectors.runs import Runs
from detectors.trip import Arrays


class Limit:
    """Scores a value by how high (or how low) it is."""

    reports: Final = "value"

    def __init__(self, rules: RuleTable) -> None:
        self._side, self._on, self._off = rules.param["side"], rules.on, rules.off

    def score(self, runs: Runs) -> NDArray[np.float64]:
        """`side * value`; NaN stays NaN."""
        return self._side[runs.row] * runs.value

    def quiet(self) -> Interval:
        """Everything below a high limit, above a low one."""
        high = self._side > 0
        return (
            np.where(high, -np.inf, np.nextafter(-self._on, np.inf)),
            np.where(high, np.nextafter(self._on, -np.inf), np.inf),
        )

    def loud(self, row: NDArray[np.intp], value: NDArray[np.float64]) -> Interval:  # noqa: ARG002  whatever it is
        """Everything above the end of a high limit, below that of a low one."""
        high, end = self._side[row] > 0, np.minimum(self._off[row], np.nextafter(self._on[row], -np.inf))
        return (
            np.where(high, np.nextafter(end, np.inf), -np.inf),
            np.where(high, np.inf, np.nextafter(-end, -np.inf)),
        )

    def blind(self, now: int) -> NDArray[np.bool_]:  # noqa: ARG002  needs no past
        """Never."""
        return np.zeros(len(self._on), bool)

    def arrays(self) -> Arrays:
        """Nothing to remember."""
        return {}
