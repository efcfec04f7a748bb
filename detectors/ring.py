"""Ring buffers: the last entries of each rule, as of each reading."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from detectors.feed import NEVER
from detectors.runs import Runs
from detectors.trip import Arrays

Columns = Mapping[str, NDArray[np.generic]]


class Ring:
    """For every rule, its last `size` entries in columns, oldest first; where there are fewer, the fill value.

    >>> import numpy as np
    >>> from detectors.feed import Known, make_feed
    >>> from detectors.readings import Readings
    >>> from detectors.runs import RuleIndex
    >>> one = np.zeros(3, np.int32)
    >>> runs = RuleIndex(np.array([0]), 1).runs(make_feed(Readings(one, np.arange(3), np.array([5.0, 6.0, 7.0]),
    ...                                                        np.arange(3), one), Known(1)))
    >>> ring = Ring(1, 2, {"value": np.nan})
    >>> past = ring.push(runs, np.arange(3), {"value": runs.value})
    >>> past.windows("value", np.arange(3)).tolist()
    [[nan, 5.0], [5.0, 6.0], [6.0, 7.0]]
    """

    def __init__(self, rows: int, size: int, fill: Mapping[str, float | int]) -> None:
        """Keep `size` entries for each of `rows` rules; `fill` names the columns and sets their types."""
        self.size = size
        self._each = np.arange(size)
        self._oldest = np.zeros(rows, np.int64)  # the slot that is overwritten next
        self._columns: dict[str, NDArray[np.generic]] = {
            name: np.full((rows, size), value, np.float64 if isinstance(value, float) else np.int64)
            for name, value in fill.items()
        }

    def push(self, runs: Runs, places: NDArray[np.intp], values: Columns) -> Past:
        """Add entries.

        Args:
            runs: the batch.
            places: intp[m], the pairs at which entries are added, increasing.
            values: one [m] a column.

        Returns:
            What every pair of the batch sees, its own entry included.
        """
        if not len(places):
            return _Still(self, runs)
        if not runs.single:
            return _Moving(self, runs, places, values)
        self.enter(runs.row[places], values)
        return _Still(self, runs)

    def enter(self, row: NDArray[np.intp], values: Columns) -> None:
        """Add one entry for each of different rules (intp[m]); `values`: one [m] a column."""
        slot = self._oldest[row]
        for name, column in self._columns.items():
            column[row, slot] = values[name]
        self._oldest[row] = (slot + 1) % self.size

    def entries(self, name: str, rows: NDArray[np.intp] | slice = slice(None)) -> NDArray[np.generic]:
        """[m, size], the entries of these rules, oldest first."""
        slot = (self._oldest[rows, None] + np.arange(self.size)) % self.size
        if isinstance(rows, slice):
            return np.take_along_axis(self._columns[name][rows], slot, 1)
        kept: NDArray[np.generic] = self._columns[name][rows[:, None], slot]
        return kept

    def anyhow(self, name: str, rows: NDArray[np.intp] | slice = slice(None)) -> NDArray[np.generic]:
        """[m, size], the entries of these rules, in no order: for extremes and counts."""
        return self._columns[name][rows]

    def replace(
        self, name: str, rows: NDArray[np.intp], entries: NDArray[np.generic], oldest: NDArray[np.int64]
    ) -> None:
        """Replace all entries by `entries` ([m, size], oldest first), the oldest in slot `oldest`."""
        slot = (oldest[:, None] + np.arange(self.size)) % self.size
        self._columns[name][rows[:, None], slot] = entries
        self._oldest[rows] = oldest

    def flat_slots(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """[m, size], the slots of the entries of these rules, oldest first: for `at`."""
        return (self._oldest[rows, None] + self._each) % self.size + (rows * self.size)[:, None]

    def at(self, name: str, slot: NDArray[np.intp]) -> NDArray[np.generic]:
        """The entries in those slots."""
        kept: NDArray[np.generic] = self._columns[name].take(slot)
        return kept

    def slots(self, rows: NDArray[np.intp]) -> NDArray[np.int64]:
        """int64[m], the slot of each rule's oldest entry."""
        return self._oldest[rows]

    def arrays(self) -> Arrays:
        """The state, one entry a rule in every array."""
        return {"oldest": self._oldest, **self._columns}


class Parts:
    """Thins out a window: cuts event time into equal parts and chooses the first reading of each."""

    def __init__(self, width: NDArray[np.int64]) -> None:
        """Parts of `width` (int64[r], ns)."""
        self._width = np.maximum(width, 1)
        self.end = np.full(len(width), NEVER)
        """int64[r], ns: where the part of the newest chosen reading ends."""

    def choose(self, runs: Runs, counts: NDArray[np.bool_]) -> NDArray[np.intp]:
        """The pairs (places, increasing) that are the first of those that count (bool[k]) in their part."""
        if runs.single:
            chosen = (counts & (runs.time >= self.end[runs.row])).nonzero()[0]
            self.choose_all(runs.row[chosen], runs.time[chosen])
            return chosen
        width = self._width[runs.row]
        end = (runs.time // width + 1) * width
        newest = runs.fill(end, counts, self.end)
        chosen = np.flatnonzero(counts & (end != runs.previous(newest, self.end)))
        self.end[runs.row[runs.last]] = newest[runs.last]
        return chosen

    def choose_all(self, row: NDArray[np.intp], time: NDArray[np.int64]) -> None:
        """Choose one reading each of different rules (intp[m]), each taken at its `time` (int64[m])."""
        width = self._width[row]
        self.end[row] = (time // width + 1) * width


class Past(Protocol):
    """The entries as of each pair of a batch."""

    def windows(self, name: str, places: NDArray[np.intp]) -> NDArray[np.generic]:
        """[m, size], the entries of a column up to and including each of the pairs `places` (intp[m]), oldest first."""


class _Still:
    """All pairs of a rule see the present entries: there is one of each, or nothing was added."""

    def __init__(self, ring: Ring, runs: Runs) -> None:
        self._ring, self._runs = ring, runs
        self._places: NDArray[np.intp] | None = None  # those that were asked for last, and where their entries are
        self._slot = runs.row[:0]

    def windows(self, name: str, places: NDArray[np.intp]) -> NDArray[np.generic]:
        if places is not self._places:
            self._places, self._slot = places, self._ring.flat_slots(self._runs.row[places])
        return self._ring.at(name, self._slot)


class _Moving:
    """Old and new entries of each rule laid out in one line; a pair's window ends at the newest entry it knows."""

    def __init__(self, ring: Ring, runs: Runs, places: NDArray[np.intp], values: Columns) -> None:
        size, row = ring.size, runs.row[runs.last]
        begun = np.searchsorted(places, runs.start)  # entries of the rules before this one
        added = np.diff(begun, append=len(places))
        base = begun + size * np.arange(len(row))
        of = np.repeat(np.arange(len(row)), added)
        group = np.repeat(np.arange(len(row)), runs.last - runs.start + 1)
        self._begin = np.searchsorted(places, np.arange(len(runs)), side="right") + size * group
        self._size = size
        self._line: dict[str, NDArray[np.generic]] = {}
        old = (base[:, None] + np.arange(size)).ravel()
        new = np.arange(len(places)) + size * (of + 1)
        end = (base + added)[:, None] + np.arange(size)
        oldest = (ring.slots(row) + added) % size
        for name in values:
            kept = ring.entries(name, row)
            line = np.empty(len(old) + len(new), kept.dtype)
            line[old], line[new] = kept.ravel(), values[name]
            self._line[name] = line
        for name, line in self._line.items():
            ring.replace(name, row, line[end], oldest)

    def windows(self, name: str, places: NDArray[np.intp]) -> NDArray[np.generic]:
        line = np.lib.stride_tricks.sliding_window_view(self._line[name], self._size)
        windows: NDArray[np.generic] = line[self._begin[places]]
        return windows
