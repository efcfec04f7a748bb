"""Stuck: a value that does not move is a dead instrument or a faked one, however healthy it looks.

Parameters `band`: what counts as not moving, in the point's unit, around the value at which the stillness began;
`nonzero`: 1 where standing still at exactly zero is healthy (a gas sensor in clean air). The score is the stillness in
seconds of event time; standing still while a gate is closed does not count.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.pairs import Pairs
from detectors.rules import RuleTable
from detectors.trip import Arrays


class Stuck:
    """Scores a reading by the seconds since its point last moved.

    >>> import numpy as np
    >>> from types import SimpleNamespace as Rules
    >>> from detectors.pairs import Pairing
    >>> class OneRule(Rules):
    ...     def __len__(self): return 1
    >>> scorer = Stuck(OneRule(param={"band": np.array([0.1]), "nonzero": np.array([0.0])}))
    >>> pairs = Pairing(np.array([0])).pair(np.zeros(4, np.int32))
    >>> scorer.score(pairs, np.arange(4) * 1_000_000_000, np.array([7.0, 7.05, 6.95, 8.0]), np.ones(4, bool)).tolist()
    [0.0, 1.0, 2.0, 0.0]
    """

    judges: Final = "score"

    def __init__(self, rules: RuleTable) -> None:
        self._band = rules.param["band"]
        self._nonzero = rules.param["nonzero"] > 0
        self._anchor = np.full(len(rules), np.nan)
        self._still_since = np.zeros(len(rules), np.int64)

    def score(
        self, pairs: Pairs, time: NDArray[np.int64], value: NDArray[np.float64], judged: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Seconds of stillness; NaN where there is no value."""
        score = np.full(len(pairs), np.nan)
        for turn in pairs.turns(~np.isnan(value)):
            row, at, x = pairs.row[turn], time[turn], value[turn]
            # "not within the band" rather than "outside", so that the first value (anchor NaN) counts as a move
            moved = (
                ~(np.abs(x - self._anchor[row]) <= self._band[row]) | (self._nonzero[row] & (x == 0)) | ~judged[turn]
            )
            self._anchor[row] = np.where(moved, x, self._anchor[row])
            self._still_since[row] = np.where(moved, at, self._still_since[row])
            score[turn] = (at - self._still_since[row]) / 1e9
        return score

    def arrays(self) -> Arrays:
        """Where and since when each point stands still."""
        return {"anchor": self._anchor, "still_since": self._still_since}
