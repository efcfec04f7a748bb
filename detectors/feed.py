"""A batch prepared for detectors: the new readings grouped by point, with the newest ones before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from detectors.lazy import lazy
from detectors.masks import anywhere, everywhere
from detectors.readings import Readings, moments

NEVER = np.iinfo(np.int64).min // 2
"""The time of something that never happened: older than any window, yet differences to it cannot overflow."""


_FEW: Final = 8
"""A table over all points pays off if it has at most this many times the points queried."""

S = TypeVar("S", bound=np.generic)
Indices = Sequence[int] | NDArray[np.intp]


class Known:
    """For every point the time of its newest reading, and its newest usable value with its time.

    Attributes:
        newest: int64[p], time of the newest reading, ns; `NEVER` = none yet.
        time: int64[p], time of the newest usable reading, ns.
        value: float64[p], its value; NaN = none yet.
    """

    def __init__(self, points: int) -> None:
        self.newest = np.full(points, NEVER)
        self.time = np.full(points, NEVER)
        self.value = np.full(points, np.nan)

    def __len__(self) -> int:
        return len(self.newest)

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Known:
        """Build from the result of `arrays`."""
        known = cls(len(arrays["newest"]))
        for name, array in known.arrays().items():
            array[:] = arrays[name]
        return known

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The state, by column."""
        return {"newest": self.newest, "time": self.time, "value": self.value}

    def take_over(self, other: Known, source: Indices, mine: Indices) -> None:
        """Copy what `other` knows of the points `source` to the points `mine`."""
        for name, array in self.arrays().items():
            array[np.asarray(mine, np.intp)] = other.arrays()[name][np.asarray(source, np.intp)]

    def forget_times(self, points: Indices) -> None:
        """Forget the times of these points, but not their values."""
        self.newest[np.asarray(points, np.intp)] = self.time[np.asarray(points, np.intp)] = NEVER

    def learn(self, feed: Feed) -> None:
        """Add a batch, after all detectors have evaluated it."""
        if not len(feed):
            return
        if feed.single and feed.complete:
            at = feed.index
            self.newest[at] = self.time[at] = feed.time
            self.value[at] = feed.value
        elif feed.tile and feed.complete:
            end = feed.end
            self.newest[feed.group] = self.time[feed.group] = end.time
            self.value[feed.group] = end.value
        else:
            self.newest[feed.group] = feed.time[feed.last]
            usable = feed.usable
            point = feed.point[usable]
            self.time[point], self.value[point] = feed.time[usable], feed.value[usable]


class Table(Protocol):
    """Readings by column, as in `Columns` and `Readings`; columns may be built on first use."""

    @property
    def point(self) -> NDArray[np.int32]: ...  # noqa: D102  as in `Columns`
    @property
    def time(self) -> NDArray[np.int64]: ...  # noqa: D102
    @property
    def value(self) -> NDArray[np.float64]: ...  # noqa: D102
    @property
    def received(self) -> NDArray[np.int64]: ...  # noqa: D102
    @property
    def raw(self) -> NDArray[np.float64] | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Readings' columns: point int32[n], time int64[n] and received int64[n] in ns, value and raw float64[n]."""

    point: NDArray[np.int32]
    time: NDArray[np.int64]
    value: NDArray[np.float64]
    received: NDArray[np.int64]
    raw: NDArray[np.float64] | None = None


class Feed:
    """Readings that count, sorted by point and, of one point, by arrival; each newer than all before it of its point.

    The sorted columns are built on first use, since most batches need only a few of them.

    Attributes:
        known: newest readings before this batch.
        tile: how many points the batch holds where each second (or other step) of it holds the same points in the same
            order, increasing, as frames mostly do; else 0. Its columns can then be seen as a grid, see `grid`.
        whole: the batch these readings were taken from, for lookups of other points; None = this one.
        layout: the same object as that of an earlier batch with the same points (not necessarily in the same number);
            None = not compared.
    """

    layout: object | None = None

    def __init__(
        self,
        readings: Table,
        known: Known,
        order: NDArray[np.intp] | None = None,
        *,
        tile: int = 0,
        place: Callable[[], NDArray[np.intp]] | None = None,
        whole: Feed | None = None,
    ) -> None:
        """Take readings whose `order` (intp[n], None = as they are, or as the tile says) sorts them.

        `place` tells at which moment each arrived (intp[n], sorted like them), where they do not tell that themselves.
        """
        self.known, self.tile, self.whole = known, tile, whole
        self._readings, self._order, self._place = readings, order, place
        self._length = len(readings.point) if order is None else len(order)

    def __len__(self) -> int:
        return self._length

    @lazy
    def point(self) -> NDArray[np.int32]:
        """int32[n], increasing."""
        return self._sorted(self._readings.point)

    @lazy
    def index(self) -> NDArray[np.intp]:
        """intp[n], the same: it indexes arrays over all points five times as fast."""
        return self.point.astype(np.intp)

    @lazy
    def time(self) -> NDArray[np.int64]:
        """int64[n], ns."""
        return self._sorted(self._readings.time)

    @lazy
    def value(self) -> NDArray[np.float64]:
        """float64[n], NaN = no value."""
        return self._sorted(self._readings.value)

    @lazy
    def raw(self) -> NDArray[np.float64]:
        """float64[n], `value`, and what rules on instruments see instead, as `Readings.raw` tells; NaN = no value."""
        return self._sorted(self._readings.raw) if self._readings.raw is not None else self.value

    @property
    def failing(self) -> bool:
        """Whether some instrument may signal its own failure, or is tested: then `raw` differs from `value`."""
        return self._readings.raw is not None

    @lazy
    def received(self) -> NDArray[np.int64]:
        """int64[n], ns."""
        return self._sorted(self._readings.received)

    @lazy
    def place(self) -> NDArray[np.intp]:
        """intp[n], the moments in the order of arrival; a derived reading has that of its driving reading.

        Neighbouring readings of one time and one arrival (those of a frame for one time) are of one moment, whatever
        the order of its columns.
        """
        if self._place is not None:
            return self._place()
        if self.together:
            return np.zeros(len(self), np.intp)
        return self._sorted(moments(self._readings.time, self._readings.received))

    @lazy
    def group(self) -> NDArray[np.int32]:
        """int32[g], the points that occur, increasing."""
        return self._readings.point[: self.tile] if self.tile else self.point if self.single else self.point[self.start]

    @lazy
    def start(self) -> NDArray[np.intp]:
        """intp[g], where each point's readings begin."""
        if self.tile:
            return np.arange(self.tile) * (len(self) // self.tile)
        return np.arange(len(self)) if self.single else np.flatnonzero(np.diff(self.point, prepend=-1))

    @lazy
    def last(self) -> NDArray[np.intp]:
        """intp[g], where each point's readings end."""
        return self.start if self.single else ends(self.start, len(self))

    @lazy
    def size(self) -> NDArray[np.intp]:
        """intp[g], readings of each point."""
        return self.last - self.start + 1

    def find(self, point: NDArray[np.int32]) -> NDArray[np.intp]:
        """Index in `group` of each of these points (intp, in their shape), -1 = it does not occur."""
        if len(self.known) <= _FEW * (len(self.group) + len(point)):
            return self._where[point]
        at = self.group.searchsorted(point)
        at[at == len(self.group)] = 0
        at[self.group[at] != point] = -1
        return at

    @lazy
    def single(self) -> bool:
        """Whether every point occurs once."""
        if self.tile:
            return self.tile == len(self)
        return everywhere(self.point[1:] > self.point[:-1])

    @lazy
    def complete(self) -> bool:
        """Whether every reading has a usable value."""
        return not anywhere(np.isnan(self._readings.value if self._order is None else self.value))

    @lazy
    def together(self) -> bool:
        """Whether all readings are of one moment."""
        time, received = self._readings.time, self._readings.received
        return everywhere(time == time[:1]) and everywhere(received == received[:1])

    @lazy
    def usable(self) -> NDArray[np.intp]:
        """intp[u], the newest usable reading of each point that has one here."""
        if self.complete:
            return self.last
        places = np.where(np.isnan(self.value), -1, np.arange(len(self)))
        newest = places if self.single else np.maximum.reduceat(places, self.start)
        return newest[newest >= self.start]

    @lazy
    def after(self) -> NDArray[np.float64]:
        """float64[g], the newest usable value of each point of `group` after this batch."""
        if self.complete:
            return self.value if self.single else self.end.value if self.tile else self.value[self.last]
        after = self.known.value[self.group]
        after[np.searchsorted(self.start, self.usable, side="right") - 1] = self.value[self.usable]
        return after

    @property
    def end(self) -> Columns:
        """The last readings of a tile, one of each point."""
        all_, last = self._readings, slice(-self.tile, None)
        return Columns(all_.point[last], all_.time[last], all_.value[last], all_.received[last])

    def grid(self) -> NDArray[np.float64]:
        """float64[steps, tile], the values step by step; only of a tile."""
        return self._readings.value.reshape(-1, self.tile)

    def newest(
        self, point: NDArray[np.int32], place: NDArray[np.intp]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The newest usable value of each `point` among what arrived no later than the moment `place`, and its time.

        NaN and `NEVER` where there was none yet.
        """
        whole = self.whole or self
        return whole.shown(whole.newest_here(point, place), point)

    def shown(self, at: NDArray[np.intp], point: NDArray[np.int32]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Those values and times, given their index `at` in this batch, -1 = before it."""
        value, time = self.value[at], self.time[at]
        if anywhere(before := at < 0):
            earlier = point[before]
            value[before], time[before] = self.known.value[earlier], self.known.time[earlier]
        return value, time

    def take(self, which: NDArray[np.bool_]) -> Feed:
        """The readings of a mask (bool[n]), with the same readings before them."""
        at = np.flatnonzero(which)
        raw = self.raw[at] if self.failing else None
        kept = Columns(self.point[at], self.time[at], self.value[at], self.received[at], raw)
        return Feed(kept, self.known, place=lambda: self.place[at], whole=self.whole or self)

    def newest_here(self, point: NDArray[np.int32], place: NDArray[np.intp]) -> NDArray[np.intp]:
        """Index of that reading in this batch, -1 where the newest is from before it."""
        if self.single:
            at = self.find(point)
            if not self.together:
                at[self.place[at] > place] = -1
            if not self.complete:
                at[np.isnan(self.value[at])] = -1
            return at
        usable, size = self._usable, self._places
        if not len(usable):
            return np.full(len(point), -1)
        key = self.point[usable].astype(np.int64) * size + self.place[usable]
        found = np.searchsorted(key, point.astype(np.int64) * size + place, side="right") - 1
        at = usable[found]
        return np.where((found >= 0) & (self.point[at] == point), at, -1)

    def _sorted(self, column: NDArray[S]) -> NDArray[S]:
        if self.tile:
            return column if self.tile == len(column) else column.reshape(-1, self.tile).T.ravel()
        return column if self._order is None else column[self._order]

    @lazy
    def _where(self) -> NDArray[np.intp]:
        """intp[p], the same of every point."""
        where = np.full(len(self.known), -1)
        where[self.group] = np.arange(len(self.group))
        return where

    @lazy
    def _usable(self) -> NDArray[np.intp]:
        return np.flatnonzero(~np.isnan(self.value))

    @lazy
    def _places(self) -> int:
        return int(self.place.max()) + 1


def ends(start: NDArray[np.intp], many: int) -> NDArray[np.intp]:
    """Last index of each group; groups begin at `start` (intp[g]) and fill `many` entries."""
    last = np.empty(len(start), np.intp)
    last[:-1] = start[1:] - 1
    last[-1:] = many - 1
    return last


def make_feed(readings: Readings, known: Known) -> Feed:
    """Select the readings that increase in time along each point, starting from the newest known.

    A reading that is not newer than all before it of its point (late, or sent twice) is left out.
    """
    tile = _tile(readings.point)
    if tile and _in_order(readings.time, known.newest[readings.point[:tile].astype(np.intp)], tile):
        return Feed(readings, known, tile=tile)
    order = readings.point.argsort(kind="stable")
    point, time = readings.point[order], readings.time[order]
    index = point.astype(np.intp)
    single = everywhere(point[1:] != point[:-1])
    news = time > known.newest[index] if single else _news(point, time, known.newest[index])
    if not everywhere(news):
        return Feed(readings, known, order[news])
    feed = Feed(readings, known, order)
    feed.point, feed.index, feed.time, feed.single = point, index, time, single
    return feed


def _tile(point: NDArray[np.int32]) -> int:
    """Number of increasing points that the batch repeats throughout; 0 if it does not."""
    falls = point[1:] <= point[:-1]
    if not anywhere(falls):
        return len(point)
    tile = int(falls.argmax()) + 1
    return tile if tile and len(point) % tile == 0 and (point[tile:] == point[:-tile]).all() else 0


def _in_order(time: NDArray[np.int64], newest: NDArray[np.int64], tile: int) -> bool:
    """Whether all readings of a tile are newer than those before."""
    return everywhere(time[:tile] > newest) and (tile == len(time) or everywhere(time[tile:] > time[:-tile]))


def _news(point: NDArray[np.int32], time: NDArray[np.int64], newest: NDArray[np.int64]) -> NDArray[np.bool_]:
    """bool[n], which readings (sorted by point) are newer than all before them."""
    first = np.ones(len(point), bool)
    np.not_equal(point[1:], point[:-1], out=first[1:])
    news: NDArray[np.bool_] = time > newest
    news[1:] &= first[1:] | (time[1:] > time[:-1])
    if everywhere(news):
        return news
    # The running maximum along each point: ranks keep (point, time) in one number that cannot overflow.
    times, rank = np.unique(time, return_inverse=True)
    running = np.maximum.accumulate(point.astype(np.int64) * len(times) + rank) % len(times)
    before = newest.copy()
    before[1:] = np.where(first[1:], newest[1:], np.maximum(newest[1:], times[running[:-1]]))
    return time > before
