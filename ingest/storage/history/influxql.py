"""Builds InfluxQL statements for the trends of many points at once, and assembles their answers. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import numpy as np

from ingest.domain.model.flags import Flag
from ingest.domain.model.plant import SERVICE
from ingest.storage.history.line_protocol import gateway_field, tag_value
from ingest.storage.history.rollups import Kept, Part, Resolution, parts_of
from ingest.storage.history.store import PhaseQuery, Trend, TrendQuery

NO_VALUE: Final = f"quality & {int(Flag.NO_VALUE)} = {int(Flag.NO_VALUE)}"
"""Set on every reading without a value."""

ROLLED: Final = ("readings", "service")
"""Measurements that have rollups; gateways send little and seldom."""

READINGS_ONLY: Final = Kept(minutes=2**63 - 1, hours=2**63 - 1)
"""The coverage of a store without rollups."""

_PARTS: Final = 2**60
"""The divisor of numbers whose sum overflows; as a power of two it does not change their precision."""

_QUOTED: Final = {"\\": r"\\", "\n": r"\n"}
_STRING: Final = str.maketrans(_QUOTED | {"'": r"\'"})
_NAME: Final = str.maketrans(_QUOTED | {'"': r"\""})


class Rows(Enum):
    """The kinds of rows of an answer."""

    VALUES = "min({0}), mean({0}), max({0}), count({0})"
    BLANK = "count(quality)"
    ROLLUPS = "min(low), sum(sum), max(high), sum(count), sum(blank)"


_IN_PARTS: Final = {
    Rows.VALUES: ("min(whole), mean(part), max(whole), count(whole)", f"{{0}} AS whole, {{0}} / {_PARTS} AS part"),
    Rows.BLANK: ("count(quality)", "quality"),
    Rows.ROLLUPS: (
        "min(low), sum(part), max(high), sum(count), sum(blank)",
        f"low, sum / {_PARTS} AS part, high, count, blank",
    ),
}
"""The same over a subquery, and what that selects."""


@dataclass(frozen=True, slots=True)
class TrendStatement:
    """A statement that returns one series per value of a tag.

    Attributes:
        influxql: the statement; its rows are a time and the columns of `rows`.
        in_parts: the same, much slower, with means and sums of the numbers divided by 2^60, for a server whose sums
            overflow, which it cannot express in JSON.
        tag: the tag that identifies the series.
        queries: value of that tag -> indices of the queries it answers.
        rows: the kind of its rows.
        shift: added to their times, ns.
    """

    influxql: str
    in_parts: str
    tag: str
    queries: Mapping[str, Sequence[int]]
    rows: Rows
    shift: int


@dataclass(frozen=True, slots=True)
class _Source:
    """What one statement queries: a part of a trend's span, in one measurement."""

    plant: str
    part: Part
    width: int
    phase: int  # start of a bucket, ns from a multiple of the width
    measurement: str
    tag: str
    field: str


def trend_statements(
    queries: Sequence[TrendQuery], policy: str | None, kept: Kept, rollups: Mapping[Resolution, str]
) -> list[TrendStatement]:
    """The statements for these trends: one or two per plant, span and measurement, however many points there are.

    Args:
        queries: the requested trends.
        policy: the retention policy of readings; None: the database's own.
        kept: the coverage by readings and rollups.
        rollups: the retention policy of rollups.
    """
    found: defaultdict[_Source, defaultdict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for place, query in enumerate(queries):
        for name, tag, value, field in _sources_of(query):
            for part in parts_of(query, kept if name in ROLLED else READINGS_ONLY):
                source = _Source(query.plant, part, query.width, query.first % query.width, name, tag, field)
                found[source][value].append(place)
    return [
        _statement(source, places, rows, where, condition)
        for source, places in found.items()
        for rows, where, condition in _row_kinds(source.part.resolution, policy, rollups)
    ]


def phase_statement(query: PhaseQuery, policy: str | None) -> str:
    """The statement for records of phases: rows of time, code and number."""
    return (
        f"SELECT phase, number FROM {measurement('phases', policy)} WHERE plant = {string(tag_value(query.plant))} AND"  # noqa: S608  quoted
        f" equipment = {string(tag_value(query.equipment))} AND time >= {query.start} AND time < {query.end}"
    )


def _statement(
    source: _Source, places: Mapping[str, Sequence[int]], rows: Rows, policy: str | None, condition: str
) -> TrendStatement:
    start, end = source.part.times
    shift = source.part.resolution.shift
    span = f"time >= {start} AND time < {end}"
    selection = (
        f"{measurement(source.measurement, policy)} WHERE plant = {string(source.plant)} AND"
        f" ({' OR '.join(f'{source.tag} = {string(value)}' for value in places)}) AND {condition}{span}"
    )
    buckets = f"GROUP BY time({source.width}ns, {(source.phase - shift) % source.width}ns), {source.tag} fill(none)"
    outer, inner = _IN_PARTS[rows]
    return TrendStatement(
        f"SELECT {rows.value.format(source.field)} FROM {selection} {buckets}",  # noqa: S608  quoted
        f"SELECT {outer} FROM (SELECT {inner.format(source.field)} FROM {selection}) WHERE {span} {buckets}",  # noqa: S608
        source.tag,
        places,
        rows,
        shift,
    )


def _row_kinds(
    resolution: Resolution, policy: str | None, rollups: Mapping[Resolution, str]
) -> Sequence[tuple[Rows, str | None, str]]:
    """How a part is queried: the kinds of rows, each with its retention policy and condition."""
    if resolution is Resolution.READINGS:
        return (Rows.VALUES, policy, ""), (Rows.BLANK, policy, f"{NO_VALUE} AND ")
    return ((Rows.ROLLUPS, rollups[resolution], ""),)


class Buckets:
    """The buckets of one trend, merged from several series: a point may have had another id."""

    def __init__(self) -> None:
        self._rows: dict[int, tuple[float, float, float, int]] = {}  # time -> low, mean, high, readings with a value
        self._blank: dict[int, int] = {}  # time -> readings without one

    def add(self, rows: Sequence[Sequence[Any]], what: Rows, shift: int, *, in_parts: bool = False) -> None:
        """Add a series' rows as returned by a `TrendStatement`, by its `in_parts` if so.

        While it takes readings, a server may count some of which it has no low, mean or high yet: these are null.
        """
        for at, *row in rows:
            time = at + shift
            blank = row[0] if what is Rows.BLANK else row[4] if what is Rows.ROLLUPS else 0
            if blank:
                self._blank[time] = self._blank.get(time, 0) + blank
            if what is not Rows.BLANK and row[3]:
                low, middle, high = (np.nan if value is None else value for value in row[:3])
                count = row[3]
                if in_parts:
                    total = middle * _PARTS if what is Rows.ROLLUPS else middle * _PARTS * count
                    middle = middle * _PARTS if np.isfinite(total) else np.nan
                mean = middle / count if what is Rows.ROLLUPS else middle
                known = self._rows.get(time)
                self._rows[time] = (
                    (low, mean, high, count) if known is None else _merged(known, (low, mean, high, count))
                )

    def trend(self) -> Trend:
        """The merged trend; no mean where the sum of its values overflows."""
        rows = [
            (time, low, np.nan if np.isinf(mean) else mean, high, count + self._blank.get(time, 0))  # from two ids
            for time in sorted(self._rows.keys() | self._blank.keys())
            for low, mean, high, count in [self._rows.get(time, (np.nan, np.nan, np.nan, 0))]
        ]
        return Trend.of_rows(rows)


def quoted(text: str) -> str:
    """Quote a measurement, database or policy as an InfluxQL identifier."""
    return f'"{text.translate(_NAME)}"'


def measurement(name: str, policy: str | None) -> str:
    """A measurement in a retention policy, in InfluxQL; None: in the database's own."""
    return quoted(name) if policy is None else f"{quoted(policy)}.{quoted(name)}"


def _sources_of(query: TrendQuery) -> Iterator[tuple[str, str, str, str]]:
    """The places that may hold its series: measurement, tag and its value, field."""
    if query.plant == SERVICE:
        yield "service", "point", tag_value(query.point), "value"
        return
    for name in query.ids:
        yield "readings", "point", tag_value(name), "value"
    gateway, field = gateway_field(query.point)
    yield "gateways", "gateway", tag_value(gateway), field


def _merged(known: tuple[float, float, float, int], other: Sequence[Any]) -> tuple[float, float, float, int]:
    low, mean, high, count = other
    total = known[3] + count
    mean = (known[1] * known[3] + mean * count) / total
    return float(np.fmin(known[0], low)), mean, float(np.fmax(known[2], high)), total


def string(text: str) -> str:
    """Quote a tag's value or a password as an InfluxQL string."""
    return f"'{text.translate(_STRING)}'"
