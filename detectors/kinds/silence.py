"""Silence: a point of which nothing was heard for longer than it may be silent, also one that was never heard.

Judged from the list of rules, not from traffic: a sensor that never spoke is as silent as one that stopped. Time is the
arrival time (`Readings.received`, `now`), since a device clock cannot tell whether the line is up. A device is heard
whenever any point it carries is heard. A rule may name the device that carries its point (`inputs`): until that one has
been heard for the first time nothing is installed, or nothing is connected, which is one fact and told by the device's
own rule; from then on the point is watched for good. (A dead man's switch; Prometheus calls the same rule
`absent_over_time`.)
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.detector import NotEvaluated, State, take_over
from detectors.feed import Feed, Known
from detectors.masks import anywhere, everywhere
from detectors.readings import NO_CAUSE, Findings, Readings, nothing
from detectors.rows import Rows
from detectors.rules import NO_POINT, RuleTable
from detectors.runs import moments
from detectors.trip import Trip, joined

GRACE_S: Final = 10.0
"""In the first seconds after a start nobody newly falls silent: what waited for the watcher is delivered first."""

_GRACE: Final = int(GRACE_S * 1e9)
_NEVER_DUE: Final = np.iinfo(np.int64).max


class Silence:
    """Trips when `now` is `on` seconds past the last time the point was heard, and returns when it is heard again.

    A rule's watch begins at the first `now` it is given. Time in which the watcher itself was away counts for nobody
    (`resume`).

    >>> from detectors.examples import series, tables
    >>> silence = Silence(tables("silence", on=5.0)["silence"], 1)
    >>> silence.receive(series([1.0]))
    >>> [silence.update(None, second * 10**9).raised.tolist() for second in (1, 4, 6, 7)]
    [[], [], [True], []]
    """

    def __init__(self, rules: RuleTable, points: int) -> None:
        self.rules = rules
        self._trip = Trip(rules)
        self._limit = (rules.on * 1e9).astype(np.int64)
        self._last_received = np.zeros(points, np.int64)
        self._device = rules.inputs[:, 0] if rules.inputs is not None else np.full(len(rules), NO_POINT, np.int32)
        self._seen = np.zeros(points + 1, np.bool_)  # whether it ever sent, by point; the last entry: no device
        self._seen[NO_POINT] = True
        self._starting = np.empty(0, np.int32)  # points whose silence is measured from the next `now`
        self._unseen = True  # whether some point or device has not sent yet
        self._spread = False  # whether what was seen was passed on to points and devices that belong together
        self._latest = 0  # the latest arrival
        self._resumed = -_GRACE  # when the service last resumed
        self._due = 0  # no rule at rest can trip before this
        self._rows = Rows(rules.point, points)
        self._silent = np.zeros(points, np.bool_)  # points with a rule not at rest: checked at their next arrival
        self._to_check = np.empty(0, np.intp)  # points to be checked: an arrival, or a running delay

    def receive(self, readings: Readings) -> None:
        """Note arrivals of the readings' points, late ones too, and of the devices that carried them."""
        if not len(readings):
            return
        received, last_received = readings.received, self._last_received
        ordered = int(received[0]) >= self._latest and everywhere(received[1:] >= received[:-1])
        if not ordered:  # on its way while somebody looked, or a clock was set back
            received = np.maximum(received, self._resumed)  # what was found at the start is heard then
        if self._unseen and not (self._spread and self._all_seen(readings.point, readings.carrier)):
            self.mark_seen(np.concatenate((readings.point, readings.carrier)))
        self._latest = max(self._latest, int(received[-1] if ordered else received.max()))
        for column in (readings.point, readings.carrier):
            at, when = column.astype(np.intp), received
            if not everywhere(known := at < len(last_received)):
                at, when = at[known], received[known]
            if ordered:
                last_received[at] = when  # the last one stays
            else:
                np.maximum.at(last_received, at, when)
            if anywhere(silent := self._silent[at]):
                self._to_check = np.concatenate((self._to_check, at[silent]))

    def mark_seen(self, points: NDArray[np.integer]) -> None:
        """Mark points and devices as seen; silence is measured from now on for all points on the same devices."""
        point, device = self.rules.point, self._device
        last_received, known = self._seen[point], self._seen[device]
        self._seen[points[points < len(self._last_received)]] = True
        self._seen[device[self._seen[point]]] = True
        new = self._seen[device] & ~known
        if new.any():
            self._starting = np.concatenate((self._starting, point[new & ~last_received]))
            self._due = 0
        self._unseen = not (self._seen[device].all() and self._seen[point].all())
        self._spread = True

    def _all_seen(self, *columns: NDArray[np.int32]) -> bool:
        """Whether all these points and devices were seen before; those numbered higher than any rule names are."""
        return all(everywhere(self._seen.take(column, mode="clip")) for column in columns)

    def update(self, feed: Feed | None, now: int) -> Findings:  # noqa: ARG002  `receive` has the readings
        """Evaluate all rules at `now` (ns), by the arrivals up to then."""
        if self._latest > now:  # heard by a clock that was ahead: nobody is heard after now
            np.minimum(self._last_received, now, out=self._last_received)
            self._due, self._resumed = 0, min(self._resumed, now)
        self._latest = now
        if len(self._starting):
            self._last_received[self._starting] = now
            self._starting = self._starting[:0]
        everyone = now >= self._due
        if not everyone and not len(self._to_check):
            return nothing()
        rows = np.arange(len(self.rules)) if everyone else self._rows.of(np.unique(self._to_check))[1]
        last_received = self._last_received_of(rows, now)
        runs = moments(rows, self.rules.point[rows], now)
        runs, at, raised, _, _ = self._trip.evaluate(runs, (now - last_received) / 1e9)
        resting = ~self._trip.busy[rows]  # those that have just come to rest among them: their watch begins again
        self._silent[self.rules.point[rows]] = False
        self._silent[self.rules.point[rows[~resting]]] = True
        self._to_check = self.rules.point[rows[self._trip.status(rows)[1]]].astype(np.intp)
        soonest = int((last_received + self._limit[rows])[resting].min(initial=_NEVER_DUE))
        if now < self._resumed + _GRACE:
            soonest = min(soonest, self._resumed + _GRACE)
        self._due = soonest if everyone else min(self._due, soonest)
        row = runs.row[at]
        time = np.full(len(at), now)
        return Findings(
            rule=self.rules.rule[row],
            raised=raised,
            time=time,
            onset=np.where(raised, self._last_received_of(row, now) + self._limit[row], now),
            received=time,
            value=np.full(len(at), np.nan),
            cause=np.full(len(at), NO_CAUSE, np.int32),
        )

    @property
    def due(self) -> int:
        """When time alone next changes a verdict (ns), if nothing arrives before; past: at the next update."""
        return 0 if len(self._starting) or len(self._to_check) else self._due

    def last_received(self, point: int) -> int:
        """When a point last sent (ns; 0 = never), shifted by outages of the service."""
        return int(self._last_received[point]) if point < len(self._last_received) else 0

    def resume(self, left: int, now: int, silent: Collection[str] | None = None) -> None:
        """Leave the time from `left` to `now` out of every silence, since the service was down and not the points.

        `silent` names the tripped rules, None = as before.
        """
        trip, point, last_received = self._trip, self.rules.point, self._last_received
        if silent is not None:
            trip.tripped[:] = [key in silent for key in self.rules.key]
            trip.condition[:] = trip.tripped
            trip.since[:] = now
            trip.sync()
        last_received[self._starting], self._starting = left, self._starting[:0]
        last_received[last_received != 0] += now - left
        np.minimum(last_received, now, out=last_received)
        last_received[point[last_received[point] == 0]] = now
        tripped = trip.tripped
        silent_since = now - self._limit[tripped]  # still silent, and not for longer than is known
        np.minimum.at(last_received, point[tripped], silent_since)
        self._due, self._latest = 0, now
        if now != left:
            self._resumed = now

    def shift(self, step: int) -> None:
        """Follow a jump of the clock of arrivals by `step` (ns)."""
        self._last_received[self._last_received != 0] += step
        self._trip.since[self._trip.busy] += step
        self._due, self._latest, self._resumed = 0, self._latest + step, self._resumed + step

    def not_evaluated(self, known: Known, now: int) -> NotEvaluated:  # noqa: ARG002  time decides for all rules
        """None: a point without arrivals is silent."""
        return NotEvaluated.none()

    def state(self) -> State:
        """When each point last sent, and the verdicts."""
        point = self.rules.point
        own = {
            "heard": self._last_received[point],
            "met": self._seen[self._device],
            "ever": self._seen[point],
            "began": np.full(len(point), self._resumed),
        }
        return State(self.rules.key, joined(own, self._trip.arrays()))

    def restore(self, state: State) -> None:
        """Restore the state of every rule known by its key."""
        ours = self.state()
        take_over(ours, state)
        last_received = np.zeros_like(self._last_received)
        np.maximum.at(
            last_received, self.rules.point, ours.arrays["heard"]
        )  # of several rules on a point, one may be new
        self._last_received[self.rules.point] = last_received[self.rules.point]
        self._seen[self._device[ours.arrays["met"]]] = True
        self._seen[self.rules.point[ours.arrays["ever"]]] = True
        self._unseen, self._spread = True, False
        self._trip.sync()
        self._resumed = int(ours.arrays["began"].max(initial=-_GRACE))
        self._due, self._latest = 0, max(self._resumed, int(self._last_received.max(initial=0)))

    def _last_received_of(self, rows: NDArray[np.intp], now: int) -> NDArray[np.int64]:
        """Return when each rule's point last reported; silence of a new rule counts from now."""
        point = self.rules.point[rows]
        last_received = self._last_received[point]
        if (new := last_received == 0).any():
            self._last_received[point[new]] = now
            last_received = self._last_received[point]
        if now < self._resumed + _GRACE:
            return np.where(self._trip.tripped[rows], last_received, now)
        if self._unseen:
            last_received = np.where(self._seen[self._device[rows]] | self._trip.tripped[rows], last_received, now)
        return last_received
