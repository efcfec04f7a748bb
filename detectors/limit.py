"""Fixed limits: low-low, low, high, high-high (ISA-18.2 / IEC 62682 absolute alarms).

Parameter `side`: +1 judges high, -1 judges low. The score is the value as seen from that side, so `on` and `off` are
`side` times the limits a person would write.

>>> import numpy as np
>>> from detectors.pairs import Pairing
>>> from detectors.rules import NO_GATE, GateTable, RuleTable
>>> low = RuleTable(
...     key=("water/LL",), rule=np.array([0], np.int32), point=np.array([0], np.int32), on=np.array([-0.28]),
...     off=np.array([-0.30]), on_delay=np.array([0]), off_delay=np.array([0]),
...     gate=GateTable(np.array([NO_GATE], np.int32), np.array([0], np.int8), np.array([0.0])),
...     param={"side": np.array([-1.0])})
>>> pairs = Pairing(low.point).pair(np.array([0, 0]))
>>> Limit(low).score(pairs, np.array([0, 1]), np.array([0.35, 0.20]), np.array([True, True])).tolist()
[-0.35, -0.2]
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.pairs import Pairs
from detectors.rules import RuleTable
from detectors.trip import Arrays


class Limit:
    """Scores a value by how high (or how low) it is."""

    judges: Final = "value"

    def __init__(self, rules: RuleTable) -> None:
        self._side = rules.param["side"]

    def score(  # every scorer is given the same
        self,
        pairs: Pairs,
        time: NDArray[np.int64],  # noqa: ARG002
        value: NDArray[np.float64],
        judged: NDArray[np.bool_],  # noqa: ARG002
    ) -> NDArray[np.float64]:
        """`side * value`; NaN stays NaN."""
        return self._side[pairs.row] * value

    def arrays(self) -> Arrays:
        """Nothing to remember."""
        return {}
