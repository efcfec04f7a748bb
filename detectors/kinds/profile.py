"""Profile: is this normal for the time of day? A value that is healthy at noon may be an alarm at midnight.

Parameters `period_s`: the cycle (86 400, a day), in 24 bins; `offset_s`: what local time is ahead of UTC (28 800 in
China); `least`: visits of a bin, that is days, before it tells anything (3 or more, better 7); `floor`: the smallest
standard deviation, in the point's unit. The score is the distance from the bin's mean in standard deviations.

Training: a bin learns at the end of each visit and remembers some 14; readings at or above `on` do not teach, nor does
a visit that was mostly such readings. A rule thus never gets used to a fault, nor to a new way of running the plant: it
trains anew under a new key. Readings behind a closed gate neither teach nor are judged.

Contextual anomalies: Chandola, Banerjee and Kumar, "Anomaly detection: a survey", ACM Computing Surveys 41, 2009. The
bins are the cycle-subseries of Cleveland et al., "STL", Journal of Official Statistics 6, 1990, without the trend; they
learn as the seasonal indices of Winters, "Forecasting sales by exponentially weighted moving averages", Management
Science 6, 1960.

>>> from detectors.examples import evaluate
>>> day = [20.0] * 12 + [30.0] * 12  # one reading an hour
>>> evaluate("profile", [*day * 4, *day[:6], 30.0, 20.0], on=5.0, off=4.0, step_s=3600.0,
...       period_s=86400.0, offset_s=0.0, least=3.0, floor=0.5)
['trips at 367200 s: 20', 'returns at 370800 s: nan']
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.rules import RuleTable
from detectors.runs import Runs
from detectors.season import Season
from detectors.trip import Arrays

_BINS: Final = 24


class Profile:
    """Scores a reading by its distance from what is normal at this time of the cycle."""

    reports: Final = "score"

    def __init__(self, rules: RuleTable) -> None:
        self._width = np.maximum((rules.param["period_s"] * 1e9).astype(np.int64) // _BINS, 1)
        self._offset = (rules.param["offset_s"] * 1e9).astype(np.int64)
        self._season = Season(rules.on, rules.param["least"], rules.param["floor"], _BINS, round_=True)

    def score(self, runs: Runs) -> NDArray[np.float64]:
        """Standard deviations from the bin's mean; NaN without a value or before `least` visits."""
        place = (runs.time + self._offset[runs.row]) // self._width[runs.row]
        return self._season.score(runs, runs.open & ~np.isnan(runs.value), place)

    def blind(self, now: int) -> NDArray[np.bool_]:
        """Rules whose present bin has not had enough visits."""
        return ~self._season.ripe((now + self._offset) // self._width)

    def arrays(self) -> Arrays:
        """What each rule has learnt."""
        return self._season.arrays()
