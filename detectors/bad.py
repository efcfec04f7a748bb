"""Bad signal: the gateway says the value is bad or sends none. It is never treated as zero, and never passed over."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.pairs import Pairs
from detectors.rules import RuleTable
from detectors.trip import Arrays


class Bad:
    """Scores 1 where there is no usable value, else 0."""

    judges: Final = "value"

    def __init__(self, rules: RuleTable) -> None:
        """Take the rules; there are no parameters."""

    def score(  # every scorer is given the same
        self,
        pairs: Pairs,  # noqa: ARG002
        time: NDArray[np.int64],  # noqa: ARG002
        value: NDArray[np.float64],
        judged: NDArray[np.bool_],  # noqa: ARG002
    ) -> NDArray[np.float64]:
        """1 for NaN, 0 for a value.

        >>> import numpy as np
        >>> Bad(None).score(None, None, np.array([3.5, np.nan]), None).tolist()
        [0.0, 1.0]
        """
        return np.isnan(value).astype(np.float64)

    def arrays(self) -> Arrays:
        """Nothing to remember."""
        return {}
