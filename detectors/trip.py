"""From score to verdict: deadband, on-delay and off-delay in event time, the same for every detector.

ISA-18.2 / IEC 62682 describe the parameters; the delays are those of a TON/TOF timer pair (IEC 61131-3).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.pairs import Pairs
from detectors.rules import RuleTable

Arrays = dict[str, NDArray[np.generic]]


class Trip:
    """Decides, reading by reading, whether each rule is tripped.

    The condition begins at score >= on and ends at score <= off (and < on); between the two, and where the score is NaN
    (cannot tell), it stays as it was. The rule trips once the condition has held for `on_delay`, and returns once it
    has been gone for `off_delay`. A reading that cannot be judged never completes a delay.
    """

    def __init__(self, rules: RuleTable) -> None:
        self._rules = rules
        self.condition = np.zeros(len(rules), bool)
        self.since = np.zeros(len(rules), np.int64)
        self.tripped = np.zeros(len(rules), bool)

    def judge(
        self, pairs: Pairs, time: NDArray[np.int64], score: NDArray[np.float64]
    ) -> tuple[NDArray[np.intp], NDArray[np.bool_], NDArray[np.int64]]:
        """Move on by one batch.

        Args:
            pairs: who is judged.
            time: int64[k], event time of each pair, ns.
            score: float64[k], higher = worse, NaN = cannot tell.

        Returns:
            The pairs at which a verdict changed (places), whether it tripped there, and since when the condition held.
        """
        rules, row = self._rules, pairs.row
        on = score >= rules.on[row]
        off = (score < rules.on[row]) & (score <= rules.off[row])
        condition = pairs.fill(on, on | off, self.condition)
        turned = condition != pairs.previous(condition, self.condition)
        since = pairs.fill(time, turned, self.since)
        held = time - since
        judged = ~np.isnan(score)
        trips = judged & condition & (held >= rules.on_delay[row])
        returns = judged & ~condition & (held >= rules.off_delay[row])
        tripped = pairs.fill(trips, trips | returns, self.tripped)
        changed = np.flatnonzero(tripped != pairs.previous(tripped, self.tripped))

        last = pairs.last
        self.condition[row[last]] = condition[last]
        self.since[row[last]] = since[last]
        self.tripped[row[last]] = tripped[last]
        return changed, tripped[changed], since[changed]

    def arrays(self) -> Arrays:
        """The state, one entry a rule in every array; writing into them sets it."""
        return {"condition": self.condition, "since": self.since, "tripped": self.tripped}
