"""Aggregates readings over buckets of equal event time, and keeps each rule's last closed ones.

A window over many readings is kept as a few buckets. Bucket n of a rule covers event time [n x width, (n + 1) x width).
The first reading of a later bucket closes the one before: that is when the window is evaluated, so a verdict depends on
the readings alone and never on how they are batched. What lies before a break (a closed gate) is forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.feed import NEVER
from detectors.masks import anywhere, everywhere
from detectors.ring import Past, Ring
from detectors.runs import Runs
from detectors.trip import Arrays


@dataclass(frozen=True, slots=True)
class Statistic:
    """A statistic of a bucket.

    Attributes:
        join: combines two parts.
        empty: what a bucket without readings holds.
        exact: the order of joining does not change the last bit (extremes; sums of whole numbers).
    """

    join: np.ufunc
    empty: float
    exact: bool = True


COUNT: Final = Statistic(np.add, 0.0)
SUM: Final = Statistic(np.add, 0.0, exact=False)
LOW: Final = Statistic(np.minimum, np.inf)
HIGH: Final = Statistic(np.maximum, -np.inf)


@dataclass(frozen=True, slots=True, eq=False)
class Closed:
    """Times at which buckets were closed, with the windows that ended there.

    Attributes:
        places: intp[m], the pairs that closed a bucket: the first reading after it.
        past: what each pair sees.
        number: int64[m], number of the bucket that was closed.
        epoch: int64[m], how often the rule had been interrupted by then.
    """

    places: NDArray[np.intp]
    past: Past
    number: NDArray[np.int64]
    epoch: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.places)

    def window(self, name: str) -> NDArray[np.float64]:
        """float64[m, size], a statistic of the last buckets, oldest first; meaningful only where `valid`."""
        return self.past.windows(name, self.places).astype(np.float64, copy=False)

    def age(self) -> NDArray[np.int64]:
        """int64[m, size], how many buckets ago each was; 0 = the one just closed."""
        return self.number[:, None] - self.past.windows("number", self.places).astype(np.int64, copy=False)

    def valid(self, size: int) -> NDArray[np.bool_]:
        """bool[m, size], buckets that lie within the last `size` and after the last interruption.

        Those kept from before the width was changed have numbers far away, maybe in the future: they do not count.
        """
        same = np.asarray(self.past.windows("epoch", self.places) == self.epoch[:, None], np.bool_)
        age = self.age()
        return (age >= 0) & (age < size) & same


class Buckets:
    """The open bucket and the last `size` closed ones of every rule."""

    def __init__(self, width: NDArray[np.int64], size: int, statistics: Mapping[str, Statistic]) -> None:
        """Gather over `width` (int64[r], ns) and keep `size` closed buckets with these statistics."""
        rows = len(width)
        self.size = size
        self._width = width
        self._statistics = dict(statistics)
        self._end = np.full(rows, NEVER)  # of the open bucket, ns; NEVER = none is open
        self._epoch = np.zeros(rows, np.int64)
        self._open = {name: np.full(rows, statistic.empty) for name, statistic in statistics.items()}
        self._ring = Ring(rows, size, {**dict.fromkeys(statistics, np.nan), "number": int(NEVER), "epoch": -1})

    def gather(
        self,
        runs: Runs,
        usable: NDArray[np.bool_],
        values: Mapping[str, NDArray[np.float64]],
        breaks: NDArray[np.bool_] | None = None,
    ) -> Closed:
        """Add a batch.

        Args:
            runs: the batch.
            usable: bool[k], the pairs that count.
            values: what each pair adds to each statistic, float64[k].
            breaks: bool[k], pairs that interrupt: everything before is forgotten. They do not count themselves.
        """
        if breaks is not None and not anywhere(breaks):
            breaks = None
        if breaks is not None:
            usable = usable & ~breaks
        taken = np.arange(len(runs)) if everywhere(usable) else usable.nonzero()[0]
        if not runs.single:
            epoch = self._epoch[runs.row] if breaks is None else self._interrupt(runs, breaks)
            return self._gather_runs(runs, taken, values, epoch)
        if breaks is not None:
            row = runs.row[breaks]
            self._forget(row, self._epoch[row] + 1)
        return self._gather_single(runs, taken, values)

    def absorb(
        self, runs: Runs, values: Mapping[str, NDArray[np.float64]], awake: NDArray[np.bool_] | None
    ) -> NDArray[np.bool_] | None:
        """Add pairs of single runs that only extend an open bucket, except pairs `awake` (bool[k], or None).

        Returns:
            bool[k], the pairs that were left; None = there are none.
        """
        row = runs.row
        left = runs.time >= self._end[row]
        if awake is not None:
            left |= awake
        if not anywhere(left):
            for name, statistic in self._statistics.items():
                kept = self._open[name]
                kept[row] = statistic.join(kept[row], values[name])
            return None
        if not everywhere(left):
            taken = ~left
            row = row[taken]
            for name, statistic in self._statistics.items():
                kept = self._open[name]
                kept[row] = statistic.join(kept[row], values[name][taken])
        return left

    def covered(self) -> NDArray[np.int64]:
        """int64[r], how many closed buckets without interruption each rule has."""
        number, epoch = np.asarray(self._ring.anyhow("number"), np.int64), self._ring.anyhow("epoch")
        recent = (number > number.max(axis=1, keepdims=True) - self.size) & (epoch == self._epoch[:, None])
        return np.asarray(recent.sum(axis=1), np.int64)

    def arrays(self) -> Arrays:
        """The state, one entry a rule in every array."""
        ring: Arrays = {f"ring_{name}": column for name, column in self._ring.arrays().items()}
        opened: Arrays = {f"open_{name}": column for name, column in self._open.items()}
        return {"open_end": self._end, "epoch": self._epoch, **opened, **ring}

    def _interrupt(self, runs: Runs, breaks: NDArray[np.bool_]) -> NDArray[np.int64]:
        """int64[k], the epoch of every pair: breaks are counted along each rule."""
        counted: NDArray[np.int64] = np.cumsum(breaks)
        before = counted - breaks
        return np.asarray(self._epoch[runs.row] + counted - before[runs.first], np.int64)

    def _gather_single(self, runs: Runs, taken: NDArray[np.intp], values: Mapping[str, NDArray[np.float64]]) -> Closed:
        row, time = runs.row[taken], runs.time[taken]
        end = self._end[row]
        later = time >= end
        if not anywhere(later):
            for name, statistic in self._statistics.items():
                self._open[name][row] = statistic.join(self._open[name][row], values[name][taken])
            return self._closed(runs, taken[:0], {})
        closing = later & (end != NEVER)
        rows, width = row[closing], self._width[row]
        entry: dict[str, NDArray[np.generic]] = {name: column[rows] for name, column in self._open.items()}
        entry |= {"number": end[closing] // width[closing] - 1, "epoch": self._epoch[rows]}
        closed = self._closed(runs, taken[closing], entry)
        self._end[row] = np.where(later, (time // width + 1) * width, end)
        for name, statistic in self._statistics.items():
            mine = np.where(later, statistic.empty, self._open[name][row])
            self._open[name][row] = statistic.join(mine, values[name][taken])
        return closed

    def _gather_runs(
        self, runs: Runs, taken: NDArray[np.intp], values: Mapping[str, NDArray[np.float64]], epoch: NDArray[np.int64]
    ) -> Closed:
        if not len(taken):
            self._forget_interrupted(runs, epoch)
            return self._closed(runs, taken, {})
        row, of = runs.row[taken], epoch[taken]
        number = runs.time[taken] // self._width[row]
        fresh = np.diff(row, prepend=-1) != 0  # the first taken pair of a rule
        begin = np.flatnonzero(fresh | (np.diff(number, prepend=0) != 0) | (np.diff(of, prepend=0) != 0))
        row, number, of, fresh = row[begin], number[begin], of[begin], fresh[begin]  # from here on, parts of buckets
        held = self._end[row] != NEVER
        held_number = self._end[row] // self._width[row] - 1
        merges = fresh & held & (of == self._epoch[row]) & (held_number == number)
        part: dict[str, NDArray[np.float64]] = {}
        before: dict[str, NDArray[np.float64]] = {}
        for name, statistic in self._statistics.items():
            mine = self._open[name][row]
            part[name] = _joined(statistic, np.where(merges, mine, statistic.empty), values[name][taken], begin)
            before[name] = np.where(fresh, mine, np.roll(part[name], 1))
        closing = np.where(fresh, held & ~merges & (of == self._epoch[row]), of == np.roll(of, 1))
        entry: dict[str, NDArray[np.generic]] = {name: column[closing] for name, column in before.items()}
        entry |= {"number": np.where(fresh, held_number, np.roll(number, 1))[closing], "epoch": of[closing]}
        closed = self._closed(runs, taken[begin[closing]], entry)
        end = np.append(np.flatnonzero(fresh)[1:], len(begin)) - 1
        last = row[end]
        self._end[last] = (number[end] + 1) * self._width[last]
        self._epoch[last] = of[end]
        for name, column in part.items():
            self._open[name][last] = column[end]
        self._forget_interrupted(runs, epoch)
        return closed

    def _closed(self, runs: Runs, places: NDArray[np.intp], entry: Mapping[str, NDArray[np.generic]]) -> Closed:
        if not len(places):
            none = np.empty(0, np.int64)
            return Closed(places, self._ring.push(runs, places, {}), none, none)
        past = self._ring.push(runs, places, entry)
        number, epoch = (entry[name].astype(np.int64, copy=False) for name in ("number", "epoch"))
        return Closed(places, past, number, epoch)

    def _forget_interrupted(self, runs: Runs, epoch: NDArray[np.int64]) -> None:
        """Drop the open buckets of rules whose last break came after them."""
        row, now = runs.row[runs.last], epoch[runs.last]
        changed = now != self._epoch[row]
        self._forget(row[changed], now[changed])

    def _forget(self, row: NDArray[np.intp], epoch: NDArray[np.int64]) -> None:
        """Begin another epoch, with no open bucket."""
        self._end[row], self._epoch[row] = NEVER, epoch
        for name, statistic in self._statistics.items():
            self._open[name][row] = statistic.empty


def _joined(
    statistic: Statistic, into: NDArray[np.float64], values: NDArray[np.float64], begin: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Join each part's values to its initial value.

    Where the order could change the last bit they are joined one after another, as if they had come one by one.
    """
    if statistic.exact:
        return np.asarray(statistic.join(into, statistic.join.reduceat(values, begin)), np.float64)
    size = np.diff(begin, append=len(values))
    joined = into.copy()
    order = np.argsort(-size, kind="stable")
    begin, size = begin[order], size[order]
    for step in range(int(size[0])):
        part = order[: np.searchsorted(-size, -step, side="left")]
        joined[part] = statistic.join(joined[part], values[begin[: len(part)] + step])
    return joined
