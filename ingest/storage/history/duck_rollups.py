"""Computes rollups in the DuckDB file some minutes after the readings arrived, and recomputes those that changed.

`minutes` and `hours` are complete up to `kept.rolled_to`; newer data are read from the readings themselves. A reading
written or deleted before that makes its series' minute `stale`, in the same transaction: its rollups are ignored until
they are recomputed, and the readings are used instead. So a trend is the same whether it was rolled up or not.

All functions run on an open transaction; `DuckMaintenance` calls them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import duckdb

from ingest.storage.history.rollups import Kept, Resolution

MINUTE: Final = int(Resolution.MINUTE)
HOUR: Final = int(Resolution.HOUR)

_READINGS: Final = f"""
    SELECT series, time // {MINUTE} * {MINUTE} AS minute, min(value), avg(value), max(value), count(value), count(*)
    FROM readings WHERE time >= $start AND time < $end
"""  # noqa: S608
_MINUTES: Final = f"""
    SELECT series, time // {HOUR} * {HOUR} AS hour, min(low), sum(mean * valued) / sum(valued), max(high), sum(valued),
        sum(count)
    FROM minutes WHERE time >= $start AND time < $end
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Frontiers:
    """What the file holds, as its table `kept` says; ns since the epoch.

    Attributes:
        readings, rollups: before that, they were dropped.
        rolled_to: up to there, readings are rolled up.
    """

    readings: int
    rollups: int
    rolled_to: int

    @property
    def kept(self) -> Kept:
        """The same for the choice of what answers a trend."""
        return Kept(self.readings, self.rollups, self.rollups, self.rolled_to)


def frontiers(db: duckdb.DuckDBPyConnection) -> Frontiers:
    """Read the frontiers. In a file of an earlier version nothing is rolled up yet, from its oldest reading on."""
    row = db.execute("SELECT readings, rollups, rolled_to FROM kept").fetchone()
    if row is None:
        db.execute(
            f"INSERT INTO kept SELECT 0, 0, coalesce(min(time) // {HOUR} * {HOUR}, 0) FROM readings"  # noqa: S608
        )
        return frontiers(db)
    return Frontiers(*row)


def mark_stale(db: duckdb.DuckDBPyConnection, source: str, condition: str, values: list[int]) -> None:
    """Mark the rollups of these readings as stale: those in table `source` that meet the condition."""
    db.execute(
        f"INSERT INTO stale SELECT DISTINCT series, time // {MINUTE} * {MINUTE} FROM {source} WHERE {condition}",  # noqa: S608
        values,
    )


def roll(db: duckdb.DuckDBPyConnection, start: int, end: int) -> None:
    """Roll up the minutes from `start` to `end`, within one hour, and the hour if it ends there."""
    db.execute(f"INSERT INTO minutes {_READINGS} GROUP BY ALL ORDER BY ALL", _span(start, end))
    if end % HOUR == 0:
        roll_hour(db, end - HOUR)
    db.execute("UPDATE kept SET rolled_to = ?", [end])


def roll_hour(db: duckdb.DuckDBPyConnection, hour: int) -> None:
    """Roll up the minutes of this hour."""
    db.execute(f"INSERT INTO hours {_MINUTES} GROUP BY ALL ORDER BY ALL", _span(hour, hour + HOUR))


def differing(db: duckdb.DuckDBPyConnection, hour: int, rolled_to: int, *, readings: bool) -> int:
    """Count the rollups of this hour that differ from what its readings give, stale ones ignored.

    Args:
        db: the file.
        hour: a whole hour.
        rolled_to: up to where readings are rolled up.
        readings: whether its readings still exist; if not, only the hour is compared with its minutes.
    """
    found, stale = 0, f"FROM stale WHERE minute // {HOUR} * {HOUR} = $start"
    if readings:
        end = min(hour + HOUR, rolled_to)
        hidden = f"(series, time) NOT IN (SELECT (series, minute) {stale})"
        found += _differing(db, _READINGS, "minutes", _span(hour, end), hidden)
    if hour + HOUR <= rolled_to:
        hidden = f"series NOT IN (SELECT series {stale})"
        found += _differing(db, _MINUTES, "hours", _span(hour, hour + HOUR), hidden)
    return found


def _differing(db: duckdb.DuckDBPyConnection, fresh: str, table: str, span: dict[str, int], counts: str) -> int:
    same = " AND ".join(f"a.{name} IS NOT DISTINCT FROM b.{name}" for name in ("low", "high", "valued", "count"))
    means = "a.mean IS NOT DISTINCT FROM b.mean OR abs(a.mean - b.mean) <= 1e-9 * greatest(abs(a.low), abs(a.high))"
    row = db.execute(
        f"SELECT count(*) FROM (SELECT * FROM ({fresh} GROUP BY ALL) f(series, time, low, mean, high, valued, count) WHERE {counts}) a"  # noqa: S608, E501
        f" FULL JOIN (SELECT * FROM {table} WHERE time >= $start AND time < $end AND {counts}) b"
        f" ON a.series = b.series AND a.time = b.time WHERE ({same} AND ({means})) IS NOT TRUE",
        span,
    ).fetchone()
    return 0 if row is None else int(row[0])


def recompute_stale(db: duckdb.DuckDBPyConnection, hour: int, rolled_to: int, most: int = HOUR) -> None:
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
    db.execute(
        f"INSERT INTO minutes SELECT f.* FROM ({_READINGS} AND {series} GROUP BY ALL)"  # noqa: S608
        f" f(series, minute, low, mean, high, valued, count) SEMI JOIN ({stale}) s"
        " ON f.series = s.series AND f.minute = s.minute ORDER BY ALL",
        span,
    )
    if hour + HOUR <= rolled_to:
        # Stale minutes in the rest of the hour keep its row ignored until they are recomputed, too.
        series = f"series IN (SELECT series FROM stale WHERE {within})"  # noqa: S608
        db.execute(f"DELETE FROM hours WHERE time = {hour} AND {series}")  # noqa: S608
        db.execute(f"INSERT INTO hours {_MINUTES} AND {series} GROUP BY ALL ORDER BY ALL", _span(hour, hour + HOUR))
    db.execute("DELETE FROM stale WHERE minute >= $start AND minute < $end", span)


def unroll(db: duckdb.DuckDBPyConnection, start: int) -> None:
    """Delete the rollups from this hour on."""
    for table, column in (("minutes", "time"), ("hours", "time"), ("stale", "minute")):
        db.execute(f"DELETE FROM {table} WHERE {column} >= ?", [start])  # noqa: S608
    db.execute("UPDATE kept SET rolled_to = ?", [start])


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


def _row(db: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    row = db.execute(sql).fetchone()
    if row is None:
        raise RuntimeError(f"an aggregate without a row: {sql}")
    return tuple(row)


def _span(start: int, end: int) -> dict[str, int]:
    return {"start": start, "end": end}
