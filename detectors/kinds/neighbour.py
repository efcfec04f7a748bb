"""Neighbour: instruments that should agree and do not: one CO sensor of a room shows a fifth of what the others do.

Parameters `floor`: in the point's unit, values below it count as it, so that nothing next to nothing says nothing;
`fresh_s`: a neighbour's reading older than this, s, is not used. Inputs: the neighbours. The score is how many times
the value is above or below the median of the fresh neighbours; with three or more of them one that lies cannot pull it.
With fewer than two, nothing can be told. Of two that disagree with each other the median is the mean, so both may be
right; that is why the finding names the judged point itself. (The neighbour test of real-time quality control, IOOS
QARTOD, 2020, is the same idea with one neighbour.)

>>> from detectors.examples import evaluate
>>> evaluate("neighbour", [4.0, 5.0, 30.0], on=5.0, others=[[5.0, 30.0, 31.0], [6.0, 34.0, 33.0]], floor=2.0,
...          fresh_s=60.0)
['trips at 1 s: 6.4', 'returns at 2 s: nan']
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.peers import Peers
from detectors.robust import median
from detectors.rules import RuleTable
from detectors.runs import Runs
from detectors.trip import Arrays

_LEAST_PEERS: Final = 2


class Neighbour:
    """Scores a value by its ratio to what its neighbours show."""

    reports: Final = "score"

    def __init__(self, rules: RuleTable) -> None:
        self._point = rules.point
        self._floor = rules.param["floor"]
        self._peers = Peers(rules.inputs, rules.param["fresh_s"])
        self._known = np.zeros(len(rules), bool)
        self.cause = np.empty(0, np.int32)

    def score(self, runs: Runs) -> NDArray[np.float64]:
        """How many times above or below; NaN without a value or without two fresh neighbours."""
        self.cause = self._point[runs.row]
        seen = self._peers.values(runs)
        enough = np.count_nonzero(~np.isnan(seen), axis=1) >= _LEAST_PEERS
        self._known[runs.row[runs.last]] = enough[runs.last]
        if not seen.shape[1]:
            return np.full(len(runs), np.nan)
        floor = self._floor[runs.row]
        mine, theirs = np.maximum(runs.value, floor), np.maximum(median(seen), floor)
        return np.where(enough, np.maximum(mine / theirs, theirs / mine), np.nan)

    def blind(self, now: int) -> NDArray[np.bool_]:  # noqa: ARG002  told when the last reading came
        """Rules that had not two fresh neighbours when their point's newest reading came."""
        return ~self._known

    def arrays(self) -> Arrays:
        """Whether there were enough neighbours."""
        return {"known": self._known}
