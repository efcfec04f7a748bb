"""Silence: a point of which nothing was heard for longer than it may be silent, also one that was never heard.

Judged from the list of rules, not from traffic: a sensor that never spoke is as silent as one that stopped. Time is the
arrival time (`Readings.received`, `now`), since a device clock cannot tell whether the line is up. A device is heard
whenever any point it carries is heard.
"""

from __future__ import annotations

import numpy as np

from detectors.detector import State, take_over
from detectors.pairs import pair_all
from detectors.readings import Findings, Readings
from detectors.rules import RuleTable
from detectors.trip import Trip


class Silence:
    """Trips when `now` is `on` seconds past the last time the point was heard, and returns when it is heard again.

    A rule's watch begins at the first `now` it is given; `resume` begins it anew after the watcher itself was away.
    """

    def __init__(self, rules: RuleTable) -> None:
        self.rules = rules
        self._pairs = pair_all(len(rules))
        self._trip = Trip(rules)
        self._heard = np.zeros(len(rules), np.int64)

    def update(self, readings: Readings, now: int) -> Findings:
        """Note who was heard, then judge everyone at `now` (ns)."""
        point = self.rules.point
        highest = max(indices.max(initial=0) for indices in (point, readings.point, readings.carrier))
        heard = np.zeros(int(highest) + 1, np.int64)
        np.maximum.at(heard, readings.point, readings.received)
        np.maximum.at(heard, readings.carrier, readings.received)
        np.maximum(self._heard, heard[point], out=self._heard)
        self._heard[self._heard == 0] = now
        silent = (now - self._heard) / 1e9
        time = np.full(len(point), now)
        at, raised, _ = self._trip.judge(self._pairs, time, silent)
        deadline = self._heard[at] + (self.rules.on[at] * 1e9).astype(np.int64)
        return Findings(
            rule=self.rules.rule[at],
            raised=raised,
            time=time[at],
            onset=np.where(raised, deadline, now),
            received=time[at],
            value=np.full(len(at), np.nan),
        )

    def resume(self, now: int) -> None:
        """Begin every watch anew at `now`, but for what is silent already: the watcher was away, not the points."""
        awake = ~self._trip.tripped
        self._heard[awake] = np.maximum(self._heard[awake], now)

    def state(self) -> State:
        """When each point was last heard, and the verdicts."""
        return State(self.rules.key, {"heard": self._heard, **self._trip.arrays()})

    def restore(self, state: State) -> None:
        """Take over the memory of every rule known by its key."""
        take_over(self.state(), state)
