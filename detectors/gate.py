"""Gates (`when`): a rule is judged only while another point's value says that its process is in the right phase."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.feed import Feed
from detectors.precision import above, below
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


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """How conditions stand in a batch (bool[c + 1] each); the last one, for rules without a gate, always holds.

    Attributes:
        open, known: as in `Passage`, before the batch.
        changed: whether that may change within it.
        any_changed, all_open: of all of them.
    """

    open: NDArray[np.bool_]
    known: NDArray[np.bool_]
    changed: NDArray[np.bool_]
    any_changed: bool
    all_open: bool


class Conditions:
    """The distinct comparisons of many gates: looked at once a batch, however many rules ask.

    What counts is the newest usable value of the gate's point among the readings that arrived no later than the judged
    one. While that was never seen, nothing is judged: the gate point's own silence rule makes that visible.
    """

    def __init__(self, distinct: NDArray[np.float64]) -> None:
        """Take comparisons as rows of point, low, high, outside (float64[c, 4])."""
        self.distinct = distinct
        self.point = distinct[:, 0].astype(np.int32)
        self._low, self._high, self._outside = distinct[:, 1], distinct[:, 2], distinct[:, 3] > 0
        self._feed: Feed | None = None
        self._standing: Standing | None = None

    def __len__(self) -> int:
        return len(self.point)

    def standing(self, feed: Feed) -> Standing:
        """How they stand in a batch."""
        if self._standing is None or self._feed is not feed:
            self._feed, self._standing = feed, self._look(feed)
        return self._standing

    def at(self, value: NDArray[np.float64]) -> Passage:
        """How they stand (bool[c + 1]) where `value` (float64[p]) is known of every point."""
        return self._hold_all(value[self.point])

    def hold(self, which: NDArray[np.intp] | slice, value: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether some of them hold of so many values."""
        inside = (value >= self._low[which]) & (value <= self._high[which])
        return (inside ^ self._outside[which]) & ~np.isnan(value)

    def _look(self, feed: Feed) -> Standing:
        changed = np.zeros(len(self) + 1, bool)
        if feed.single:
            both = self._hold_all(np.array((feed.known.value[self.point], feed.after[self.point])))
            open_, known = both.open[0], both.known[0]
            changed = (open_ != both.open[1]) | (known != both.known[1])
        else:
            before = self.at(feed.known.value)
            open_, known = before.open, before.known
            changed[:-1] = feed.where[self.point] >= 0
        any_changed = bool(changed.any())
        return Standing(open_, known, changed, any_changed, not any_changed and bool(open_.all()))

    def _hold_all(self, value: NDArray[np.float64]) -> Passage:
        """Whether each holds of its value (float64[..., c]), with one more that always does."""
        shape = (*value.shape[:-1], len(self) + 1)
        open_, known = np.ones(shape, bool), np.ones(shape, bool)
        open_[..., :-1], known[..., :-1] = self.hold(slice(None), value), ~np.isnan(value)
        return Passage(open_, known)


class Gates:
    """Decides for every pair whether its gate is open."""

    def __init__(self, gate: GateTable) -> None:
        self.gated = gate.point != NO_GATE
        self.any = bool(self.gated.any())
        low, high, outside = intervals(gate)
        written = np.array([gate.point, low, high, outside]).T[self.gated]
        distinct, which = np.unique(written, axis=0, return_inverse=True)
        self.conditions = Conditions(distinct)
        self._condition = np.full(len(self.gated), len(distinct))
        self._condition[self.gated] = which.ravel()

    def look(self, runs: Runs) -> Passage | None:
        """Look at every pair's gate; None if all are open."""
        if not self.any:
            return None
        standing = self.conditions.standing(runs.feed.whole or runs.feed)
        if standing.all_open:
            return None
        condition = self._condition[runs.row]
        open_, known = standing.open[condition], standing.known[condition]
        if standing.any_changed:
            at = np.flatnonzero(standing.changed[condition])
            asked = condition[at]
            value, _ = runs.feed.newest(self.conditions.point[asked], runs.feed.place[runs.at[at]])
            open_[at], known[at] = self.conditions.hold(asked, value), ~np.isnan(value)
        return None if open_.all() else Passage(open_, known)

    def adopt(self, conditions: Conditions, renamed: NDArray[np.intp]) -> None:
        """Look at other conditions, among which one's own are `renamed` (intp[c + 1])."""
        self.conditions, self._condition = conditions, renamed[self._condition]

    def during(self, feed: Feed, row: NDArray[np.intp]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """bool[k] both: whether the gates of these rules are open before a batch, and whether that may change in it."""
        standing, condition = self.conditions.standing(feed), self._condition[row]
        return standing.open[condition], standing.changed[condition]

    def at(self, value: NDArray[np.float64], row: NDArray[np.intp] | slice = slice(None)) -> Passage:
        """What the gates of some rules say where `value` (float64[p]) is known of every point."""
        found, condition = self.conditions.at(value), self._condition[row]
        return Passage(found.open[condition], found.known[condition])


def share(gates: Sequence[Gates]) -> None:
    """Let many gates look at one set of conditions."""
    every, which = np.unique(
        np.concatenate([np.empty((0, 4)), *(one.conditions.distinct for one in gates)]), axis=0, return_inverse=True
    )
    conditions, begin = Conditions(every), 0
    for one in gates:
        own = np.append(which.ravel()[begin : begin + len(one.conditions)], len(conditions))
        begin += len(one.conditions)
        one.adopt(conditions, own)


def intervals(gate: GateTable) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Each comparison as low <= value <= high (float64[r] both), and whether its opposite is meant (bool[r]).

    What single precision cannot tell from the threshold is at it (`detectors.precision`).

    >>> gate = GateTable(np.array([0, 0]), np.array([GATE_OPS.index(">="), GATE_OPS.index("!=")]), np.array([2.0, 0.0]))
    >>> [[f"{end:g}" for end in ends] for ends in intervals(gate)[:2]], intervals(gate)[2].tolist()
    ([['2', '0'], ['inf', '0']], [False, True])
    """
    low, high = below(gate.threshold), above(gate.threshold)
    bounds = {
        "==": (low, high),
        "!=": (low, high),
        "<": (-np.inf, np.nextafter(low, -np.inf)),
        "<=": (-np.inf, high),
        ">": (np.nextafter(high, np.inf), np.inf),
        ">=": (low, np.inf),
    }
    low = np.choose(gate.op, [bounds[op][0] for op in GATE_OPS])
    high = np.choose(gate.op, [bounds[op][1] for op in GATE_OPS])
    return low, high, gate.op == GATE_OPS.index("!=")
