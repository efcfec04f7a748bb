"""Trends out of the DuckDB file: of readings, and of their rollups where these are fine enough.

One statement asks everything, each kind of rows by a query of its own over the span it answers, so that DuckDB passes
over parts of the file by their times. Rollups that are stale do not count: the readings of their minutes do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.history.duck_file import Ask
from ingest.history.duck_rollups import HOUR, MINUTE, Frontiers
from ingest.history.rollups import Resolution, parts_of
from ingest.history.store import Trend, TrendQuery

_PARTS: Final = """
    part AS (
        SELECT unnest($number) AS number, unnest($series) AS series, unnest($resolution) AS resolution,
            unnest($first) AS first, unnest($last) AS last, unnest($origin) AS origin, unnest($width) AS width
    )
"""
_COLUMNS: Final = ("number", "series", "resolution", "first", "last", "origin", "width")

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
    parts = _parts(ask, queries, ids)
    if not len(parts["number"]):
        return [_NOTHING for _ in queries]
    rows = ask(_statement(parts, _stale(ask, parts)), {name: column.tolist() for name, column in parts.items()})
    number = rows["number"].astype(np.int64)
    start, width = (np.array([getattr(one, name) for one in queries], np.int64) for name in ("start", "width"))
    time = start[number] + rows["bucket"].astype(np.int64) * width[number]
    low, mean, high = (np.ma.filled(rows[name].astype(np.float64), np.nan) for name in ("low", "mean", "high"))
    count = rows["count"].astype(np.int64)
    edges = np.searchsorted(number, np.arange(len(queries) + 1))
    of_query = [slice(*between) for between in pairwise(edges.tolist())]
    return [Trend(time[one], low[one], mean[one], high[one], count[one]) for one in of_query]


def _parts(
    ask: Ask, queries: Sequence[TrendQuery], ids: Callable[[str, str], Iterable[int]]
) -> dict[str, NDArray[np.int64]]:
    """What answers which query over which times, by column."""
    [at] = zip(*(ask("SELECT readings, rollups, rolled_to FROM kept", {}).values()), strict=True)
    kept = Frontiers(*(int(one) for one in at)).kept
    rows = [
        (number, series, part.resolution, *part.times, one.start - part.resolution.shift, one.width)
        for number, one in enumerate(queries)
        for part in parts_of(one, kept)
        for kept_as in one.ids
        for series in ids(one.plant, kept_as)
    ]
    table = np.array(rows, np.int64).reshape(-1, len(_COLUMNS))
    return dict(zip(_COLUMNS, table.T, strict=True))


def _stale(ask: Ask, parts: dict[str, NDArray[np.int64]]) -> tuple[int, int] | None:
    """The span that holds all stale minutes of what is asked, None if there are none."""
    if not parts["resolution"].any():
        return None
    found = ask(
        "SELECT min(minute) AS first, max(minute) AS last FROM stale WHERE list_contains($series, series)",
        {"series": np.unique(parts["series"]).tolist()},
    )
    first, last = found["first"], found["last"]
    return None if np.ma.is_masked(first) else (int(first[0]), int(last[0]) + MINUTE)


def _statement(parts: dict[str, NDArray[np.int64]], stale: tuple[int, int] | None) -> str:
    of = {one: parts["resolution"] == one for one in Resolution}
    spans = {
        one: (int(parts["first"][rows].min()), int(parts["last"][rows].max())) for one, rows in of.items() if rows.any()
    }
    found = [_source(one, span, stale) for one, span in spans.items()]
    if stale is not None:
        found.append(_readings_of_stale(stale))
        if Resolution.HOUR in spans:
            found.append(_minutes_of_stale_hours(stale))
    return f"WITH {_PARTS}, found AS ({' UNION ALL '.join(found)}) {_grouped(_OF_ROLLUPS, 'found')} ORDER BY ALL"


def _source(resolution: Resolution, span: tuple[int, int], stale: tuple[int, int] | None) -> str:
    """The readings, or rollups that count, of the parts with that resolution."""
    table = _TABLES[resolution]
    counts = ""
    if stale is not None and resolution:
        hidden = f"s.series = r.series AND s.minute // {int(resolution)} * {int(resolution)} = r.time"
        counts = f"AND NOT EXISTS (FROM stale s WHERE {hidden})"
    return _grouped(
        _OF_ROLLUPS if resolution else _OF_READINGS,
        f"(SELECT number, (time - origin) // width AS bucket, r.* FROM {table} r JOIN part ON r.series = part.series"  # noqa: S608
        f" AND resolution = {int(resolution)} AND time >= first AND time < last {_within(span)} {counts})",
    )


def _readings_of_stale(stale: tuple[int, int]) -> str:
    """The readings of stale minutes, each at the place of the rollup that they stand for."""
    return _grouped(
        _OF_READINGS,
        f"(SELECT number, (time // resolution * resolution - origin) // width AS bucket, value"  # noqa: S608
        " FROM readings r JOIN part ON r.series = part.series AND resolution > 0"
        " AND time // resolution * resolution >= first AND time // resolution * resolution < last"
        f" {_within(stale)} AND r.series IN (SELECT series FROM stale)"
        f" AND EXISTS (FROM stale s WHERE s.series = r.series AND s.minute = time // {MINUTE} * {MINUTE}))",
    )


def _minutes_of_stale_hours(stale: tuple[int, int]) -> str:
    """The minutes that count of hours that do not, each at the place of its hour."""
    first, last = stale[0] // HOUR * HOUR, -(-stale[1] // HOUR) * HOUR
    return _grouped(
        _OF_ROLLUPS,
        f"(SELECT number, (time // {HOUR} * {HOUR} - origin) // width AS bucket, r.*"  # noqa: S608
        f" FROM minutes r JOIN part ON r.series = part.series AND resolution = {HOUR}"
        f" AND time // {HOUR} * {HOUR} >= first AND time // {HOUR} * {HOUR} < last {_within((first, last))}"
        f" AND EXISTS (FROM stale s WHERE s.series = r.series AND s.minute // {HOUR} = time // {HOUR})"
        " AND NOT EXISTS (FROM stale s WHERE s.series = r.series AND s.minute = time))",
    )


def _within(span: tuple[int, int]) -> str:
    return f"WHERE time >= {span[0]} AND time < {span[1]}"


def _grouped(columns: str, source: str) -> str:
    return f"SELECT number, bucket, {columns} FROM {source} GROUP BY number, bucket"  # noqa: S608


_TABLES: Final = {Resolution.READINGS: "readings", Resolution.MINUTE: "minutes", Resolution.HOUR: "hours"}
_NOTHING: Final = Trend(np.empty(0, np.int64), np.empty(0), np.empty(0), np.empty(0), np.empty(0, np.int64))
