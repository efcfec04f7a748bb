"""From a table to scores, events and contributions, in one call."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from detectors.workbench.bench import Workbench
from detectors.workbench.cells import TIMES, TIMES_ZH, is_number, time_of, zone_of
from detectors.workbench.errors import InvalidData, InvalidRule
from detectors.workbench.events import Event, Learning
from detectors.workbench.frames import table_of
from detectors.workbench.layout import TIMEZONE, Layout
from detectors.workbench.placed import Setting
from detectors.workbench.rules import LEAST_LESSON, USUAL, Rule
from detectors.workbench.table import Table

Floats = NDArray[np.float64]

SHARE: Final = 0.25
"""Share of the rows, from the start, that is the lesson where nobody says otherwise."""

_READINGS: Final = 40_000  # given to the bank at once


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """What was found in a table.

    Attributes:
        table: what was judged, and what of it was left out (`table.facts`).
        lesson: rows from the start that rules learnt from before they judged.
        scores: float64[n] a rule, by its name; NaN = it could not tell.
        events: in the order of their begin.
        learning: how far each rule has come.
    """

    table: Table
    lesson: int
    scores: Mapping[str, Floats]
    events: tuple[Event, ...]
    learning: tuple[Learning, ...]

    @property
    def time(self) -> NDArray[np.datetime64]:
        """datetime64[n], UTC, of the rows."""
        return self.table.time.astype("datetime64[ns]")


def analyse(
    data: Any,
    rules: Sequence[Rule] = USUAL,
    *,
    learn: float = SHARE,
    learn_until: str | dt.date | None = None,
    time: str | None = None,
    every_s: float | None = None,
    timezone: str = TIMEZONE,
    columns: Sequence[str] = (),
    without: Sequence[str] = (),
) -> Analysis:
    """Judge a table by rules that learn from its start.

    Args:
        data: a DataFrame of pandas or polars, an Arrow table, a dict of arrays, or the path of a CSV file.
        rules: by which it is judged.
        learn: share of the rows, from the start, to learn from: healthy running, as far as you know.
        learn_until: the time up to which to learn, instead of a share: a text or a datetime.
        time: the column of times; found where not given.
        every_s: there is no column of times, and rows are so many seconds apart.
        timezone: of times that do not name one.
        columns: those to judge; none: all that hold numbers.
        without: columns to leave out, such as labels.

    Raises:
        InvalidData: the data cannot be used.
        InvalidRule: an unknown column or parameter.

    >>> level = np.sin(np.arange(2000) / 7.0) + np.random.default_rng(1).normal(0, 0.1, 2000)
    >>> level[1500:1520] += 3.0
    >>> found = analyse({"level": level}, [Rule("zscore", on=3)], every_s=60)
    >>> found.events[0].column, str(found.events[0].begin)[:16], found.scores["level/zscore"].shape
    ('level', '2024-01-02T01:00', (2000,))
    """
    _require_rules(rules)
    table = table_of(data, Layout(time, every_s, timezone=timezone))
    if columns or without:
        table = table.chosen(columns, without)
    lesson = lesson_of(table, learn, learn_until, timezone)
    bench = Workbench(table.columns, rules, setting_of(table, lesson))
    events: list[Event] = []
    parts: list[Floats] = []
    for ended, scores in judged(bench, table):
        events += ended
        parts.append(scores)
    whole = np.concatenate(parts)
    return Analysis(
        table,
        lesson,
        {placed.name: whole[:, at] for at, placed in enumerate(bench.placed)},
        tuple(sorted([*events, *bench.standing()], key=lambda event: (event.begin, event.rule))),
        tuple(bench.learning()),
    )


def _require_rules(rules: Any) -> None:
    """Raise InvalidRule for what is no sequence of rules."""
    if not isinstance(rules, Sequence):
        raise InvalidRule(f"rules = {rules!r}: expected a list of Rule", f"rules = {rules!r}：应为 Rule 的列表")
    for rule in rules:
        if not isinstance(rule, Rule):
            raise InvalidRule(f"rule {rule!r}: expected a Rule, such as Rule('surprise')", f"规则 {rule!r}：应为 Rule")


def judged(
    bench: Workbench, table: Table, progress: Callable[[int], None] = lambda _: None
) -> Iterator[tuple[list[Event], Floats]]:
    """Feed a table to a bench in batches; yield the events that ended in each and its scores (float64[m, rules])."""
    size = max(1, _READINGS // len(table.columns))
    for begin in range(0, len(table), size):
        rows = table.rows(begin, begin + size)
        yield bench.feed(table.time[begin : begin + size], rows)
        progress(len(rows))


def lesson_of(table: Table, learn: float = SHARE, until: str | dt.date | None = None, timezone: str = TIMEZONE) -> int:
    """Return the rows of the lesson. Raises InvalidData if it is no part of the table, or too short."""
    rows = len(table)
    if rows <= LEAST_LESSON:
        raise InvalidData(
            f"{table.name}: {rows} rows",
            f"多于 {LEAST_LESSON} 行：前 {LEAST_LESSON} 行用来学习",
            f"more than {LEAST_LESSON} rows: the first {LEAST_LESSON} are learnt from",
        )
    if until is None:
        if not is_number(learn) or not 0 < learn < 1:
            raise InvalidData(f"learn = {learn!r}", "0 与 1 之间的比例", "a share between 0 and 1")
        return max(LEAST_LESSON, int(learn * rows))
    text = until.isoformat() if isinstance(until, dt.date) else until
    moment = time_of(text, zone_of(timezone)) if isinstance(text, str) else None
    if moment is None:
        raise InvalidData(f"learn until {until!r}", TIMES_ZH, TIMES)
    lesson = int(np.searchsorted(table.time, moment))
    if not LEAST_LESSON <= lesson < rows:
        first, last = (str(table.time[at].astype("datetime64[ns]"))[:19] for at in (LEAST_LESSON, -1))
        raise InvalidData(
            f"{table.name}: learn until {until}: {lesson} of {rows} rows",
            f"{first}Z 至 {last}Z 之间的时间",
            f"a time from {first}Z to {last}Z",
        )
    return lesson


def setting_of(table: Table, lesson: int) -> Setting:
    """Return what rules need to know of a table."""
    return Setting(
        lesson,
        float(np.median(np.diff(table.time[: lesson + 1]))) / 1e9,
        {name: _span(table.column(name)[:lesson]) for name in table.columns},
        table.offset_s,
    )


def _span(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.max() - known.min()) if len(known) else 0.0
