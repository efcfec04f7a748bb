"""First out: of a group that went into alarm together, which was the first, and so perhaps the reason for the rest.

Parameter `level`: a channel is on while its value, in the point's unit, is at or above this. Channels: the point itself
and the inputs. The score is the number of channels that are on; the finding names the one whose reading that was on is
earliest in event time, since all were off; of several at one time the first in the order of point and inputs. It stays
the first until all are off, even if it clears meanwhile. A channel without a value stays what it was. (First-out
annunciators: ISA-18.1; FirstInGroup in the Alarms and Conditions of OPC UA, part 9.)

The group is looked at when the point itself is heard, so who was first is known as finely as that point speaks: let it
be the one that speaks most often. What was before a closed gate is forgotten.

>>> from detectors.examples import find, series, tables
>>> trips = find(tables("first_out", on=1.0, off=0.0, others=2, level=1.0),
...              series([0.0, 0.0, 1.0], others=[[0.0, 0.0, 1.0], [0.0, 1.0, 1.0]]))
>>> (trips.time // 10**9).tolist(), trips.cause.tolist()
([1], [2])
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.feed import NEVER
from detectors.peers import Peers, channels
from detectors.precision import below
from detectors.readings import NO_CAUSE
from detectors.rules import RuleTable
from detectors.runs import Runs
from detectors.trip import Arrays

_LATE: Final = np.iinfo(np.int64).max


class FirstOut:
    """Scores a moment by the number of channels that are on, and knows which came first."""

    reports: Final = "score"
    scores_no_value: Final = True

    def __init__(self, rules: RuleTable) -> None:
        self._level = below(rules.param["level"])
        self._channel = channels(rules)
        self._peers = Peers(self._channel, np.full(len(rules), np.inf))
        self._began = np.full(len(rules), NEVER)  # the earliest reading that was on since all were off; NEVER = none
        self._first = np.zeros(len(rules), np.int64)  # whose it was: place among the channels
        self.cause = np.empty(0, np.int32)

    def score(self, runs: Runs) -> NDArray[np.float64]:
        """The number of channels that are on."""
        value, time = self._peers.values_with_times(runs)
        on = value >= self._level[runs.row, None]
        counts = on & runs.open[:, None]
        time = np.where(counts, time, _LATE)
        first = time.argmin(axis=1)
        time = time[np.arange(len(runs)), first]
        self.cause = np.full(len(runs), NO_CAUSE, np.int32)
        any_on = np.asarray(counts.any(axis=1), np.bool_)
        for pairs in runs.rounds():
            self.cause[pairs] = self._step(runs.row[pairs], time[pairs], first[pairs], any_on[pairs])
        return np.asarray(np.count_nonzero(on, axis=1), np.float64)

    def _step(
        self, row: NDArray[np.intp], time: NDArray[np.int64], first: NDArray[np.intp], any_on: NDArray[np.bool_]
    ) -> NDArray[np.int32]:
        """One reading each of different rules: the earliest channel that is on, or the one that was before it."""
        began, held = self._began[row], self._first[row]
        earlier = (began == NEVER) | (time < began) | ((time == began) & (first < held))
        held = np.where(earlier, first, held)
        self._began[row] = np.where(any_on, np.where(earlier, time, began), NEVER)
        self._first[row] = np.where(any_on, held, 0)
        return np.where(any_on, self._channel[row, held], NO_CAUSE).astype(np.int32, copy=False)

    def blind(self, now: int) -> NDArray[np.bool_]:  # noqa: ARG002  needs no past
        """Never."""
        return np.zeros(len(self._level), bool)

    def arrays(self) -> Arrays:
        """Return which member was first, and when."""
        return {"began": self._began, "first": self._first}
