"""Pairs of (rule, reading), and scans that run along each rule's readings without a Python loop over them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

S = TypeVar("S", bound=np.generic)


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Every reading with every rule that judges it: sorted by rule, and for one rule in the order of arrival.

    Attributes:
        row: intp[k], row of the rule in its table.
        reading: intp[k], place of the reading in its batch.
        first: intp[k], place of the first pair with the same row.
        last: intp[g], place of the last pair of each row that occurs.
    """

    row: NDArray[np.intp]
    reading: NDArray[np.intp]
    first: NDArray[np.intp]
    last: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.row)

    def fill(self, value: NDArray[S], known: NDArray[np.bool_], carry: NDArray[S]) -> NDArray[S]:
        """The newest `value` that was `known`, along each rule; before the first one, `carry[row]`.

        Args:
            value: [k], one a pair.
            known: bool[k].
            carry: [r], one a rule: what was newest before this batch.
        """
        place = np.where(known, np.arange(len(self)), -1)
        place = np.maximum.accumulate(place) if len(place) else place
        return np.where(place >= self.first, value[place], carry[self.row])

    def previous(self, value: NDArray[S], carry: NDArray[S]) -> NDArray[S]:
        """The value one pair earlier, along each rule; for the first one, `carry[row]`."""
        places = np.arange(len(self))
        return np.where(places > self.first, value[places - 1], carry[self.row])

    def turns(self, which: NDArray[np.bool_]) -> Iterator[NDArray[np.intp]]:
        """The pairs of `which` (bool[k]) in turns, oldest first: no rule stands twice in a turn."""
        depth = np.arange(len(self)) - self.first
        order = np.argsort(depth, kind="stable")
        sizes = np.bincount(depth) if len(depth) else np.empty(0, np.intp)
        for turn in np.split(order, np.cumsum(sizes)[:-1]) if len(sizes) else ():
            yield turn[which[turn]]


class Pairing:
    """Finds the rules of a reading."""

    def __init__(self, point: NDArray[np.int32]) -> None:
        """Prepare for rules that judge `point` (int32[r])."""
        size = int(point.max()) + 1 if len(point) else 0
        self._rows = np.argsort(point, kind="stable")
        # One slot more than there are points: readings of points without a rule are sent there and find none.
        self._count = np.append(np.bincount(point, minlength=size), 0).astype(np.intp)
        self._start = np.append(0, np.cumsum(self._count)[:-1])

    def pair(self, point: NDArray[np.int32]) -> Pairs:
        """Pair readings (their `point`, int32[n], in order of arrival) with the rules that judge them."""
        slot = np.minimum(point, len(self._count) - 1)
        count = self._count[slot]
        reading = np.repeat(np.arange(len(point)), count)
        offset = np.arange(len(reading)) - np.repeat(np.cumsum(count) - count, count)
        row = self._rows[self._start[slot][reading] + offset]
        order = np.argsort(row, kind="stable")
        row, reading = row[order], reading[order]
        starts = np.flatnonzero(np.diff(row, prepend=-1))
        sizes = np.diff(starts, append=len(row))
        return Pairs(row, reading, np.repeat(starts, sizes), starts + sizes - 1)


def pair_all(rows: int) -> Pairs:
    """Every rule once, with itself as its reading: for verdicts that time alone decides."""
    each = np.arange(rows)
    return Pairs(each, each, each, each)
