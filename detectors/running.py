"""Running statistics that a rule learns reading by reading, however the readings are batched.

Mean and spread after Welford, "Note on a method for calculating corrected sums of squares", Technometrics 4, 1962.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.runs import Runs
from detectors.trip import Arrays

Index = NDArray[np.intp] | slice
"""Rules, each once: their rows, or `EVERYONE`."""

EVERYONE: Final = slice(None)
"""All rules in their order: a slice of their arrays is the arrays themselves, to be changed in place."""

Step = Callable[..., NDArray[np.float64]]
"""Takes an `Index` and one array a column, one reading each of different rules; gives their scores."""


class Walk:
    """Takes a recursion through batches one reading of each rule at a time, oldest first."""

    def __init__(self, rows: int) -> None:
        self._all = np.arange(rows)

    def score(
        self, runs: Runs, usable: NDArray[np.bool_], step: Step, *columns: NDArray[np.generic]
    ) -> NDArray[np.float64]:
        """Scores, float64[k]; NaN for pairs that are not usable (bool[k]).

        `step` sees every usable pair once, with what the `columns` ([k] each) hold for it.
        """
        everything = bool(usable.all())
        if everything and self._in_step(runs):
            return self._march(len(runs) // len(self._all), step, columns)
        score = np.full(len(runs), np.nan)
        for pairs in runs.rounds():
            seen = pairs if everything else pairs[usable[pairs]]
            score[seen] = step(runs.row[seen], *(column[seen] for column in columns))
        return score

    def along(self, grid: NDArray[np.float64], step: Step) -> NDArray[np.float64]:
        """Scores, float64[k], of the result of `Runs.steps`: values step by step (float64[steps, rules])."""
        if len(grid) == 1:
            return step(EVERYONE, grid[0])
        score = np.empty(grid.shape)
        for number, value in enumerate(grid):
            step(EVERYONE, value, score[number])
        return score.T.ravel()

    def _in_step(self, runs: Runs) -> bool:
        """Whether every rule comes equally often, in the order of the rules."""
        rows = len(self._all)
        if len(runs.last) != rows or len(runs) % rows:
            return False
        return bool((runs.row.reshape(rows, -1) == self._all[:, None]).all())

    def _march(self, depth: int, step: Step, columns: tuple[NDArray[np.generic], ...]) -> NDArray[np.float64]:
        if depth == 1:
            return step(EVERYONE, *columns)
        rows = len(self._all)
        by_step = [np.ascontiguousarray(column.reshape(rows, depth).T) for column in columns]
        score = np.empty((depth, rows))
        for number in range(depth):
            score[number] = step(EVERYONE, *(column[number] for column in by_step))
        return score.T.ravel()


def among(at: Index, which: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The rows of some of these rules."""
    return np.flatnonzero(which) if isinstance(at, slice) else at[which]


class RunningMoments:
    """Count, mean and sum of squared deviations of each rule's readings."""

    def __init__(self, rows: int) -> None:
        self.count, self.mean, self.square = np.zeros(rows), np.zeros(rows), np.zeros(rows)

    def learn(self, at: Index, value: NDArray[np.float64]) -> None:
        """Add one reading of each of these rules."""
        count, mean, square = self.count[at], self.mean[at], self.square[at]
        count += 1
        away = value - mean
        mean += away / count
        away *= value - mean
        square += away
        if at is not EVERYONE:
            self.count[at], self.mean[at], self.square[at] = count, mean, square

    def forget(self, rows: NDArray[np.intp]) -> None:
        """Begin again for these rules."""
        self.count[rows] = self.mean[rows] = self.square[rows] = 0

    def spread(self, at: Index, floor: NDArray[np.float64]) -> NDArray[np.float64]:
        """Standard deviation, at least `floor`; one reading has none."""
        spread = self.square[at] / np.maximum(self.count[at] - 1, 1)
        np.sqrt(spread, out=spread)
        return np.maximum(spread, floor, out=spread)

    def arrays(self) -> Arrays:
        """The state, one entry a rule in every array."""
        return {"count": self.count, "mean": self.mean, "square": self.square}
