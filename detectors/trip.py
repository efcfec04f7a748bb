"""Turns scores into verdicts: deadband, on-delay and off-delay in event time, N of M, for every detector.

ISA-18.2 / IEC 62682 describe the parameters; the delays are those of a TON/TOF timer pair (IEC 61131-3).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from detectors.calibration import Calibration
from detectors.masks import anywhere, everywhere
from detectors.rules import RuleTable
from detectors.runs import Runs

Arrays = dict[str, NDArray[np.generic]]

_BIT = np.uint64(1)
_NOTHING: Final = (np.empty(0, np.intp), np.empty(0, bool), np.empty(0, np.int64), np.empty(0))


@runtime_checkable
class Bounded(Protocol):
    """A scorer whose scores stay below 1, as s = x / (1 + x): limits are learnt of x, which has no bound."""

    @property
    def bounded(self) -> bool:
        """Always true."""


class Trip:
    """Decides, reading by reading, whether each rule is tripped.

    The condition begins at score >= on and ends at score <= off (and < on); between the two, and where the score is NaN
    (cannot tell), it stays as it was. The rule trips once the condition has held for `on_delay`, and returns once it
    has been gone for `off_delay`. A reading that cannot be scored never completes a delay. With N of M the condition
    begins when N of the last M scored readings are at or above `on`, and ends when fewer are.

    The limits of rules with a budget of findings are learnt (`calibration`); what is worth a look is still decided by
    their own, which are never higher.
    """

    def __init__(self, rules: RuleTable, *, bounded: bool = False) -> None:
        """Prepare; `bounded`: scores stay below 1, as s = x / (1 + x)."""
        rows = len(rules)
        self._rules = rules
        self.calibration = Calibration(rules, bounded=bounded) if rules.budgeted().any() else None
        self._on, self._off = (rules.on, rules.off) if self.calibration is None else self.calibration.limits
        self._counting = None if rules.of is None or (rules.of <= 1).all() else rules.of > 1
        self.condition = np.zeros(rows, bool)
        self.since = np.zeros(rows, np.int64)
        self.tripped = np.zeros(rows, bool)
        self.history = np.zeros(rows if self._counting is not None else 0, np.uint64)
        self.busy = np.zeros(rows, bool)
        """bool[r], rules that are not at rest: their next reading matters whatever its score."""
        self._many = 0  # rules that are not at rest

    def status(self, row: NDArray[np.intp]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """bool[k] both: which of these rules are tripped, and which need every reading whatever its score.

        The latter are rules with a running delay, or that count N of M.
        """
        tripped = self.tripped[row]
        moving = self.condition[row] != tripped
        if self._counting is not None:
            moving |= self.history[row] != 0
        return tripped, moving

    def mark_resting(self, runs: Runs) -> None:
        """Mark in runs which of their rules are at rest."""
        runs.settled = not self._many
        if self._many:
            busy = self.busy[runs.row]
            runs.settled = not anywhere(busy)
            if not runs.settled:
                runs.rest = ~busy

    def evaluate(
        self, runs: Runs, score: NDArray[np.float64]
    ) -> tuple[Runs, NDArray[np.intp], NDArray[np.bool_], NDArray[np.int64], NDArray[np.float64]]:
        """Update the verdicts by one batch.

        Args:
            runs: pairs of rules and readings.
            score: float64[k], higher = worse, NaN = cannot tell.

        Returns:
            The runs of the rules that could change; the places in them at which a verdict changed, whether it tripped
            there, since when the condition held, and the score.
        """
        hot = runs.reaches(score, self._rules.on)
        hours = None if self.calibration is None else self.calibration.hours(runs, score)
        if (runs.settled or not self._many) and not anywhere(hot) and hours is None:
            return runs, *_NOTHING
        concerned = runs.stirred(hot) | self.busy[runs.row]
        if hours is not None and self.calibration is not None:
            self.calibration.pass_hours(runs, hours & ~concerned)
        if everywhere(np.isnan(score[concerned])):  # no score for any of them
            return runs, *_NOTHING
        if not everywhere(concerned):
            hours = None if hours is None else hours[concerned]
            runs, score, hot = runs.take(concerned), score[concerned], hot[concerned]
        if self.calibration is None:
            changed, tripped, since = self._advance(runs, score, hot)
        else:
            changed, tripped, since = self._calibrated(self.calibration, runs, score, hours)
        return runs, changed, tripped, since, score[changed]

    def sync(self) -> None:
        """Recompute derived state after the state was written from outside."""
        self.busy[:] = self.condition | self.tripped
        if self._counting is not None:
            self.busy |= self.history != 0
        if self.calibration is not None:
            self.calibration.sync()
            self.busy |= self.calibration.height > 0
        self._many = int(np.count_nonzero(self.busy))

    def _calibrated(
        self, calibration: Calibration, runs: Runs, score: NDArray[np.float64], hours: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.intp], NDArray[np.bool_], NDArray[np.int64]]:
        """Advance from hour to hour, with the limits learnt up to each."""
        changed, tripped, since = [], [], []
        for part in _parts(runs, hours):
            here, scored = (runs, score) if len(part) == len(runs) else (runs.at_places(part), score[part])
            if hours is not None:
                calibration.pass_hours(here, hours[part])
            calibration.count(here, scored)
            at, raised, began = self._advance(here, scored, scored >= self._on[here.row])
            calibration.spend(here.row[at[raised]])
            changed.append(part[at])
            tripped.append(raised)
            since.append(began)
        if len(changed) == 1:
            return changed[0], tripped[0], since[0]
        place = np.concatenate(changed)
        order = place.argsort()
        return place[order], np.concatenate(tripped)[order], np.concatenate(since)[order]

    def _advance(
        self, runs: Runs, score: NDArray[np.float64], hot: NDArray[np.bool_]
    ) -> tuple[NDArray[np.intp], NDArray[np.bool_], NDArray[np.int64]]:
        rules, row = self._rules, runs.row
        on, time = hot, runs.time
        off = ~hot & (score <= self._off[row])
        usable = ~np.isnan(score)
        if self._counting is not None:
            on, off = self._count(runs, on, off, usable)
        condition = runs.fill(on, on | off, self.condition)
        switched = condition != runs.previous(condition, self.condition)
        since = runs.fill(time, switched, self.since)
        held = time - since
        trips = usable & condition & (held >= rules.on_delay[row])
        returns = usable & ~condition & (held >= rules.off_delay[row])
        tripped = runs.fill(trips, trips | returns, self.tripped)
        changed = np.flatnonzero(tripped != runs.previous(tripped, self.tripped))

        last = runs.last
        row, condition = row[last], condition[last]
        self.condition[row], self.since[row], self.tripped[row] = condition, since[last], tripped[last]
        busy = condition | tripped[last]
        if self._counting is not None:
            busy |= self.history[row] != 0
        if self.calibration is not None:
            busy |= self.calibration.height[row] > 0
        self._many += int(np.count_nonzero(busy)) - int(np.count_nonzero(self.busy[row]))
        self.busy[row] = busy
        return changed, tripped[changed], since[changed]

    def _count(
        self, runs: Runs, on: NDArray[np.bool_], off: NDArray[np.bool_], usable: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Where N of M begins and ends, for the rules that count; the others are unchanged."""
        need, of = self._rules.need, self._rules.of
        if need is None or of is None or self._counting is None:
            return on, off
        on, off = on.copy(), off.copy()
        mask = np.where(of >= 64, np.uint64(2**64 - 1), (_BIT << np.minimum(of, 63).astype(np.uint64)) - _BIT)
        for pairs in runs.rounds():
            counted = pairs[usable[pairs] & self._counting[runs.row[pairs]]]
            row = runs.row[counted]
            self.history[row] = ((self.history[row] << _BIT) | on[counted].astype(np.uint64)) & mask[row]
            enough = np.bitwise_count(self.history[row]) >= need[row]
            on[counted], off[counted] = enough, ~enough
        return on, off

    def arrays(self) -> Arrays:
        """The state, one entry a rule in every array; after writing into them, `sync`."""
        state: Arrays = {"condition": self.condition, "since": self.since, "tripped": self.tripped}
        if self._counting is not None:
            state["history"] = self.history
        return state if self.calibration is None else joined(state, self.calibration.arrays())


def _parts(runs: Runs, hours: NDArray[np.bool_] | None) -> Iterator[NDArray[np.intp]]:
    """Cut runs before the first scored reading of each hour of each rule: places (intp[m]), oldest parts first."""
    if hours is None or runs.single:
        yield np.arange(len(runs))
        return
    passed: NDArray[np.int64] = np.cumsum(hours)
    number: NDArray[np.int64] = passed - (passed - hours)[runs.first]
    for part in range(int(number.max()) + 1):
        yield np.flatnonzero(number == part)


def joined(*parts: Mapping[str, NDArray[np.generic]]) -> Arrays:
    """Join the named arrays of one state.

    Raises:
        ValueError: two have the same name, so that one would be lost.
    """
    names = Counter(name for part in parts for name in part)
    if twice := [name for name, many in names.items() if many > 1]:
        raise ValueError(f"two arrays of one memory are named {', '.join(twice)}: name them apart")
    return {name: array for part in parts for name, array in part.items()}
