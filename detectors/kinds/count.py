"""Count: how many times something happened of late. One spark may be chance; three within a minute are a fire coming.

Parameters `above`: a value at or above this, in the point's unit, is "on"; `window_s`: how far back is counted;
`edges`: 1 counts every change from off to on (a first reading that is on counts), 0 every reading that is on. The score
is the number of events within the last `window_s` seconds of event time, the one that came at this reading included, at
most 16. It falls with the next reading after an event has grown too old, so a point that reports on change needs a
heartbeat. What was before a closed gate is forgotten. (ISA-18.2 counts the same way to find chattering alarms: three or
more in a minute.)

>>> from detectors.examples import evaluate
>>> evaluate("count", [0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0], on=3.0, off=1.0, step_s=10.0, above=0.5, window_s=60.0,
...       edges=1.0)
['trips at 60 s: 3']
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.feed import NEVER
from detectors.masks import anywhere
from detectors.precision import below
from detectors.ring import Ring
from detectors.rules import RuleTable
from detectors.runs import Runs
from detectors.trip import Arrays, joined

_MOST: Final = 16


class Count:
    """Scores a reading by the number of events of late."""

    reports: Final = "score"

    def __init__(self, rules: RuleTable) -> None:
        self._above = below(rules.param["above"])
        self._window = (rules.param["window_s"] * 1e9).astype(np.int64)
        self._edges = rules.param["edges"] > 0
        self._ring = Ring(len(rules), _MOST, {"time": int(NEVER)})
        self._level = np.full(len(rules), np.nan)  # 1 on, 0 off, NaN nothing known
        self._since = np.full(len(rules), NEVER)  # events before this are forgotten

    def skim(self, runs: Runs, awake: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
        """Leave what is on: of the others the count can only fall."""
        row = runs.row
        left = runs.value >= self._above[row]
        if awake is not None:
            left |= awake
        if not anywhere(left):
            self._level[row] = 0.0
            return None
        self._level[row[~left]] = 0.0
        return left

    def score(self, runs: Runs) -> NDArray[np.float64]:
        """Events within the window; NaN without a value."""
        counts, since = ~np.isnan(runs.value), self._since[runs.row]
        on = runs.value >= self._above[runs.row]
        if runs.settled and not runs.gated and not anywhere(on):  # the count can only fall
            self._level[runs.row[counts]] = 0.0
            return np.where(counts, 0.0, np.nan)
        level = on.astype(np.float64)
        if runs.gated:
            counts, since = counts & runs.open, runs.fill(runs.time, ~runs.open, self._since)
            level = np.where(runs.open, level, np.nan)
        level = runs.fill(level, counts | ~runs.open, self._level)
        rises = runs.previous(level, self._level) != 1
        event = np.flatnonzero(counts & on & (rises | ~self._edges[runs.row]))
        last = runs.last
        self._since[runs.row[last]], self._level[runs.row[last]] = since[last], level[last]
        past = self._ring.push(runs, event, {"time": runs.time[event]})
        asked = np.flatnonzero(counts)
        begin = np.maximum(runs.time - self._window[runs.row], since)  # the oldest moment that is counted
        score = np.where(counts, 0.0, np.nan)
        if runs.single:  # of most rules the newest event is too old already
            newest = np.asarray(self._ring.anyhow("time", runs.row[asked]), np.int64).max(axis=1)
            asked = asked[newest >= begin[asked]]
        time = np.asarray(past.windows("time", asked), np.int64)
        score[asked] = np.count_nonzero(time >= begin[asked, None], axis=1)
        return score

    def blind(self, now: int) -> NDArray[np.bool_]:  # noqa: ARG002  one reading is enough
        """Rules that saw no value since their gate opened."""
        return np.asarray(np.isnan(self._level), np.bool_)

    def arrays(self) -> Arrays:
        """The times of the last events, and whether it is on."""
        return joined({"level": self._level, "kept_since": self._since}, self._ring.arrays())
