"""Votes: M out of N channels agree that it is dangerous, so one broken channel neither trips alone nor hides a danger.

Parameters `level`: a channel votes when its value, in the point's unit, is at or above this; `bad_votes`: 1, a bad
channel votes to trip; 0, it abstains; `fresh_s`: a channel not heard for longer than this, s, is bad. Channels: the
point itself and the inputs; bad are those whose newest reading has no value, that were never seen, or are not fresh.
The score is the number of votes; with `on` = M this is the MooN voting of IEC 61511. A bad channel votes to trip unless
chosen otherwise, so that MooN with b bad channels is (M-b)oo(N-b): 2oo3 becomes 1oo2, and trips once two are bad. With
abstention it is Moo(N-b): 2oo3 becomes 2oo2, and cannot trip once two are bad.

Votes are counted when the point itself is heard, with a value or without one. The finding names the first channel, in
the order of point and inputs, that voted.

>>> from detectors.examples import evaluate
>>> evaluate("votes", [9.0, 9.0, 1.0], on=2.0, off=1.0, others=[[1.0, 9.0, 9.0], [1.0, 1.0, 1.0]], level=5.0,
...       bad_votes=1.0, fresh_s=60.0)
['trips at 1 s: 2', 'returns at 2 s: nan']
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.peers import Peers, channels
from detectors.precision import below
from detectors.readings import NO_CAUSE
from detectors.rules import RuleTable
from detectors.runs import Runs
from detectors.trip import Arrays


class Votes:
    """Scores a moment by the number of channels that vote to trip."""

    reports: Final = "score"
    scores_no_value: Final = True

    def __init__(self, rules: RuleTable) -> None:
        self._level = below(rules.param["level"])
        self._bad_votes = rules.param["bad_votes"] > 0
        self._channel = channels(rules)
        self._peers = Peers(self._channel, rules.param["fresh_s"])
        self.cause = np.empty(0, np.int32)

    def score(self, runs: Runs) -> NDArray[np.float64]:
        """The number of votes."""
        row = runs.row
        value = np.where(self._peers.bad(runs), np.nan, self._peers.values(runs))
        bad = np.isnan(value) & self._peers.there[row]
        votes = (value >= self._level[row, None]) | (bad & self._bad_votes[row, None])
        first = self._channel[row, votes.argmax(axis=1)]
        self.cause = np.where(votes.any(axis=1), first, NO_CAUSE).astype(np.int32, copy=False)
        return np.asarray(np.count_nonzero(votes, axis=1), np.float64)

    def blind(self, now: int) -> NDArray[np.bool_]:  # noqa: ARG002  a channel that is not known is bad
        """Never."""
        return np.zeros(len(self._level), bool)

    def arrays(self) -> Arrays:
        """Nothing to remember."""
        return {}
