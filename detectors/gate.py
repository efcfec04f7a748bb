"""Gates (`when`): a rule is evaluated only while another point shows that its process is in the right phase."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.feed import Feed
from detectors.masks import anywhere, everywhere
from detectors.precision import above, below
from detectors.rows import Rows
from detectors.rules import GATE_OPS, NO_GATE, GateTable
from detectors.runs import Runs

CLOSED = -np.inf
"""Score of a reading behind a closed gate: as far from any limit as possible."""


@dataclass(frozen=True, slots=True, eq=False)
class Passage:
    """The state of the gate of each pair.

    Attributes:
        open: bool[k], the rule is evaluated.
        known: bool[k], False where the gate's point has no value yet: not evaluated, but no condition ends.
    """

    open: NDArray[np.bool_]
    known: NDArray[np.bool_]

    def close(self, score: NDArray[np.float64]) -> NDArray[np.float64]:
        """The scores behind open gates, `CLOSED` behind closed ones, NaN where the gate is unknown."""
        return np.where(self.open, score, np.where(self.known, CLOSED, np.nan))


class Conditions:
    """The distinct comparisons of many gates, with their results, updated when their point has a new reading.

    The newest usable value of the gate's point counts, among readings that arrived no later than the evaluated one.
    While there is none, nothing is evaluated: the silence rule of the gate's point makes that visible.

    Attributes:
        distinct: float64[c, 4], the comparisons as rows of point, low, high, outside.
        point: int32[c], the points they compare.
        open, known: bool[c + 1], as in `Passage`, before the batch; the last one, for rules without a gate, always is.
        later: bool[c + 1], which are open after it.
        moved: intp[m], those that may have changed within the batch.
        all_open: none is closed, or may have been.
    """

    def __init__(self, distinct: NDArray[np.float64], points: int) -> None:
        """Prepare these comparisons of some of `points` points."""
        self.distinct = distinct
        self.point = distinct[:, 0].astype(np.int32)
        self._low, self._high, self._outside = distinct[:, 1], distinct[:, 2], distinct[:, 3] > 0
        self._rows = Rows(self.point, points)
        self._in_batch = self.moved = self.point[:0].astype(np.intp)
        self._now_known = np.empty(0, bool)
        self._group = self._in_batch
        self._layout: object | None = None  # of the batch that `_group` and `_heard` were found for
        self.changed = np.zeros(len(distinct) + 1, bool)
        self._inside: NDArray[np.int8]  # whether what the point shows lies in the interval; -1 = not known
        self.sync(np.full(points, np.nan))

    def __len__(self) -> int:
        return len(self.point)

    def sync(self, value: NDArray[np.float64]) -> None:
        """Evaluate all from the newest `value` of every point (float64[p])."""
        found = self.at(value)
        self.open, self.known, self.later = found.open, found.known, found.open.copy()
        self._closed = int(np.count_nonzero(~self.open))
        self._inside = _insides(found.open[:-1], found.known[:-1], self._outside)

    def begin_batch(self, feed: Feed) -> None:
        """Update those whose point is in a batch, before detectors evaluate it."""
        if feed.layout is None or feed.layout is not self._layout:
            self._layout, (self._group, self._in_batch) = feed.layout, self._rows.of(feed.group)
        if len(self.moved):
            self.changed[self.moved] = False
        which = self.moved = self._in_batch
        if not len(which):
            return
        value = feed.after[self._group]
        inside = (value >= self._low[which]) & (value <= self._high[which])
        if feed.single and feed.complete and not anywhere(inside.view(np.int8) != self._inside[which]):
            self.moved = which[:0]
            return
        open_, self._now_known = self.hold(which, value), ~np.isnan(value)
        if feed.single:
            moves = (open_ != self.open[which]) | (self._now_known != self.known[which])
            self.moved = which[moves]
        if len(self.moved):
            self.later[which] = open_
            self.changed[self.moved] = True

    def end_batch(self) -> None:
        """Make the results after the batch the present ones, once all detectors have evaluated it."""
        if len(self.moved):
            which = self._in_batch
            self._closed += int(np.count_nonzero(self.open[which])) - int(np.count_nonzero(self.later[which]))
            self.open[which], self.known[which] = self.later[which], self._now_known
            self._inside[which] = _insides(self.open[which], self.known[which], self._outside[which])

    @property
    def all_open(self) -> bool:
        """Whether no gate is closed, or may have been within the batch."""
        return not self._closed and not len(self.moved)

    def stay_open(self, which: NDArray[np.intp]) -> bool:
        """Whether these (intp[k], with repetitions) are open throughout the batch."""
        if len(self.moved) and anywhere(self.changed[which]):
            return False
        return not self._closed or everywhere(self.open[which])

    def at(self, value: NDArray[np.float64]) -> Passage:
        """Their results (bool[c + 1]) for the newest `value` of every point (float64[p])."""
        open_, known = np.ones(len(self) + 1, bool), np.ones(len(self) + 1, bool)
        value = value[self.point]
        open_[:-1], known[:-1] = self.hold(slice(None), value), ~np.isnan(value)
        return Passage(open_, known)

    def hold(self, which: NDArray[np.intp] | slice, value: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether each of these comparisons holds for its value."""
        inside = (value >= self._low[which]) & (value <= self._high[which])
        return (inside ^ self._outside[which]) & ~np.isnan(value)


def _insides(open_: NDArray[np.bool_], known: NDArray[np.bool_], outside: NDArray[np.bool_]) -> NDArray[np.int8]:
    """int8, from the results of comparisons (bool each): whether the value lies in the interval, -1 = unknown."""
    return np.where(known, open_ ^ outside, -1).astype(np.int8)


class Gates:
    """Decides for every pair whether its gate is open."""

    def __init__(self, gate: GateTable, points: int) -> None:
        self.gated = gate.point != NO_GATE
        self.any = bool(self.gated.any())
        low, high, outside = intervals(gate)
        written = np.array([gate.point, low, high, outside]).T[self.gated]
        distinct, which = np.unique(written, axis=0, return_inverse=True)
        condition = np.full(len(self.gated), len(distinct))
        condition[self.gated] = which.ravel()
        self.adopt(Conditions(distinct, points), condition)

    def adopt(self, conditions: Conditions, condition: NDArray[np.intp]) -> None:
        """Use these conditions, each rule its own (intp[r]; one beyond the last = it has no gate)."""
        self.conditions, self.condition = conditions, condition
        self._rows = Rows(condition, len(conditions) + 1)

    def passage(self, runs: Runs) -> Passage | None:
        """The state of every pair's gate; None if all are open."""
        if not self.any or self.conditions.all_open:
            return None
        conditions, condition = self.conditions, self.condition[runs.row]
        open_ = conditions.open[condition]
        changed = conditions.changed[condition] if len(conditions.moved) else None
        if changed is None or not anywhere(changed):
            return None if everywhere(open_) else Passage(open_, conditions.known[condition])
        known, at = conditions.known[condition], changed.nonzero()[0]
        pending = condition[at]
        value, _ = runs.feed.newest(conditions.point[pending], runs.feed.place[runs.at[at]])
        open_[at], known[at] = conditions.hold(pending, value), ~np.isnan(value)
        return None if everywhere(open_) else Passage(open_, known)

    def moved(self) -> NDArray[np.intp]:
        """The rules whose gate may have changed within the batch."""
        conditions = self.conditions
        return self._rows.of(conditions.moved)[1] if self.any and len(conditions.moved) else conditions.moved[:0]

    def later(self, row: NDArray[np.intp]) -> NDArray[np.bool_]:
        """bool[k], whether the gates of these rules are open after the batch."""
        return self.conditions.later[self.condition[row]]

    def at(self, value: NDArray[np.float64]) -> Passage:
        """The state of the gates for the newest `value` of every point (float64[p])."""
        found = self.conditions.at(value)
        return Passage(found.open[self.condition], found.known[self.condition])


def share(gates: Sequence[Gates], points: int) -> Conditions:
    """Let many gates share one set of conditions, which is returned."""
    every, which = np.unique(
        np.concatenate([np.empty((0, 4)), *(gate.conditions.distinct for gate in gates)]), axis=0, return_inverse=True
    )
    conditions, begin = Conditions(every, points), 0
    for gate in gates:
        renamed = np.append(which.ravel()[begin : begin + len(gate.conditions)], len(conditions))
        begin += len(gate.conditions)
        gate.adopt(conditions, renamed[gate.condition])
    return conditions


def intervals(gate: GateTable) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Each comparison as low <= value <= high (float64[r] both), and whether it is negated (bool[r]).

    A value that single precision cannot tell from the threshold counts as at it (`detectors.precision`).

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
