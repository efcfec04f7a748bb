"""Bad signal: the gateway says the value is bad or sends none. It is never treated as zero, and never passed over."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.pairs import Pairs
from detectors.rules import RuleTable
from detectors.trip import Arrays


class Bad:
    """Scores 1 where there is no usable value, else 0."""

    def __init__(self, rules: RuleTable) -> None:
        """Take the rules; there are no parameters."""

    def score(self, pairs: Pairs, time: NDArray[np.int64], value: NDArray[np.float64]) -> NDArray[np.float64]:  # noqa: ARG002
        """1 for NaN, 0 for a value.

        >>> import numpy as np
        >>> Bad(None).score(None, None, np.array([3.5, np.nan])).tolist()
        [0.0, 1.0]
        """
        return np.isnan(value).astype(np.float64)

    def arrays(self) -> Arrays:
        """Nothing to remember."""
        return {}
