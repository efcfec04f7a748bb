"""A picture of one replayed accident: what the instruments showed, what was alarmed, and when it was too late."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.judged_plant import Verdict, copied_configuration
from detectors.picture import Mark, Panel, draw
from gateway_sim.accidents import PLANTS, Accident
from ingest.domain.model.plant import Point

_BEFORE_S: Final = 90.0
_AFTER_S: Final = 20.0
_PANELS: Final = 5
_FAR: Final = 1.0  # a limit further away than this many times the shown span is left out


def plot(accident: Accident, points: Sequence[str], shown: NDArray[np.float64], alarms: Sequence[Verdict]) -> str:
    """The picture as SVG.

    Args:
        accident: what is replayed.
        points: what the columns are.
        shown: float64[seconds, points], NaN = not sent.
        alarms: what tripped of what the accident names.
    """
    zero = accident.begins_s
    begin = max(0, int(zero - _BEFORE_S))
    end = min(len(shown), int(accident.no_return_s + _AFTER_S))
    time_s = (np.arange(begin, end) - zero).astype(np.float64)
    plant = copied_configuration(accident.plant, 1, PLANTS).plants[f"{accident.plant}-0"]
    known = {point.id: point for point in plant.points}
    panels = [
        _panel(known[point], accident.says[point], shown[begin:end, points.index(point)])
        for point in [*accident.says][:_PANELS]
    ]
    marks = [Mark(moment.at_s - zero, f"{moment.what.zh} · {moment.what.en}") for moment in accident.course]
    marks += [Mark(at_s - zero, words) for at_s, words in _first_alarms(known, alarms)]
    no_return_s = accident.no_return_s - zero
    last = "".join(f"：{mark.label}" for mark in marks if mark.at_s == no_return_s)
    marks = sorted((mark for mark in marks if mark.at_s != no_return_s), key=lambda mark: mark.at_s)
    before = [mark for mark in marks if mark.at_s < no_return_s]
    before.append(Mark(no_return_s, f"无法挽回 · point of no return{last}", bold=True))
    after = [mark for mark in marks if no_return_s < mark.at_s <= time_s[-1]]
    first = min((alarm.at_s - zero for alarm in alarms), default=None)
    tripped = [(first, float(time_s[-1]))] if first is not None else []
    title = f"{accident.name.zh} · {accident.name.en}"
    return draw(time_s, panels, tripped, title, [*before, *after], headed=True)


def _panel(point: Point, codes: Sequence[str], shown: NDArray[np.float64]) -> Panel:
    """One instrument, with those of its plain limits that its values come near to."""
    low, high = float(np.nanmin(shown)), float(np.nanmax(shown))
    far = _FAR * (high - low)
    limits = [
        rule.limit
        for rule in point.rules
        if rule.code in codes and rule.kind == "limit" and not rule.of and low - far <= rule.limit <= high + far
    ]
    unit = f", {point.unit}" if point.unit else ""
    states = "".join(f", {value} = {state.zh} {state.en}" for value, state in enumerate(point.states or ()))
    return Panel(f"{point.id}  {point.name.zh} · {point.name.en}{unit}{states}", [shown], limits, height=72)


def _first_alarms(known: Mapping[str, Point], alarms: Sequence[Verdict]) -> Iterator[tuple[float, str]]:
    """When each instrument alarmed first, and the words of that alarm."""
    firsts: dict[str, Verdict] = {}
    for alarm in sorted(alarms, key=lambda alarm: alarm.at_s):
        firsts.setdefault(alarm.point, alarm)
    for alarm in firsts.values():
        point = known[alarm.point]
        title = next(rule.title for rule in point.rules if rule.code == alarm.code)
        zh, en = title.zh.removeprefix(point.name.zh), title.en.removeprefix(point.name.en)
        yield alarm.at_s, f"报警 · alarm {point.id}: {zh.strip()} · {en.strip()}"
