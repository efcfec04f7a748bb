"""Trends out of the DuckDB file: of readings, and of their rollups where these are fine enough.

One statement asks for all trends over the same span, each kind of rows by a query of its own over the part it answers:
with the part's edges and width as constants DuckDB passes over parts of the file by their times, and groups by series
before it looks up who asked for them. Rollups that are stale do not count: the readings of their minutes do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from ingest.storage.history.bucket_edges import MINUTE, ceil_to, floor_to
from ingest.storage.history.duck_file import Ask
from ingest.storage.history.duck_rollups import FRONTIERS, ROLLUPS, TABLES, Frontiers, start_of
from ingest.storage.history.rollups import Kept, Part, Resolution, parts_of
from ingest.storage.history.store import Trend, TrendQuery

Wanted = Sequence[tuple[int, int]]
"""The number of a query, and a series that answers it."""

_OF_READINGS: Final = (
    "min(value) AS low, avg(value) AS mean, max(value) AS high, count(value) AS valued, count(*) AS count"
)
_OF_ROLLUPS: Final = """
    min(low) AS low, CASE count(*) WHEN 1 THEN min(mean) ELSE sum(mean * valued) / sum(valued) END AS mean,
    max(high) AS high, sum(valued) AS valued, sum(count) AS count
"""


def trends(ask: Ask, queries: Sequence[TrendQuery], ids: Callable[[str, str], Iterable[int]]) -> list[Trend]:
    """The trend of each query.

    Args:
        ask: asks the file, always in the same state.
        queries: what is wanted.
        ids: plant, point -> ids of its series.
    """
    [at] = zip(*(ask(FRONTIERS, {}).values()), strict=True)
    kept = Frontiers(*(int(edge) for edge in at)).kept
    same_span = defaultdict[tuple[int, int, int], list[int]](list)
    for number, query in enumerate(queries):
        same_span[query.start, query.end, query.buckets].append(number)
    found = [_NOTHING for _ in queries]
    for numbers in same_span.values():
        span = queries[numbers[0]]
        wanted = [
            (place, series)
            for place, query in enumerate(queries[number] for number in numbers)
            for kept_as in query.ids
            for series in ids(query.plant, kept_as)
        ]
        for number, trend in zip(numbers, _same_span(ask, span, len(numbers), wanted, kept), strict=True):
            found[number] = trend
    return found


def _same_span(ask: Ask, span: TrendQuery, count: int, wanted: Wanted, kept: Kept) -> list[Trend]:
    """Return `count` trends over the same span."""
    parts = parts_of(span, kept)
    if not wanted or not parts:
        return [_NOTHING] * count
    numbers, series = ([int(number) for number in column] for column in zip(*wanted, strict=True))
    stale = _stale(ask, series) if any(part.resolution for part in parts) else None
    rows = ask(_statement(span, parts, series, stale), {"number": numbers, "series": series})
    number, bucket = rows["number"].astype(np.int64), rows["bucket"].astype(np.int64)
    time = span.first + bucket * span.width
    low, mean, high = (np.ma.filled(rows[name].astype(np.float64), np.nan) for name in ("low", "mean", "high"))
    counts = rows["count"].astype(np.int64)
    edges = np.searchsorted(number, np.arange(count + 1))
    of_query = [slice(*between) for between in pairwise(edges.tolist())]
    return [Trend(time[rows_of], low[rows_of], mean[rows_of], high[rows_of], counts[rows_of]) for rows_of in of_query]


def _stale(ask: Ask, series: Sequence[int]) -> tuple[int, int] | None:
    """The span that holds all stale minutes of what is asked, None if there are none."""
    found = ask(
        "SELECT min(minute) AS first, max(minute) AS last FROM stale WHERE list_contains($series, series)",
        {"series": series},
    )
    first, last = found["first"], found["last"]
    return None if np.ma.is_masked(first) else (int(first[0]), int(last[0]) + MINUTE)


def _statement(span: TrendQuery, parts: Sequence[Part], series: Sequence[int], stale: tuple[int, int] | None) -> str:
    of = _among(series)
    found = [_source(span, part, of, stale) for part in parts]
    if stale is not None:
        for part in parts:
            if part.resolution and _near(part, stale):
                found.append(_readings_of_stale(span, part, stale))
                within = [resolution for resolution in ROLLUPS if resolution <= part.resolution]
                found += [_rollups_of_stale(span, part, *levels, stale) for levels in pairwise(within)]
    return (
        "WITH wanted AS MATERIALIZED (SELECT unnest($number) AS number, unnest($series)::INTEGER AS series),"  # noqa: S608
        f" found AS ({' UNION ALL '.join(found)})"
        f" SELECT number, bucket, {_OF_ROLLUPS} FROM found JOIN wanted USING (series)"
        " GROUP BY number, bucket ORDER BY number, bucket"
    )


def _among(series: Sequence[int]) -> str:
    """Return a condition that all rows of these series meet, and perhaps others: a range is cheaper than lookups."""
    first, last = min(series), max(series)
    near = f"r.series BETWEEN {first} AND {last}"
    return near if 2 * len(series) > last - first else f"{near} AND {_WANTED}"


def _source(span: TrendQuery, part: Part, of: str, stale: tuple[int, int] | None) -> str:
    """The readings, or rollups that count, of a part."""
    table, counts = TABLES[part.resolution], ""
    if stale is not None and part.resolution and _near(part, stale):
        counts = f"AND NOT {_stale_at(part.resolution, 'r.time')}"
    return _grouped(
        _OF_ROLLUPS if part.resolution else _OF_READINGS,
        f"(SELECT r.*, {_bucket('time', span, part)} AS bucket FROM {table} r"  # noqa: S608
        f" WHERE {of} AND {_within('time', part.times)} {counts})",
    )


def _near(part: Part, stale: tuple[int, int]) -> bool:
    """Whether any rollup of a part may be stale."""
    return part.start - part.resolution < stale[1] and stale[0] < part.end + part.resolution


def _readings_of_stale(span: TrendQuery, part: Part, stale: tuple[int, int]) -> str:
    """Select the readings of a part's stale minutes in place of their rollups."""
    rollup = start_of("time", part.resolution)
    return _grouped(
        _OF_READINGS,
        f"(SELECT r.series, {_bucket(rollup, span, part)} AS bucket, value FROM readings r"  # noqa: S608
        f" WHERE {_within('time', stale)} AND {_within(rollup, part.times)} AND r.series IN (SELECT series FROM stale)"
        f" AND {_WANTED} AND {_stale_at(Resolution.MINUTE, start_of('time', Resolution.MINUTE))})",
    )


def _rollups_of_stale(
    span: TrendQuery, part: Part, finer: Resolution, coarser: Resolution, stale: tuple[int, int]
) -> str:
    """The finer rollups that count of coarser ones that do not, each at the place of the part's rollup."""
    rollup, within = start_of("time", part.resolution), (floor_to(stale[0], coarser), ceil_to(stale[1], coarser))
    return _grouped(
        _OF_ROLLUPS,
        f"(SELECT r.*, {_bucket(rollup, span, part)} AS bucket FROM {TABLES[finer]} r"  # noqa: S608
        f" WHERE {_within('time', within)} AND {_within(rollup, part.times)} AND {_WANTED}"
        f" AND {_stale_at(coarser, start_of('r.time', coarser))} AND NOT {_stale_at(finer, 'r.time')})",
    )


def _stale_at(resolution: Resolution, start: str) -> str:
    """Whether the rollup that starts there does not count."""
    return f"EXISTS (FROM stale s WHERE s.series = r.series AND {start_of('s.minute', resolution)} = {start})"


def _bucket(time: str, span: TrendQuery, part: Part) -> str:
    return f"({time} - {span.first - part.resolution.shift}) // {span.width}"


def _within(time: str, span: tuple[int, int]) -> str:
    return f"{time} >= {span[0]} AND {time} < {span[1]}"


def _grouped(columns: str, source: str) -> str:
    return f"SELECT series, bucket, {columns} FROM {source} GROUP BY series, bucket"  # noqa: S608


_WANTED: Final = "r.series IN (SELECT series FROM wanted)"
_NOTHING: Final = Trend.of_rows([])
