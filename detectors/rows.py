"""Index from numbers to the rows that have them: rules of a point or condition, channels of a driver."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Rows:
    """Finds the rows of some numbers at a cost proportional to the result, however long the table is.

    >>> rows = Rows(np.array([7, 2, 7, 0]), 8)
    >>> [found.tolist() for found in rows.of(np.array([1, 2, 7]))]
    [[1, 2, 2], [1, 0, 2]]
    """

    def __init__(self, number: NDArray[np.integer], numbers: int) -> None:
        """Prepare for rows that bear `number` ([r]), each below `numbers`."""
        self._rows = np.argsort(number, kind="stable")
        self._count = np.bincount(number, minlength=numbers).astype(np.intp)
        self._end = np.cumsum(self._count)
        self._once = bool(self._count.max(initial=0) <= 1)  # no number is borne by several

    def of(self, numbers: NDArray[np.integer]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Places in `numbers` and rows that bear them (intp[k] both): a place once for each of its rows, in order."""
        numbers = numbers.astype(np.intp, copy=False)
        count = self._count[numbers]
        if self._once:
            place = count.nonzero()[0]
            return place, self._rows[self._end[numbers[place]] - 1]
        place = np.arange(len(count)).repeat(count)
        if not len(place):
            return place, place
        shift = self._end[numbers] - np.add.accumulate(count)  # from a place in the answer to one in `_rows`
        return place, self._rows[np.arange(len(place)) + shift[place]]
