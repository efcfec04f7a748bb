"""InfluxQL for the trends of many points at once: what is asked, and what the answers come to. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ingest.history.line_protocol import gateway_field, tag_value
from ingest.history.store import Trend, TrendQuery
from ingest.model.flags import Flag
from ingest.model.plant import SERVICE

NO_VALUE: Final = f"quality & {int(Flag.NO_VALUE)} = {int(Flag.NO_VALUE)}"
"""Set on every reading without a value."""

_QUOTED: Final = {"\\": r"\\", "\n": r"\n"}
_STRING: Final = str.maketrans(_QUOTED | {"'": r"\'"})
_NAME: Final = str.maketrans(_QUOTED | {'"': r"\""})


@dataclass(frozen=True, slots=True)
class TrendStatement:
    """A statement with a series for each value of a tag.

    Attributes:
        influxql: the statement; its rows are (time, low, mean, high, count), or (time, count) with `blank`.
        tag: what tells the series apart.
        queries: value of that tag -> places of the queries it answers.
        blank: whether it counts readings without a value.
    """

    influxql: str
    tag: str
    queries: Mapping[str, Sequence[int]]
    blank: bool


def trend_statements(queries: Sequence[TrendQuery], measurement: Callable[[str], str]) -> list[TrendStatement]:
    """What to ask for these trends: two statements for each plant, span and measurement, however many its points.

    Args:
        queries: the trends wanted.
        measurement: a measurement's name -> the measurement in InfluxQL.
    """
    found: defaultdict[tuple[str, int, int, int, str, str, str], defaultdict[str, list[int]]]
    found = defaultdict(lambda: defaultdict(list))
    for place, one in enumerate(queries):
        for name, tag, value, field in _kept_in(one):
            found[one.plant, one.start, one.end, one.width, name, tag, field][value].append(place)
    return [
        TrendStatement(
            f"SELECT {what} FROM {measurement(name)} WHERE plant = {string(plant)} AND "  # noqa: S608  quoted
            f"({' OR '.join(f'{tag} = {string(value)}' for value in places)}) AND {condition}"
            f"time >= {start} AND time < {end} GROUP BY time({width}ns, {start % width}ns), {tag} fill(none)",
            tag,
            places,
            blank=bool(condition),
        )
        for (plant, start, end, width, name, tag, field), places in found.items()
        for what, condition in (
            (f"min({field}), mean({field}), max({field}), count({field})", ""),
            ("count(quality)", f"{NO_VALUE} AND "),
        )
    ]


class Buckets:
    """The buckets of one trend, put together from several series: a point may have had another id."""

    def __init__(self) -> None:
        self._rows: dict[int, tuple[float, float, float, int]] = {}  # time -> low, mean, high, readings with a value
        self._blank: dict[int, int] = {}  # time -> readings without one

    def add(self, rows: Sequence[Sequence[Any]], *, blank: bool) -> None:
        """Add a series' rows, as a `TrendStatement` gives them."""
        for time, *row in rows:
            if blank:
                self._blank[time] = self._blank.get(time, 0) + row[0]
            elif row[3]:
                known = self._rows.get(time)
                self._rows[time] = (*row,) if known is None else _both(known, row)

    def trend(self) -> Trend:
        """The trend they come to."""
        times = sorted(self._rows.keys() | self._blank.keys())
        rows = [self._rows.get(time, (np.nan, np.nan, np.nan, 0)) for time in times]
        low, mean, high, count = zip(*rows, strict=True) if rows else ((),) * 4
        return Trend(
            time=np.array(times, np.int64),
            low=np.array(low, np.float64),
            mean=np.array(mean, np.float64),
            high=np.array(high, np.float64),
            count=np.array(count, np.int64) + np.array([self._blank.get(time, 0) for time in times], np.int64),
        )


def quoted(text: str) -> str:
    """A measurement, database or policy as an InfluxQL identifier."""
    return f'"{text.translate(_NAME)}"'


def measurement(name: str, policy: str | None) -> str:
    """A measurement in a retention policy, in InfluxQL; None: in the database's own."""
    return quoted(name) if policy is None else f"{quoted(policy)}.{quoted(name)}"


def _kept_in(query: TrendQuery) -> Iterator[tuple[str, str, str, str]]:
    """Where its series may be: measurement, tag and its value, field."""
    if query.plant == SERVICE:
        yield "service", "point", tag_value(query.point), "value"
        return
    for name in query.ids:
        yield "readings", "point", tag_value(name), "value"
    gateway, field = gateway_field(query.point)
    yield "gateways", "gateway", tag_value(gateway), field


def _both(one: tuple[float, float, float, int], other: Sequence[Any]) -> tuple[float, float, float, int]:
    low, mean, high, count = other
    total = one[3] + count
    return min(one[0], low), (one[1] * one[3] + mean * count) / total, max(one[2], high), total


def string(text: str) -> str:
    """A tag's value or a password as an InfluxQL string."""
    return f"'{text.translate(_STRING)}'"
