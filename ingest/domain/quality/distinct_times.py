"""Makes equal times of a point distinct, a nanosecond apart, for devices that stamp whole seconds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ingest.domain.model.batch import Batch, concat

_MOMENT: Final = 10**6  # ns: device times are whole milliseconds, so nearer ones are equal
_NEVER: Final = -(1 << 62)
_PENDING: Final = 10_000  # readings whose last values are stored together while nothing needs them


class DistinctTimes:
    """Gives readings of one point and time distinct times in the order of arrival, so that no store overwrites one.

    A reading that also has the value of the one before it is a repetition, and keeps its time. A late reading is
    compared only with the one that arrived before it, and after a start nothing is known of earlier readings.

    Nearly all frames begin after everything their gateway sent before. If all of a batch do (`in_order`), no two
    readings can have the same time, and the last reading of each point is stored later, for many batches together.
    """

    def __init__(self) -> None:
        self._newest: dict[tuple[str, str], int] = {}  # by gateway, ns
        self._gateways: object = None
        self._floor = _NEVER  # newest of all gateways under the configurations before
        self._pending: list[Batch] = []
        self._pending_size = 0
        self._time = np.zeros(0, np.int64)
        self._value = np.zeros(0)

    def set_gateways(self, gateways: object) -> None:
        """Take over the gateways of a new configuration: a point may belong to another one than before."""
        if gateways is not self._gateways:
            self._gateways = gateways
            self._floor = max([self._floor, *self._newest.values()])
            self._newest = {}

    def in_order(self, gateway: tuple[str, str], first: int, newest: int) -> bool:
        """Whether a frame begins after everything its gateway sent before; `first` and `newest`: its kept times, ns."""
        before = self._newest.get(gateway, self._floor)
        if newest > before:
            self._newest[gateway] = newest
        return first - before >= _MOMENT

    def __call__(self, batch: Batch, *, in_order: bool = False) -> Batch:
        """Return the same readings in the same order with distinct times.

        Args:
            batch: the readings.
            in_order: whether all of them are of frames that are in order, each after the one before.
        """
        if not len(batch):
            return batch
        if in_order:
            self._pending.append(batch)
            self._pending_size += len(batch)
            if self._pending_size >= _PENDING:
                self._store_last()
            return batch
        self._store_last()
        highest = int(batch.point.max())
        self._grow(highest + 1)
        order = np.argsort(batch.point.astype(np.min_scalar_type(highest)), kind="stable")  # short ones sort by digits
        point, time = batch.point[order], batch.time[order]
        ends = np.append(np.flatnonzero(point[1:] != point[:-1]), len(point) - 1)
        starts = np.append(0, ends[:-1] + 1)
        past = _before(time, starts, self._time[point[starts]]) - time
        near = (past >= 0) & (past < _MOMENT)
        if near.any():
            value = batch.value[order]
            near &= (past != 0) | ~_same(value, _before(value, starts, self._value[point[starts]]))
            for run in np.unique(np.searchsorted(starts, np.flatnonzero(near), side="right") - 1).tolist():
                self._separate(
                    point[starts[run]], time[starts[run] : ends[run] + 1], value[starts[run] : ends[run] + 1]
                )
            batch = replace(batch, time=_in_order(time, order))
        newer = time[ends] >= self._time[point[ends]]
        last = ends[newer]
        self._time[point[last]], self._value[point[last]] = time[last], batch.value[order[last]]
        return batch

    def _store_last(self) -> None:
        """Store the last reading of each point from the batches that were in order."""
        if not self._pending:
            return
        batch, self._pending, self._pending_size = concat(self._pending), [], 0
        size = int(batch.point.max()) + 1
        self._grow(size)
        last = np.full(size, -1)
        np.maximum.at(last, batch.point, np.arange(len(batch)))
        point = np.flatnonzero(last >= 0)
        last = last[point]
        newer = batch.time[last] >= self._time[point]
        point, last = point[newer], last[newer]
        self._time[point], self._value[point] = batch.time[last], batch.value[last]

    def _separate(self, point: int, times: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        last, last_value = int(self._time[point]), self._value[point]
        for at, (time, value) in enumerate(zip(times.tolist(), values.tolist(), strict=True)):
            if 0 <= last - time < _MOMENT:
                times[at] = last if _same(value, last_value) else last + 1
            last, last_value = int(times[at]), value

    def _grow(self, size: int) -> None:
        if size > len(self._time):
            more = size - len(self._time)
            self._time = np.append(self._time, np.full(more, _NEVER))
            self._value = np.append(self._value, np.full(more, np.nan))


def _before(column: NDArray[Any], starts: NDArray[np.intp], first: NDArray[Any]) -> NDArray[Any]:
    """Return for each entry its predecessor; at the starts of runs, `first`."""
    before = np.empty_like(column)
    before[1:] = column[:-1]
    before[starts] = first
    return before


def _same(value: Any, other: Any) -> Any:
    """Whether they are equal or both NaN."""
    return (value == other) | (np.isnan(value) & np.isnan(other))


def _in_order(sorted_times: NDArray[np.int64], order: NDArray[np.intp]) -> NDArray[np.int64]:
    times = np.empty_like(sorted_times)
    times[order] = sorted_times
    return times
