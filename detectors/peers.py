"""Looks up the values of a rule's other points at the time of each of its readings.

>>> from detectors.feed import Known, make_feed
>>> from detectors.examples import series
>>> from detectors.runs import RuleIndex
>>> feed = make_feed(series([1.0, 2.0, 3.0], others=[[5.0, np.nan, np.nan]]), Known(2))
>>> runs = RuleIndex(np.array([0], np.int32), 2).runs(feed)
>>> Peers(np.array([[1, NO_POINT]], np.int32), np.array([1.0])).values(runs).tolist()
[[5.0, nan], [5.0, nan], [nan, nan]]
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.feed import Feed
from detectors.rules import NO_POINT, RuleTable
from detectors.runs import Runs


class Peers:
    """Looks up the points of each rule's row of `inputs`, in that order."""

    def __init__(self, inputs: NDArray[np.int32] | None, fresh_s: NDArray[np.float64]) -> None:
        """Prepare.

        Args:
            inputs: int32[r, m], `NO_POINT` where a rule has fewer; None = no rule has any.
            fresh_s: float64[r], a reading older than this, in seconds before the judged one, is not used; inf = any is.
        """
        there = inputs if inputs is not None else np.empty((len(fresh_s), 0), np.int32)
        self.there = there != NO_POINT
        """bool[r, m], where a rule has such a point."""
        self._point = np.where(self.there, there, 0).astype(np.int32, copy=False)
        self._fresh_s = fresh_s

    def values(self, runs: Runs) -> NDArray[np.float64]:
        """float64[k, m], the newest usable values; NaN where there is no point, no value yet, or it is not fresh."""
        return self.values_with_times(runs)[0]

    def values_with_times(self, runs: Runs) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The result of `values`, and the times they were taken at (int64[k, m], ns; of no use where NaN)."""
        point, place = self._queried(runs)
        value, time = runs.feed.newest(point, place)
        value, time = value.reshape(self._shape(runs)), time.reshape(self._shape(runs))
        age_s = (runs.time[:, None] - time) / 1e9
        fresh = self.there[runs.row] & (age_s <= self._fresh_s[runs.row, None])
        return np.where(fresh, value, np.nan), time

    def bad(self, runs: Runs) -> NDArray[np.bool_]:
        """bool[k, m], points whose newest reading of all has no usable value, however good the one before was."""
        point, place = self._queried(runs)
        whole = runs.feed.whole or runs.feed
        known = whole.known
        bad = known.newest[point] > known.time[point]
        if bad.any() or not whole.complete:
            at, here = self._newest_here(whole, point, place)
            bad = np.where(here, np.isnan(whole.value[at]), bad)
        return np.asarray(self.there[runs.row] & bad.reshape(self._shape(runs)), np.bool_)

    def _shape(self, runs: Runs) -> tuple[int, int]:
        return len(runs), self.there.shape[1]

    def _queried(self, runs: Runs) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
        """Each pair's points one after another (int32[k * m]), and the moments up to which they are looked up."""
        point = self._point[runs.row]
        return point.ravel(), np.repeat(runs.feed.place[runs.at], point.shape[1])

    @staticmethod
    def _newest_here(
        whole: Feed, point: NDArray[np.int32], place: NDArray[np.intp]
    ) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Index of each point's newest reading in the batch, usable or not, and whether there is one."""
        size = int(whole.place.max()) + 1
        key = whole.point.astype(np.int64) * size + whole.place
        at = np.searchsorted(key, point.astype(np.int64) * size + place, side="right") - 1
        return at, (at >= 0) & (whole.point[at] == point)


def channels(rules: RuleTable) -> NDArray[np.int32]:
    """int32[r, m + 1], of each rule the judged point and then its inputs: for kinds that make no difference."""
    own = rules.point[:, None]
    return own if rules.inputs is None else np.concatenate((own, rules.inputs), axis=1)
