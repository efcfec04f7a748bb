"""Gates (`when`): a rule is judged only while another point's value says that its process is in the right phase."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.rules import GATE_OPS, NO_GATE, GateTable
from detectors.runs import Runs

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

    def __init__(self, gate: GateTable) -> None:
        self._gated = gate.point != NO_GATE
        self.any = bool(self._gated.any())
        self._point = np.where(self._gated, gate.point, 0)
        # Every comparison is an interval, or the outside of one.
        self._low, self._high, self._outside = intervals(gate)

    def look(self, runs: Runs) -> Passage | None:
        """Look at every pair's gate; None if no rule of them has one."""
        if not self.any:
            return None
        gated = np.flatnonzero(self._gated[runs.row])
        if not len(gated):
            return None
        row = runs.row[gated]
        value, _ = runs.feed.newest(self._point[row], runs.feed.place[runs.at[gated]])
        open_, known = np.ones(len(runs), bool), np.ones(len(runs), bool)
        known[gated] = ~np.isnan(value)
        open_[gated] = self._passes(row, value)
        return Passage(open_, known)

    def standing(self, value: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """bool[r] open and bool[r] known, given the newest usable value of every point (float64[p])."""
        now = value[self._point]
        rows = np.arange(len(self._point))
        return ~self._gated | self._passes(rows, now), ~self._gated | ~np.isnan(now)

    def _passes(self, row: NDArray[np.intp], value: NDArray[np.float64]) -> NDArray[np.bool_]:
        inside = (value >= self._low[row]) & (value <= self._high[row])
        return (inside ^ self._outside[row]) & ~np.isnan(value)


def intervals(gate: GateTable) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Each comparison as low <= value <= high (float64[r] both), and whether its opposite is meant (bool[r]).

    >>> gate = GateTable(np.array([0, 0]), np.array([GATE_OPS.index(">="), GATE_OPS.index("!=")]), np.array([2.0, 3.0]))
    >>> [column.tolist() for column in intervals(gate)]
    [[2.0, 3.0], [inf, 3.0], [False, True]]
    """
    threshold = gate.threshold
    below, above = np.nextafter(threshold, -np.inf), np.nextafter(threshold, np.inf)
    bounds = {
        "==": (threshold, threshold),
        "!=": (threshold, threshold),
        "<": (-np.inf, below),
        "<=": (-np.inf, threshold),
        ">": (above, np.inf),
        ">=": (threshold, np.inf),
    }
    low = np.choose(gate.op, [bounds[op][0] for op in GATE_OPS])
    high = np.choose(gate.op, [bounds[op][1] for op in GATE_OPS])
    return low, high, gate.op == GATE_OPS.index("!=")
