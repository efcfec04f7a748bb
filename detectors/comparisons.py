"""Makes the comparisons of many expressions at once: each is a few numbers, and a call a comparison would cost more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.masks import anywhere
from detectors.precision import SINGLE
from detectors.rules import GATE_OPS

Floats = NDArray[np.float64]

_FUNCTIONS: Final = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}
_TESTS: Final = tuple(_FUNCTIONS[op] for op in GATE_OPS)
_TRUTH: Final = np.array([[test(*sides) for sides in ((0, 1), (0, 0), (1, 0))] for test in _TESTS], np.float64)
"""Of each of them whether it holds where the left side is less, as much, or more."""


def truth(left: Floats, right: Floats, test: int, *, known: bool) -> Floats:
    """1 where a test (index in `GATE_OPS`) holds between two values (float64[k] each), else 0; NaN = unknown.

    Sides that single precision cannot tell apart are equal (`detectors.precision`). `known`: no side is NaN.

    >>> truth(np.array([np.float32(60.1), 60.0, 60.2]), np.array(60.1), GATE_OPS.index(">="), known=True).tolist()
    [1.0, 0.0, 1.0]
    """
    same = _equal(left, right)
    holds = _TESTS[test](np.where(same, right, left) if anywhere(same) else left, right).astype(np.float64)
    return holds if known else np.where(np.isnan(left + right), np.nan, holds)


def truths(left: Floats, right: Floats, test: NDArray[np.intp], *, known: bool) -> Floats:
    """The same with a test for each pair (intp[k]): of few pairs, all comparisons cost what one costs.

    >>> truths(np.array([60.0, 1.0, 2.0]), np.array([60.0, 1.0, 1.0]), np.array([2, 4, 4]), known=True).tolist()
    [0.0, 0.0, 1.0]
    """
    order = np.where(_equal(left, right), 1, (left >= right).astype(np.intp) + (left > right))
    holds = _TRUTH[test, order]
    return holds if known else np.where(np.isnan(left + right), np.nan, holds)


def _equal(left: Floats, right: Floats) -> NDArray[np.bool_]:
    return np.abs(left - right) <= SINGLE * np.maximum(np.abs(left), np.abs(right))


Side = int | Floats
"""A side of a comparison in many channels: which of their inputs it is, or their numbers (float64[r])."""
Made = tuple[Side, Side, int]
"""A comparison in many channels: its sides and its test."""


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """The comparisons of some channels, prepared for their inputs.

    Attributes:
        left, right: intp[m], where the sides are among inputs and numbers, row by row.
        test: intp[m], index in `GATE_OPS`.
        number: float64[n, k], the numbers of k channels that are sides.
        place: intp[m], where the results are in a table of [`most`, k], row by row.
    """

    left: NDArray[np.intp]
    right: NDArray[np.intp]
    test: NDArray[np.intp]
    number: Floats
    place: NDArray[np.intp]
    most: int

    def truths(self, inputs: Floats, *, known: bool) -> Floats:
        """float64[m], the results for the channels' inputs (float64[names, k]); `known`: no side is NaN."""
        side = np.concatenate((inputs, self.number)).ravel()
        return truths(side[self.left], side[self.right], self.test, known=known)

    def by_channel(self, truth: Floats) -> Floats:
        """float64[most, k], the results (float64[m]) by channel: as many as it has, the rest undefined."""
        table = np.empty((self.most, self.number.shape[1]))
        table.reshape(-1)[self.place] = truth
        return table


class ComparisonTable:
    """The comparisons of all channels."""

    def __init__(self, groups: Sequence[tuple[int, Sequence[Made]]], names: int) -> None:
        """Prepare for groups of channels: how many, and the sides and test of each comparison that all of them make.

        `names`: how many inputs a channel has at most.
        """
        channels = sum(many for many, _ in groups)
        most = max((len(made) for _, made in groups), default=0)
        constants = max((sum(not isinstance(s, int) for c in made for s in c[:2]) for _, made in groups), default=0)
        self._side = np.full((2, most, channels), -1, np.intp)  # left and right
        self._test = np.zeros((most, channels), np.intp)
        self._number = np.zeros((constants, channels))
        begin = 0
        for many, made in groups:
            of, number = slice(begin, begin + many), names
            for nth, (left, right, test) in enumerate(made):
                self._test[nth, of] = test
                for end, side in enumerate((left, right)):
                    if isinstance(side, int):
                        self._side[end, nth, of] = side
                        continue
                    self._side[end, nth, of] = number
                    self._number[number - names, of] = side
                    number += 1
            begin += many
        self.known = not np.isnan(self._number).any()
        """Whether no number is NaN."""

    def choose(self, row: NDArray[np.intp]) -> Chosen:
        """The comparisons of some channels (intp[k])."""
        side = self._side[:, :, row]
        left, right = side.reshape(2, -1)
        place = (left >= 0).nonzero()[0]
        channel = place % len(row)
        return Chosen(
            left[place] * len(row) + channel,
            right[place] * len(row) + channel,
            self._test[:, row].reshape(-1)[place],
            self._number[:, row],
            place,
            side.shape[1],
        )
