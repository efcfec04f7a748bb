"""Bad signal: the gateway says the value is bad or sends none. It is never treated as zero, and never passed over.

>>> from detectors.examples import evaluate
>>> evaluate("bad", [3.5, float("nan"), 3.5], on=1.0, off=0.0)
['trips at 1 s: nan', 'returns at 2 s: 3.5']
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.detector import Interval
from detectors.rules import RuleTable
from detectors.runs import Runs
from detectors.trip import Arrays


class Bad:
    """Scores 1 where there is no usable value, else 0."""

    reports: Final = "value"
    scores_no_value: Final = True

    def __init__(self, rules: RuleTable) -> None:
        """Take the rules; there are no parameters."""
        self._rows = len(rules)

    def score(self, runs: Runs) -> NDArray[np.float64]:
        """1 for NaN, 0 for a value, one that signals a failure included: rules on instruments tell of that."""
        return np.where(np.isinf(runs.raw), np.nan, np.isnan(runs.raw))

    def quiet(self) -> Interval:
        """Any value."""
        return np.full(self._rows, -np.inf), np.full(self._rows, np.inf)

    def loud(self, row: NDArray[np.intp], value: NDArray[np.float64]) -> Interval:  # noqa: ARG002  whatever it is
        """None: any value ends it."""
        return np.full(len(value), np.inf), np.full(len(value), -np.inf)

    def blind(self, now: int) -> NDArray[np.bool_]:  # noqa: ARG002  needs no past
        """Never."""
        return np.zeros(self._rows, bool)

    def arrays(self) -> Arrays:
        """Nothing to remember."""
        return {}
