"""Restart: work begins again although nobody has inspected since something tripped. Embers live on after a fire.

The point says whether the process runs: it does at or above `level`. Inputs: what trips, each with its limit `at_0`,
`at_1`, ... in its own unit, in the order of the inputs; and the inspection, an input whose limit is NaN: it is signed
when it rises to `level` (a key that was left turned signs nothing). The score is 1 from a start, a change from below
`level` to it, that came within `hold_s` seconds of event time after a trip with no inspection since the trip, until the
process stops or an inspection is signed; else 0. What trips and signs is heard whenever it comes, however short, and
not only with the point's own readings.

What ordinary work makes now and then is no trip by itself: sparks that the detector's water puts out while work goes
on. `single` names such inputs, one bit each (1 for the first, 2 for the second, ...). They count when they rise to
their limit (a first reading there counts), all of a rule together. They trip when the last `times` of them (2 to 16)
came within `within_s` seconds, or by a start whose stop came at most `stop_s` seconds after the latest of them, or
before it: then it was what stopped the process, or there was nothing at work that could have made it.

Where it was never seen to stop it was not started again: that is for the limits of what trips. What comes behind a
closed gate is no start and no stop; trips and inspections are heard there too.

>>> from detectors.examples import evaluate
>>> work, spark, signed = [1.0, 1.0, 0.0, 1.0, 1.0, 1.0], [0.0, 1.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0, 0.0]
>>> evaluate("restart", work, others=[spark, signed], on=1.0, off=0.0, level=0.5, hold_s=3600.0, at_0=1.0,
...          at_1=float("nan"), single=0.0, times=3.0, within_s=60.0, stop_s=300.0)
['trips at 3 s: 1', 'returns at 4 s: nan']
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.feed import NEVER, Feed
from detectors.masks import anywhere
from detectors.precision import below
from detectors.rows import Rows
from detectors.rules import NO_POINT, RuleTable
from detectors.runs import Runs
from detectors.trip import Arrays

_NONE: Final = np.empty(0, np.int64)

MOST_TIMES: Final = 16
"""Single events that can be counted."""


class _Latest:
    """The latest time at which something happened to each rule, as known at any moment of the present batch."""

    def __init__(self, rules: int) -> None:
        self.time = np.full(rules, NEVER)  # by the end of the batch
        self._before = self.time  # by its beginning
        self._key, self._row, self._then, self._places = _NONE, _NONE, _NONE, 1

    def pass_batch(self) -> None:
        """Take note of a batch in which nothing happened."""
        self._before, self._key = self.time, _NONE

    def hear(self, feed: Feed, row: NDArray[np.intp], at: NDArray[np.intp]) -> None:
        """Take what happened in a batch: to rules (`row` intp[k]), with its readings (`at` intp[k])."""
        self.pass_batch()
        if not len(row):
            return
        self._before, self._places = self.time.copy(), int(feed.place.max()) + 1
        key = row * self._places + feed.place[at]
        order = np.argsort(key, kind="stable")
        self._key, self._row, self._then = key[order], row[order], feed.time[at[order]].copy()
        for entry, of in enumerate(self._row.tolist()):
            self.time[of] = self._then[entry] = max(int(self.time[of]), int(self._then[entry]))

    def known(self, runs: Runs) -> NDArray[np.int64]:
        """int64[k], the latest time as known when each pair's reading came."""
        if not len(self._key):
            return self.time[runs.row]
        found = np.searchsorted(self._key, runs.row * self._places + runs.feed.place[runs.at], side="right") - 1
        here = (found >= 0) & (self._row[found] == runs.row)
        return np.where(here, self._then[found], self._before[runs.row])


class Restart:
    """Scores a reading of a process by whether it was started again in spite of a trip."""

    reports: Final = "score"
    padded: Final = True  # the widest rule decides how many keys there is room for

    def __init__(self, rules: RuleTable) -> None:
        inputs = rules.inputs if rules.inputs is not None else np.empty((len(rules), 0), np.int32)
        self._level, self._hold = below(rules.param["level"]), (rules.param["hold_s"] * 1e9).astype(np.int64)
        self._row, self._column = (inputs != NO_POINT).nonzero()  # of each input: its rule, and which of it
        limits = np.array([rules.param[f"at_{at}"] for at in range(inputs.shape[1])]).reshape(inputs.shape[::-1])
        limit = limits[self._column, self._row]
        self._signs = np.isnan(limit)
        self._limit = np.where(self._signs, self._level[self._row], below(limit))
        self._single = (rules.param["single"].astype(np.int64)[self._row] >> self._column) & 1 == 1
        self._keyed = self._signs | self._single
        self._times = rules.param["times"].astype(np.int64)
        self._within = (rules.param["within_s"] * 1e9).astype(np.int64)
        self._stop = (rules.param["stop_s"] * 1e9).astype(np.int64)
        point = inputs[self._row, self._column]
        self._points = int(point.max(initial=-1)) + 1
        self._inputs = Rows(point, self._points)
        self._layout: object | None = None  # of the batch that `_heard` was found for
        self._heard = (self._row[:0], self._row[:0])
        self._trip, self._signed, self._latest = _Latest(len(rules)), _Latest(len(rules)), _Latest(len(rules))
        self._keys = np.full(inputs.shape, np.nan)  # of each input that signs or is single: 1 on, 0 off, NaN unknown
        self._recent = np.full((len(rules), MOST_TIMES), NEVER)  # when single ones came, the newest first
        self._running = np.full(len(rules), np.nan)  # 1 running, 0 stopped, NaN nothing known
        self._stopped = np.full(len(rules), NEVER)  # when it stopped last, or was first seen stopped
        self._confirmed = np.full(len(rules), NEVER)  # the latest single one that a stop showed to be a trip
        self._began = np.full(len(rules), NEVER)  # when it was started in spite of a trip; NEVER: it was not

    def hear(self, feed: Feed) -> None:
        """Take note of all trips and inspections in a batch, before its readings are scored."""
        if feed.layout is None or feed.layout is not self._layout:
            concerned = np.flatnonzero(feed.group < self._points)
            place, entry = self._inputs.of(feed.group[concerned])
            self._layout, self._heard = feed.layout, (concerned[place], entry)
        group, entry = self._heard
        if feed.single:
            tells = self._tells(feed.value[group], entry)
            group, entry = group[tells], entry[tells]
        if not len(entry):
            for latest in (self._trip, self._signed, self._latest):
                latest.pass_batch()
            return
        size = feed.size[group]
        at = np.arange(int(size.sum())) + np.repeat(feed.start[group] - (np.cumsum(size) - size), size)
        entry = np.repeat(entry, size)
        on = feed.value[at] >= self._limit[entry]
        rises, turned = self._risen(entry, on, ~np.isnan(feed.value[at]))
        trips = on & ~self._signs[entry] & ~self._single[entry]
        trips[rises[self._often(feed, self._row[entry[rises]], at[rises])]] = True
        self._trip.hear(feed, self._row[entry[trips]], at[trips])
        self._signed.hear(feed, self._row[entry[turned]], at[turned])
        self._latest.hear(feed, self._row[entry[rises]], at[rises])

    def _tells(self, value: NDArray[np.float64], entry: NDArray[np.intp]) -> NDArray[np.bool_]:
        """bool[k], which inputs (intp[k]) trip with one value each (float64[k]), or turn a key.

        All others change nothing.
        """
        on = value >= self._limit[entry]
        key = self._keys[self._row[entry], self._column[entry]]
        return np.where(self._keyed[entry], on != key, on)

    def _risen(
        self, entry: NDArray[np.intp], on: NDArray[np.bool_], usable: NDArray[np.bool_]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return which readings, in order by input, rise as single ones, or turn a key that was seen not turned."""
        at = np.flatnonzero(self._keyed[entry] & usable)
        if not len(at):
            return at, at
        row, column = self._row[entry[at]], self._column[entry[at]]
        level = on[at].astype(np.float64)
        same = np.concatenate(([False], entry[at][1:] == entry[at][:-1]))
        before = np.where(same, np.concatenate(([0.0], level[:-1])), self._keys[row, column])
        self._keys[row, column] = level  # of several readings of an input the last one stays
        single = self._single[entry[at]]
        return at[single & (level == 1) & (before != 1)], at[~single & (level == 1) & (before == 0)]

    def _often(self, feed: Feed, row: NDArray[np.intp], at: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Which single ones, of rules `row` intp[k] by readings `at` intp[k], come often enough to trip."""
        often = np.zeros(len(row), bool)
        for event in np.argsort(feed.place[at], kind="stable").tolist() if len(row) else ():
            of, time = row[event], feed.time[at[event]]
            recent = self._recent[of]
            recent[1:] = recent[:-1]
            recent[0] = time
            often[event] = np.count_nonzero(recent >= time - self._within[of]) >= self._times[of]
        return often

    def skim(self, runs: Runs, awake: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
        """Leave what starts, stops, or runs since a start in spite of a trip."""
        row = runs.row
        on = runs.value >= self._level[row]
        left = (on != self._running[row]) | (self._began[row] != NEVER)
        if awake is not None:
            left |= awake
        return left if anywhere(left) else None

    def score(self, runs: Runs) -> NDArray[np.float64]:
        """1 where the process runs since a start in spite of a trip, else 0; NaN without a value."""
        trip, signed = self._trip.known(runs), self._signed.known(runs)
        known = ~np.isnan(runs.value) & runs.open
        on = runs.value >= self._level[runs.row]
        running = runs.fill(on.astype(np.float64), known, self._running)
        before = runs.previous(running, self._running)
        starts, stops = known & on & (before == 0), known & ~on & (before != 0)
        stopped, single = runs.fill(runs.time, stops, self._stopped), self._latest.known(runs)
        confirms = starts & (single != NEVER) & (single >= stopped - self._stop[runs.row])
        confirmed = runs.fill(single, confirms, self._confirmed)
        trip = np.maximum(trip, confirmed)
        defies = starts & (trip > signed) & (runs.time - trip <= self._hold[runs.row])
        began = runs.fill(np.where(defies, runs.time, NEVER), starts | (known & ~on), self._began)
        last = runs.last
        of = runs.row[last]
        self._running[of], self._began[of] = running[last], began[last]
        self._stopped[of], self._confirmed[of] = stopped[last], confirmed[last]
        return np.where(known, ((began != NEVER) & (signed < began)).astype(np.float64), np.nan)

    def blind(self, now: int) -> NDArray[np.bool_]:  # noqa: ARG002  needs no past
        """Never."""
        return np.zeros(len(self._level), bool)

    def arrays(self) -> Arrays:
        """The latest trip, single event and inspection, the keys, and what is known of the process."""
        return {
            "trip": self._trip.time,
            "signed": self._signed.time,
            "latest": self._latest.time,
            "recent": self._recent,
            "keys": self._keys,
            "running": self._running,
            "stopped": self._stopped,
            "confirmed": self._confirmed,
            "began": self._began,
        }
