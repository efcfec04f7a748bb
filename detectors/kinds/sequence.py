"""Sequence: a step of a process is entered from one that does not lead to it (ISA-88: a recipe's order of phases).

The value numbers the step that the process is in; what is not whole counts as the nearest. Parameters: `enters`, the
step that is judged; `after`, the steps that lead to it, one bit each (1 for step 0, 2 for step 1, 4 for step 2, ...);
`within_s`, how long before, s, the step it came from was seen last. The score is 1 from an entry on that comes from any
other step, until that step is left; else 0.

Where the process was seen last longer ago than `within_s`, nobody knows what lay between, and nothing is judged; so it
is for a point that begins in that step, and behind a closed gate.

>>> from detectors.examples import evaluate
>>> evaluate("sequence", [0.0, 1.0, 2.0, 0.0, 2.0, 2.0, 0.0], on=1.0, off=0.0, enters=2.0, after=2.0, within_s=60.0)
['trips at 4 s: 1', 'returns at 6 s: nan']
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.feed import NEVER
from detectors.masks import anywhere
from detectors.rules import RuleTable
from detectors.runs import Runs
from detectors.trip import Arrays

MOST: Final = 53
"""Steps that can be told apart: as many bits are exact in a number."""


class Sequence:
    """Scores a step by whether it was entered from one that leads to it."""

    reports: Final = "score"

    def __init__(self, rules: RuleTable) -> None:
        self._enters = rules.param["enters"]
        self._after = rules.param["after"].astype(np.int64)
        self._within = (rules.param["within_s"] * 1e9).astype(np.int64)
        self._step = np.full(len(rules), np.nan)  # the newest that is known
        self._seen = np.full(len(rules), NEVER)  # when that was
        self._astray = np.zeros(len(rules), bool)  # it is the judged one, and was entered from elsewhere

    def skim(self, runs: Runs, awake: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
        """Leave what enters another step, or is in one that was entered from elsewhere."""
        row = runs.row
        left: NDArray[np.bool_] = (np.rint(runs.value) != self._step[row]) | self._astray[row]
        if awake is not None:
            left |= awake
        if not anywhere(left):
            self._seen[row] = runs.time
            return None
        stays = ~left
        self._seen[row[stays]] = runs.time[stays]
        return left

    def score(self, runs: Runs) -> NDArray[np.float64]:
        """1 in a step that was entered from one that does not lead to it, else 0; NaN without a value."""
        row, value = runs.row, np.rint(runs.value)
        known = ~np.isnan(value) & runs.open
        step, seen = runs.fill(value, known, self._step), runs.fill(runs.time, known, self._seen)
        before, then = runs.previous(step, self._step), runs.previous(seen, self._seen)
        inside = known & (value == self._enters[row])
        enters = inside & (before != self._enters[row])
        strays = enters & ~self._leads(row, before) & (runs.time - then <= self._within[row])
        astray = runs.fill(strays, enters | (known & ~inside), self._astray)
        last = runs.last
        of = row[last]
        self._step[of], self._seen[of], self._astray[of] = step[last], seen[last], astray[last]
        return np.where(known, astray.astype(np.float64), np.nan)

    def _leads(self, row: NDArray[np.intp], before: NDArray[np.float64]) -> NDArray[np.bool_]:
        """bool[k], whether a step leads to the judged one, or is not known."""
        unknown = np.isnan(before)
        numbered = (before >= 0) & (before < MOST)
        bit = np.where(numbered, before, 0).astype(np.int64)
        leads: NDArray[np.bool_] = (self._after[row] >> bit) & 1 == 1
        return unknown | (numbered & leads)

    def blind(self, now: int) -> NDArray[np.bool_]:  # noqa: ARG002  the next step tells
        """Never."""
        return np.zeros(len(self._enters), bool)

    def arrays(self) -> Arrays:
        """The step, when it was seen, and whether it was entered from elsewhere."""
        return {"step": self._step, "seen": self._seen, "astray": self._astray}
