"""Gates (`when`): a rule is judged only while another point's value says that its process is in the right phase."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.feed import Feed
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

    def padded(self, which: NDArray[np.intp]) -> Passage:
        """What they said to some; what lies beyond the last one is open."""
        return Passage(np.append(self.open, True)[which], np.append(self.known, True)[which])

    def close(self, score: NDArray[np.float64]) -> NDArray[np.float64]:
        """The scores of what is judged, `CLOSED` where a gate is closed, NaN where that is not known."""
        return np.where(self.open, score, np.where(self.known, CLOSED, np.nan))


class Gates:
    """Decides for every pair whether its gate is open.

    What counts is the newest usable value of the gate's point among the readings that arrived no later than the judged
    one. While that was never seen, nothing is judged: the gate point's own silence rule makes that visible.
    """

    def __init__(self, gate: GateTable) -> None:
        self.gated = gated = gate.point != NO_GATE
        self.any = bool(gated.any())
        low, high, outside = intervals(gate)
        conditions = np.array([gate.point, low, high, outside]).T[gated]
        distinct, which = np.unique(conditions, axis=0, return_inverse=True)
        # Rules without a gate look at one condition more, which always holds.
        self._condition = np.full(len(gated), len(distinct))
        self._condition[gated] = which.ravel()
        self._point = distinct[:, 0].astype(np.int32)
        self._low, self._high, self._outside = distinct[:, 1], distinct[:, 2], distinct[:, 3] > 0

    def look(self, runs: Runs) -> Passage | None:
        """Look at every pair's gate; None if all are open."""
        if not self.any:
            return None
        condition = self._condition[runs.row]
        feed, every = runs.feed.whole or runs.feed, len(self._point) < len(runs)
        gated = slice(None) if every else condition < len(self._point)
        settled = self._settled(feed, np.arange(len(self._point)) if every else condition[gated])
        if settled is not None and settled.open.all():
            return None
        if settled is not None and every:
            return settled.padded(condition)
        gated = condition < len(self._point)
        told = self._looked_up(runs, condition, gated) if settled is None else settled
        open_, known = np.ones(len(runs), bool), np.ones(len(runs), bool)
        open_[gated], known[gated] = told.open, told.known
        return Passage(open_, known)

    def settled(self, feed: Feed, row: NDArray[np.intp]) -> Passage | None:
        """What the gates of these gated rules (intp[k]) say throughout the batch; None if any may change in it."""
        return self._settled(feed, self._condition[row])

    def open_at(self, row: NDArray[np.intp], value: NDArray[np.float64]) -> NDArray[np.bool_]:
        """bool[k], whether the gates of these rules are open, given what is known of every point (float64[p])."""
        condition = self._condition[row]
        gated = condition < len(self._point)
        condition = condition[gated]
        open_ = np.ones(len(row), bool)
        open_[gated] = self._holds(condition, value[self._point[condition]])
        return open_

    def standing(self, value: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """bool[r] open and bool[r] known, given the newest usable value of every point (float64[p])."""
        now = value[self._point]
        holds = self._holds(slice(None), now)
        return np.append(holds, True)[self._condition], np.append(~np.isnan(now), True)[self._condition]

    def _settled(self, feed: Feed, condition: NDArray[np.intp]) -> Passage | None:
        """What holds of these conditions, if it does so throughout the batch; None if any may change in it."""
        point = self._point[condition]
        before = feed.known.value[point]
        now = Passage(self._holds(condition, before), ~np.isnan(before))
        if not feed.single:
            return None if (feed.where[point] >= 0).any() else now
        after = feed.after[point]
        changed = (now.open != self._holds(condition, after)) | (now.known == np.isnan(after))
        return None if changed.any() else now

    def _looked_up(self, runs: Runs, condition: NDArray[np.intp], gated: NDArray[np.bool_]) -> Passage:
        """What held of each gated pair's condition when its reading came."""
        value, _ = runs.feed.newest(self._point[condition[gated]], runs.feed.place[runs.at[gated]])
        return Passage(self._holds(condition[gated], value), ~np.isnan(value))

    def _holds(self, condition: NDArray[np.intp] | slice, value: NDArray[np.float64]) -> NDArray[np.bool_]:
        inside = (value >= self._low[condition]) & (value <= self._high[condition])
        return (inside ^ self._outside[condition]) & ~np.isnan(value)


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
