"""Computes rollups in the DuckDB file some minutes after the readings arrived, and recomputes those that changed.

`minutes` and `hours` are complete up to `kept.rolled_to`, `days` up to `kept.days_to`; newer data are read from the
readings, and from the hours. A reading written or deleted before that makes its series' minute `stale`, in the same
transaction: its rollups are ignored until they are recomputed, and the finer data they are computed from are used
instead. So a trend is the same whether it was rolled up or not.

All functions run on an open transaction; `DuckMaintenance` calls them.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Any, Final

import duckdb

from ingest.storage.history.bucket_edges import DAY, HOUR, MINUTE, ORIGIN, floor_to
from ingest.storage.history.rollups import Kept, Resolution

TABLES: Final = {
    Resolution.READINGS: "readings",
    Resolution.MINUTE: "minutes",
    Resolution.HOUR: "hours",
    Resolution.DAY: "days",
}
"""Each is computed from the one before."""

ROLLUPS: Final = tuple(resolution for resolution in TABLES if resolution)

_OF_READINGS: Final = "min(value), avg(value), max(value), count(value), count(*)"
_OF_ROLLUPS: Final = "min(low), sum(mean * valued) / sum(valued), max(high), sum(valued), sum(count)"
_COLUMNS: Final = "(series, time, low, mean, high, valued, count)"


@dataclass(frozen=True, slots=True)
class Frontiers:
    """What the file holds, as its table `kept` says; ns since the epoch.

    Attributes:
        readings, rollups: before that, they were dropped.
        rolled_to, days_to: up to there, readings are rolled up, by minute and hour and by day.
    """

    readings: int
    rollups: int
    rolled_to: int
    days_to: int

    @property
    def kept(self) -> Kept:
        """The same for the choice of what answers a trend."""
        return Kept(self.readings, self.rollups, self.rollups, self.rolled_to, self.days_to)

    def end_of(self, resolution: Resolution) -> int:
        """Up to where these rollups are complete."""
        return self.days_to if resolution is Resolution.DAY else self.rolled_to


FRONTIERS: Final = "SELECT readings, rollups, rolled_to, days_to FROM kept"


def start_of(time: str, resolution: Resolution) -> str:
    """SQL for the start of the rollup that a time belongs to."""
    return f"({time} - ({time} + {-ORIGIN % resolution}) % {int(resolution)})"


def finer_than(resolution: Resolution) -> Resolution:
    """The resolution a rollup is computed from."""
    return max(finer for finer in Resolution if finer < resolution)


def frontiers(db: duckdb.DuckDBPyConnection) -> Frontiers:
    """Read the frontiers. In a file of an earlier version nothing is rolled up yet, from its oldest reading on."""
    row = db.execute(FRONTIERS).fetchone()
    if row is None:
        db.execute(
            f"INSERT INTO kept SELECT 0, 0, coalesce(min(time) // {HOUR} * {HOUR}, 0), 0 FROM readings"  # noqa: S608
        )
        return frontiers(db)
    return Frontiers(*row)


def mark_stale(db: duckdb.DuckDBPyConnection, source: str, condition: str, values: list[int]) -> None:
    """Mark the rollups of these readings as stale: those in table `source` that meet the condition."""
    db.execute(
        f"INSERT INTO stale SELECT DISTINCT series, {start_of('time', Resolution.MINUTE)} FROM {source}"  # noqa: S608
        f" WHERE {condition}",
        values,
    )


def roll(db: duckdb.DuckDBPyConnection, start: int, end: int) -> None:
    """Roll up the minutes from `start` to `end`, within one hour, and the hour if it ends there."""
    _compute(db, Resolution.MINUTE, start, end)
    if end % HOUR == 0:
        _compute(db, Resolution.HOUR, end - HOUR, end)
    db.execute("UPDATE kept SET rolled_to = ?", [end])


def roll_days(db: duckdb.DuckDBPyConnection, start: int, end: int) -> None:
    """Roll up the hours of these days; all before them are rolled up already, or empty."""
    _compute(db, Resolution.DAY, start, end)
    db.execute("UPDATE kept SET days_to = ?", [end])


def differing(db: duckdb.DuckDBPyConnection, resolution: Resolution, start: int, end: int) -> int:
    """Count the rollups of this span that differ from what the finer data give, stale ones ignored."""
    stale = start_of("minute", resolution)
    counts = f"(series, time) NOT IN (SELECT (series, {stale}) FROM stale WHERE {stale} >= $start AND {stale} < $end)"  # noqa: S608
    same = " AND ".join(f"a.{name} IS NOT DISTINCT FROM b.{name}" for name in ("low", "high", "valued", "count"))
    means = "a.mean IS NOT DISTINCT FROM b.mean OR abs(a.mean - b.mean) <= 1e-9 * greatest(abs(a.low), abs(a.high))"
    found = _row(
        db,
        f"SELECT count(*) FROM (SELECT * FROM ({_computed(resolution)}) f{_COLUMNS} WHERE {counts}) a"  # noqa: S608
        f" FULL JOIN (SELECT * FROM {TABLES[resolution]} WHERE time >= $start AND time < $end AND {counts}) b"
        f" ON a.series = b.series AND a.time = b.time WHERE ({same} AND ({means})) IS NOT TRUE",
        _span(start, end),
    )
    return int(found[0])


def recompute_stale(db: duckdb.DuckDBPyConnection, hour: int, at: Frontiers, most: int = HOUR) -> None:
    """Recompute stale rollups within this hour: those of `most` ns from the oldest on."""
    within = f"minute >= {hour} AND minute < {hour + HOUR}"
    first, last = _row(db, f"SELECT min(minute), max(minute) FROM stale WHERE {within}")  # noqa: S608
    span = _span(first, min(last + MINUTE, first + most))
    stale = "SELECT DISTINCT series, minute FROM stale WHERE minute >= $start AND minute < $end"
    series = f"series IN (SELECT series FROM ({stale}))"  # noqa: S608
    db.execute(
        "DELETE FROM minutes WHERE time >= $start AND time < $end"  # noqa: S608
        f" AND EXISTS (FROM ({stale}) s WHERE s.series = minutes.series AND s.minute = time)",
        span,
    )
    # All minutes of these series are computed and the stale ones selected: far cheaper than reading by both.
    computed = f"({_computed(Resolution.MINUTE, series)}) f{_COLUMNS}"
    db.execute(
        f"INSERT INTO minutes SELECT f.* FROM {computed} SEMI JOIN ({stale}) s"  # noqa: S608
        " ON f.series = s.series AND f.time = s.minute ORDER BY ALL",
        span,
    )
    # Stale minutes in the rest of an hour or a day keep its row ignored until they are recomputed, too.
    series = f"series IN (SELECT series FROM stale WHERE {within})"  # noqa: S608
    for coarser in ROLLUPS[1:]:
        start = floor_to(hour, coarser)
        if start + coarser <= at.end_of(coarser):
            db.execute(f"DELETE FROM {TABLES[coarser]} WHERE time = {start} AND {series}")  # noqa: S608
            _compute(db, coarser, start, start + coarser, series)
    db.execute("DELETE FROM stale WHERE minute >= $start AND minute < $end", span)


def unroll(db: duckdb.DuckDBPyConnection, at: Frontiers, start: int) -> Frontiers:
    """Delete the rollups from this hour on; returns the frontiers then."""
    for resolution in ROLLUPS:
        db.execute(f"DELETE FROM {TABLES[resolution]} WHERE time >= ?", [floor_to(start, resolution)])  # noqa: S608
    db.execute("DELETE FROM stale WHERE minute >= ?", [start])
    left = Frontiers(at.readings, at.rollups, start, min(at.days_to, floor_to(start, DAY)))
    db.execute("UPDATE kept SET readings = ?, rollups = ?, rolled_to = ?, days_to = ?", list(astuple(left)))
    return left


def _compute(
    db: duckdb.DuckDBPyConnection, resolution: Resolution, start: int, end: int, condition: str = "TRUE"
) -> None:
    """Compute the rollups of that span, for series that meet the condition."""
    db.execute(f"INSERT INTO {TABLES[resolution]} {_computed(resolution, condition)} ORDER BY ALL", _span(start, end))


def _computed(resolution: Resolution, condition: str = "TRUE") -> str:
    """SQL for the rollups from $start to $end, computed from the finer data."""
    finer = finer_than(resolution)
    return (
        f"SELECT series, {start_of('time', resolution)} AS start, {_OF_ROLLUPS if finer else _OF_READINGS}"  # noqa: S608
        f" FROM {TABLES[finer]} WHERE time >= $start AND time < $end AND {condition} GROUP BY ALL"
    )


def oldest_stale(db: duckdb.DuckDBPyConnection) -> int | None:
    """The hour of the oldest stale rollup, None if there is none."""
    (oldest,) = _row(db, "SELECT min(minute) FROM stale")
    return None if oldest is None else oldest // HOUR * HOUR


def first_hour(db: duckdb.DuckDBPyConnection, start: int, end: int, table: str = "readings") -> int | None:
    """The first hour from `start` (a whole hour) to `end` with rows in the table; None if there is none.

    Searched in spans that double, so that half a century without readings takes twenty queries; each reads only those
    parts of the file that may hold these times.
    """
    span = HOUR
    while start < end:
        if _has_rows(db, table, start, start + span):
            while span > HOUR:
                span = span // HOUR // 2 * HOUR
                if not _has_rows(db, table, start, start + span):
                    start += span
            return start if start < end else None
        start += span
        span *= 2
    return None


def _has_rows(db: duckdb.DuckDBPyConnection, table: str, start: int, end: int) -> bool:
    (found,) = _row(db, f"SELECT EXISTS (FROM {table} WHERE time >= {start} AND time < {end})")
    return bool(found)


def _row(db: duckdb.DuckDBPyConnection, sql: str, values: object = None) -> tuple[Any, ...]:
    row = db.execute(sql, values).fetchone()
    if row is None:
        raise RuntimeError(f"an aggregate without a row: {sql}")
    return tuple(row)


def _span(start: int, end: int) -> dict[str, int]:
    return {"start": start, "end": end}
