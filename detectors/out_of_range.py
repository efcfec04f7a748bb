"""Out of range: a value the instrument cannot measure is an instrument fault (NAMUR NE 43 gives the idea for 4-20 mA).

Parameters `low`, `high`: the instrument's range. The score is the distance from its middle in half spans: 1 at both
ends.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.pairs import Pairs
from detectors.rules import RuleTable
from detectors.trip import Arrays


class OutOfRange:
    """Scores a value by how far out of its instrument's range it lies."""

    judges: Final = "value"

    def __init__(self, rules: RuleTable) -> None:
        self._middle = (rules.param["high"] + rules.param["low"]) / 2
        self._half = (rules.param["high"] - rules.param["low"]) / 2

    def score(  # every scorer is given the same
        self,
        pairs: Pairs,
        time: NDArray[np.int64],  # noqa: ARG002
        value: NDArray[np.float64],
        judged: NDArray[np.bool_],  # noqa: ARG002
    ) -> NDArray[np.float64]:
        """Distance from the middle in half spans; NaN stays NaN.

        >>> import numpy as np
        >>> from types import SimpleNamespace as Rules
        >>> from detectors.pairs import pair_all
        >>> scorer = OutOfRange(Rules(param={"low": np.zeros(3), "high": np.full(3, 100.0)}))
        >>> scorer.score(pair_all(3), np.zeros(3), np.array([50.0, 100.0, 150.0]), np.ones(3, bool)).tolist()
        [0.0, 1.0, 2.0]
        """
        return np.abs(value - self._middle[pairs.row]) / self._half[pairs.row]

    def arrays(self) -> Arrays:
        """Nothing to remember."""
        return {}
