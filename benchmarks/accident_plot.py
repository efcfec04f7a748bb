"""A picture of one replayed accident: what the instruments showed, what was said, and when it was too late."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.judged_plant import Verdict
from detectors.picture import Mark, Panel, draw
from gateway_sim.accidents import Accident

_BEFORE_S: Final = 120.0
_PANELS: Final = 5


def plot(accident: Accident, points: Sequence[str], shown: NDArray[np.float64], alarms: Sequence[Verdict]) -> str:
    """The picture as SVG.

    Args:
        accident: what is replayed.
        points: what the columns are.
        shown: float64[seconds, points], NaN = not sent.
        alarms: what tripped of what the accident names.
    """
    begin = max(0, int(accident.begins_s - _BEFORE_S))
    time_s = np.arange(begin, len(shown), dtype=np.float64)
    panels = [Panel(point, [shown[begin:, points.index(point)]], height=90) for point in [*accident.says][:_PANELS]]
    marks = [Mark(moment.at_s, f"{moment.what.zh} · {moment.what.en}") for moment in accident.course]
    first = min((alarm.at_s for alarm in alarms), default=None)
    tripped = []
    if first is not None:
        tripped = [(first, float(time_s[-1]))]
        marks.append(Mark(first, f"报警 · alarm: {', '.join(sorted({f'{a.point} {a.code}' for a in alarms}))}"))
    marks.append(Mark(accident.no_return_s, "无法挽回 · point of no return"))
    marks.sort(key=lambda mark: mark.at_s)
    return draw(time_s, panels, tripped, f"{accident.name.zh} · {accident.name.en}", marks)
