"""Deviation: how far a value is from its set-point, wherever the set-point is now (the deviation alarm of ISA-18.2).

Parameters `side`: +1 judges above the set-point, -1 below, 0 either; `relative`: 0 judges the distance in the point's
unit, 1 in percent of the set-point; `setpoint`: in the point's unit, NaN = the newest value of the first input;
`fresh_s`: a set-point reading older than this, s, is not used (inf = any is). The score is the distance seen from
`side`; where single precision of value and set-point leaves open whether it is at `on` or `off`, it is. Without a
set-point, and with one of zero where percent are asked for, nothing can be told.

>>> from detectors.examples import evaluate
>>> nan, inf = float("nan"), float("inf")
>>> evaluate("deviation", [50.0, 47.0, 47.0], on=5.0, others=[[50.0, 50.0, 49.0]], side=-1.0, relative=1.0,
...          setpoint=nan, fresh_s=inf)
['trips at 1 s: 6', 'returns at 2 s: nan']
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.detector import Interval
from detectors.masks import anywhere
from detectors.peers import Peers
from detectors.precision import SINGLE, settled
from detectors.rules import RuleTable
from detectors.runs import Runs
from detectors.trip import Arrays

_MOST: Final = float(np.finfo(np.float64).max)


class Deviation:
    """Scores a value by its distance from a set-point."""

    reports: Final = "score"

    def __init__(self, rules: RuleTable) -> None:
        self._side, self._on, self._off = rules.param["side"], rules.on, rules.off
        self._relative = rules.param["relative"] > 0
        self._setpoint = rules.param["setpoint"]
        self._peers = Peers(rules.inputs[:, :1] if rules.inputs is not None else None, rules.param["fresh_s"])
        self._follows = rules.inputs is not None and bool(np.isnan(self._setpoint).any())
        self._known = ~np.isnan(self._setpoint) & ~(self._relative & (self._setpoint == 0))
        self._low, self._high = self._quiet()

    def skim(self, runs: Runs, awake: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
        """Keep what is not surely near enough to a set-point that is given in the rule."""
        row, value = runs.row, runs.value
        left = (value < self._low[row]) | (value > self._high[row])
        if awake is not None:
            left |= awake
        if not anywhere(left):
            self._known[row] = True
            return None
        self._known[row[~left]] = True
        return left

    def score(self, runs: Runs) -> NDArray[np.float64]:
        """Unit or percent away from the set-point."""
        relative = self._relative[runs.row]
        setpoint = self._setpoint[runs.row]
        if self._follows:
            setpoint = np.where(np.isnan(setpoint), self._peers.values(runs)[:, 0], setpoint)
        setpoint = np.where(relative & (setpoint == 0), np.nan, setpoint)
        self._known[runs.row[runs.last]] = ~np.isnan(setpoint[runs.last])
        part = np.where(relative, 100 / np.where(relative, np.abs(setpoint), 1), 1)
        away = part * (runs.value - setpoint)
        side = self._side[runs.row]
        score = np.where(side == 0, np.abs(away), side * away)
        unsure = part * (SINGLE * (np.abs(runs.value) + np.abs(setpoint)))
        return settled(settled(score, self._off[runs.row], unsure), self._on[runs.row], unsure)

    def _quiet(self) -> Interval:
        """Between which values the score is surely below `on`, whatever is rounded; nowhere without a set-point."""
        setpoint = np.where(self._known, self._setpoint, 1.0)
        reach = self._on * np.where(self._relative, np.abs(setpoint) / 100, 1.0)
        reach = reach * (1 - 1e-9 - 2 * SINGLE) - 4 * SINGLE * np.abs(setpoint)
        high = np.where(self._side < 0, _MOST, setpoint + reach)
        low = np.where(self._side > 0, -_MOST, setpoint - reach)
        quiet = self._known & (reach > 0)
        return np.where(quiet, low, np.inf), np.where(quiet, high, -np.inf)

    def blind(self, now: int) -> NDArray[np.bool_]:  # noqa: ARG002  told when the last reading came
        """Rules that had no set-point to use when their point's newest reading came."""
        return np.asarray(~self._known, np.bool_)

    def arrays(self) -> Arrays:
        """Whether there was a set-point to use."""
        return {"known": self._known}
