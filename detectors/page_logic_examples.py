"""Examples of the kinds that decide by what several points, or the steps of a process, did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from detectors.page_example import Example, pulse

LOGIC: Final[Mapping[str, Example]] = {
    "votes": Example(
        np.where(np.arange(200) < 80, 0.0, 1.0),
        on=2.0,
        param={"level": 0.5, "bad_votes": 1.0, "fresh_s": 30.0},
        label="three gas switches",
        score="votes",
        others=[
            np.where(np.arange(200) < 120, 0.0, 1.0),
            np.where(np.arange(200) < 150, 0.0, np.nan),
        ],
        caption="Two out of three; from 150 s on the third is bad, and votes to trip too.",
    ),
    "first_out": Example(
        pulse(200, 90, 160, 1.0),
        on=1.0,
        param={"level": 0.5},
        label="three trips of one shutdown",
        score="channels on",
        others=[pulse(200, 60, 160, 1.0), pulse(200, 110, 160, 1.0)],
        caption="Which of several was the first is told with the finding: here the one at 60 s.",
    ),
    "restart": Example(
        1.0 - pulse(200, 70, 110, 1.0),
        on=1.0,
        off=0.0,
        param={"level": 0.5, "hold_s": 3600.0, "at_0": 1.0, "at_1": float("nan")}
        | {"single": 1.0, "times": 3.0, "within_s": 60.0, "stop_s": 30.0},
        label="grinding runs",
        score="started in spite of a trip",
        others=[pulse(200, 60, 62, 1.0), pulse(200, 160, 165, 1.0)],
        beside="spark; inspection signed",
        caption="A spark at 60 s, a stop 10 s later, and at 110 s work begins again; at 160 s somebody has inspected"
        " and signs. A spark long before the stop would have been no trip.",
    ),
    "sequence": Example(
        pulse(200, 20, 90, 1.0) + pulse(200, 40, 90, 1.0) + pulse(200, 130, 180, 2.0),
        on=1.0,
        off=0.0,
        param={"enters": 2.0, "after": 2.0, "within_s": 60.0},
        label="step: 0 idle, 1 preparing, 2 casting",
        score="entered from elsewhere",
        caption="The first cast was prepared. The second begins at 130 s straight from idle: told until it ends.",
    ),
}
