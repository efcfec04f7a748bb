"""Gates (`when`): a rule is judged only while another point's value says that its process is in the right phase."""

from __future__ import annotations

import operator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.pairs import Pairs
from detectors.readings import Readings
from detectors.rules import GATE_OPS, NO_GATE, RuleTable
from detectors.trip import Arrays

_COMPARE = dict(
    zip(GATE_OPS, (operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge), strict=True)
)
CLOSED = -np.inf
"""Score of a reading that a closed gate keeps from being judged: as far from any limit as can be."""


@dataclass(frozen=True, slots=True, eq=False)
class Passage:
    """What the gates said to each pair.

    Attributes:
        open: bool[k], the rule is judged.
        known: bool[k], False where the gate's point was never seen: not judged either, but nothing is over.
    """

    open: NDArray[np.bool_]
    known: NDArray[np.bool_]

    def close(self, score: NDArray[np.float64]) -> NDArray[np.float64]:
        """The scores of what is judged, `CLOSED` where a gate is closed, NaN where that is not known."""
        return np.where(self.open, score, np.where(self.known, CLOSED, np.nan))


class Gates:
    """Decides for every pair whether its gate is open.

    What counts is the newest usable value of the gate's point among the readings that arrived no later than the judged
    one. While that was never seen, nothing is judged: the gate point's own silence rule makes that visible.
    """

    def __init__(self, rules: RuleTable) -> None:
        self._gate = rules.gate
        self._gated = np.flatnonzero(rules.gate.point != NO_GATE)
        self._looked_at = np.unique(rules.gate.point[self._gated])
        self.value = np.full(len(rules), np.nan)

    def look(self, pairs: Pairs, readings: Readings) -> Passage:
        """Look at every pair's gate, and remember the values for the next batch."""
        judged, known = np.ones(len(pairs), bool), np.ones(len(pairs), bool)
        if not len(self._gated) or not len(readings):
            return Passage(judged, known)
        gate, size = self._gate, len(readings)
        usable = np.flatnonzero(np.isin(readings.point, self._looked_at) & ~np.isnan(readings.value))
        # (point, place) folded into one sorted key: the newest reading of a point up to a place is one search away
        key = np.sort(readings.point[usable].astype(np.int64) * size + usable)

        def newest(row: NDArray[np.intp], place: NDArray[np.intp]) -> NDArray[np.float64]:
            point = gate.point[row].astype(np.int64)
            at = np.searchsorted(key, point * size + place, side="right") - 1
            hit = key[at] if len(key) else np.full(len(row), -1)
            found = (at >= 0) & (hit // size == point)
            return np.where(found, readings.value[hit % size], self.value[row])

        gated = np.flatnonzero(gate.point[pairs.row] != NO_GATE)
        row = pairs.row[gated]
        value = newest(row, pairs.reading[gated])
        passes = np.zeros(len(row), bool)
        for code, name in enumerate(GATE_OPS):
            ours = gate.op[row] == code
            passes[ours] = _COMPARE[name](value[ours], gate.threshold[row][ours])
        known[gated] = ~np.isnan(value)
        judged[gated] = passes & known[gated]
        self.value[self._gated] = newest(self._gated, np.full(len(self._gated), size - 1))
        return Passage(judged, known)

    def arrays(self) -> Arrays:
        """The state, one entry a rule."""
        return {"gate": self.value}
