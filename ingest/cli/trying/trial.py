"""One trial: a table judged by the usual rules and by limits learnt from its start, and what each rule came to."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.workbench import USUAL, Event, Learning, Rule, Table
from detectors.workbench.analysis import judged, setting_of
from detectors.workbench.bench import Workbench
from detectors.workbench.placed import Placed

Floats = NDArray[np.float64]

HIGH: Final = "USUAL_H"
LOW: Final = "USUAL_L"
DAY_S: Final = 86_400.0
MARGIN: Final = 0.1
"""Share of a column's span in the lesson by which a learnt limit lies beyond all that was seen there."""
DIGITS: Final = 4
"""Digits of a learnt limit, counted in the span."""
BINS: Final = 700
"""Stretches of the time for which the highest score is kept, for pictures."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A rule that was tried: how often it tripped behind the lesson."""

    placed: Placed
    alarms: int
    a_day: float


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """What came of it.

    Attributes:
        events: in the order of their begin.
        scores: float64[BINS or fewer, rules], the highest of each stretch; NaN = none.
        score_s: float64[BINS or fewer], the middle of each, s since the epoch.
    """

    table: Table
    lesson: int
    events: tuple[Event, ...]
    learning: tuple[Learning, ...]
    tried: tuple[Tried, ...]
    scores: Floats
    score_s: Floats

    @property
    def days(self) -> float:
        """The time that was judged, in days."""
        return float(self.table.time[-1] - self.table.time[self.lesson - 1]) / 1e9 / DAY_S

    def events_of(self, column: str) -> list[Event]:
        """Return the events that name a column first."""
        return [event for event in self.events if event.column == column]


def run_trial(table: Table, lesson: int, progress: Callable[[int], None] = lambda _: None) -> Trial:
    """Judge a table; `lesson`: rows that rules learn from."""
    rules = [*USUAL, *learnt_limits(table, lesson)]
    bench = Workbench(table.columns, rules, setting_of(table, lesson))
    many = min(BINS, len(table))
    highest = np.full((many, len(bench.placed)), -np.inf)
    counts = dict.fromkeys((placed.name for placed in bench.placed), 0)
    events: list[Event] = []
    begin = 0
    for ended, scores in judged(bench, table, progress):
        events += ended
        place = np.arange(begin, begin + len(scores)) * many // len(table)
        starts = np.flatnonzero(np.diff(place, prepend=-1))
        top = np.maximum.reduceat(np.nan_to_num(scores, nan=-np.inf), starts, axis=0)
        highest[place[starts]] = np.maximum(highest[place[starts]], top)
        begin += len(scores)
    events += bench.standing()
    events = sorted((event for event in events if event.row >= lesson), key=lambda event: (event.begin, event.rule))
    for event in events:
        counts[event.rule] += 1
    edges = (np.arange(many) + 0.5) * len(table) / many
    trial = Trial(
        table, lesson, tuple(events), tuple(bench.learning()), (),
        np.where(np.isinf(highest), np.nan, highest), table.time[edges.astype(np.intp)] / 1e9,
    )  # fmt: skip
    tried = tuple(Tried(placed, counts[placed.name], counts[placed.name] / trial.days) for placed in bench.placed)
    return Trial(table, lesson, trial.events, trial.learning, tried, trial.scores, trial.score_s)


def learnt_limits(table: Table, lesson: int) -> Iterator[Rule]:
    """Yield a high and a low limit for each column that moves in the lesson, a tenth of its span beyond it."""
    for column in table.columns:
        seen = table.column(column)[:lesson]
        seen = seen[~np.isnan(seen)]
        low, high = (float(seen.min()), float(seen.max())) if len(seen) else (0.0, 0.0)
        if high > low:
            round_to = DIGITS - 1 - math.floor(math.log10(high - low))
            margin = MARGIN * (high - low)
            for name, side, on, off in ((HIGH, 1, high + margin, high), (LOW, -1, low - margin, low)):
                yield Rule(
                    "limit", columns=column, name=name, side=side, on=side * round(on, round_to),
                    off=side * round(off, round_to),
                )  # fmt: skip


def still(table: Table, lesson: int) -> Sequence[str]:
    """Return the columns that stood still in the lesson."""
    limited = {rule.columns for rule in learnt_limits(table, lesson)}
    return [column for column in table.columns if (column,) not in limited]
