"""Phase: is this normal at this point of the process? A cast, a heat, a stroke runs the same way every time.

The first input is the phase point: it grows through each run of the process (cast length, blown oxygen, time since
start). Parameters `low`, `high`: its range, in its unit, in 32 bins, outside of which nothing is told; `fresh_s`: for
how long its newest value counts; `least`: visits of a bin, that is runs of the process, before it tells anything (3 or
more); `floor`: the smallest standard deviation, in the point's unit. The score is the distance from the bin's mean in
standard deviations.

Training: as in `profile`. A bin learns at the end of each visit and remembers some 14; readings at or above `on` do not
teach, nor does a visit that was mostly such readings, so the rule trains anew only under a new key. A phase that falls
back by one bin jitters: the reading is judged there and teaches nothing.

Contextual anomalies: Chandola, Banerjee and Kumar, "Anomaly detection: a survey", ACM Computing Surveys 41, 2009.

>>> from detectors.examples import evaluate
>>> length, level = [100.0, 300.0, 500.0, 700.0, 0.0], [60.0, 80.0, 80.0, 70.0, 0.0]
>>> evaluate("phase", [*level * 3, 60.0, 80.0, 60.0, 70.0], others=[[*length * 3, *length[:4]]], on=5.0, off=4.0,
...       low=50.0, high=850.0, least=3.0, floor=2.0, fresh_s=5.0)
['trips at 17 s: 10', 'returns at 18 s: nan']
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.rules import RuleTable
from detectors.runs import Runs
from detectors.season import Season
from detectors.trip import Arrays

_BINS: Final = 32


class Phase:
    """Scores a reading by its distance from what is normal at this phase."""

    reports: Final = "score"

    def __init__(self, rules: RuleTable) -> None:
        if len(rules) and (rules.inputs is None or (rules.inputs[:, 0] < 0).any()):
            raise ValueError("a phase rule needs the phase point as its first input")
        self._point = rules.inputs[:, 0] if rules.inputs is not None else rules.point
        self._low, self._high = rules.param["low"], rules.param["high"]
        self._fresh = (rules.param["fresh_s"] * 1e9).astype(np.int64)
        self._season = Season(rules.on, rules.param["least"], rules.param["floor"], _BINS, round_=False)

    def score(self, runs: Runs) -> NDArray[np.float64]:
        """Standard deviations from the bin's mean; NaN without a value, outside the range or before `least` visits."""
        row = runs.row
        phase, time = runs.newest(self._point[row])
        known = ~np.isnan(phase) & (runs.time - time <= self._fresh[row])
        low, high = self._low[row], self._high[row]
        inside = known & (phase >= low) & (phase <= high)
        part = np.where(inside, (phase - low) / (high - low), 0)
        place = np.where(inside, np.minimum((part * _BINS).astype(np.int64), _BINS - 1), -1)
        return self._season.score(runs, runs.open & known & ~np.isnan(runs.value), place)

    def blind(self, now: int) -> NDArray[np.bool_]:  # noqa: ARG002  learns by phase, not by time
        """Rules none of whose bins has had enough visits."""
        return ~self._season.any_ripe()

    def arrays(self) -> Arrays:
        """What each rule has learnt."""
        return self._season.arrays()
