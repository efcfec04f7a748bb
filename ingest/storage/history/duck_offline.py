"""Maintains a DuckDB file that no service has open: checks it, rewrites it in order, exports it to Parquet.

Each processes the file an hour or a day of readings at a time, with a service's memory limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

import duckdb

from ingest.domain.model.payload import PLANT_TIME
from ingest.storage.history.bucket_edges import DAY, HOUR, ceil_to, floor_to
from ingest.storage.history.config import DuckDBConfig
from ingest.storage.history.duck_file import DuckFile, options, quoted
from ingest.storage.history.duck_rollups import Frontiers, differing, first_hour
from ingest.storage.history.errors import HistoryUnavailable
from ingest.storage.history.rollups import Resolution

Table = Literal["readings", "minutes", "hours", "days"]
Advance = Callable[[int], None]

_ROWS: Final = 10_000_000  # rows read at once
_EVER: Final = 1 << 62
_WHOLE: Final = ("series", "marks", "kept", "stale", "alarms", "alarm_metrics", "warnings", "phases")
_ROLLED_UP: Final[tuple[Table, ...]] = ("minutes", "hours", "days")
_VALUES: Final[dict[Table, str]] = {
    "readings": "value, quality",
    **dict.fromkeys(_ROLLED_UP, "low, mean, high, valued, count"),
}


@dataclass(frozen=True, slots=True)
class ExportFilter:
    """Which rows of a table to export; `end` is exclusive, and without names it is everything."""

    table: Table = "readings"
    start: int = 0
    end: int = _EVER
    plants: tuple[str, ...] = ()
    points: tuple[str, ...] = ()


@contextmanager
def reading(config: DuckDBConfig) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the file read-only. Raises HistoryUnavailable: it cannot be read, or a service has it open."""
    try:
        with duckdb.connect(str(config.path), read_only=True, config=options(config)) as db:
            if not db.execute("FROM duckdb_tables() WHERE table_name = 'days'").fetchall():  # of an earlier version
                db.execute("CREATE TEMPORARY TABLE days AS FROM hours LIMIT 0")
            if not db.execute("FROM duckdb_tables() WHERE table_name = 'phases'").fetchall():  # the same
                db.execute("CREATE TEMPORARY TABLE phases (time BIGINT)")
            yield db
    except (duckdb.Error, OSError) as error:
        raise unavailable(config.path, error) from error


def unavailable(path: Path, error: Exception) -> HistoryUnavailable:
    """The error for a file that cannot be opened, with advice."""
    if "lock" in str(error):
        return HistoryUnavailable(
            f"{path}: 服务正在使用,请停服务,或用备份中的副本 a service has it open; stop that first, or take a copy:"
            " yujing backup TO --history, and then --file TO/history.duckdb"
        )
    return HistoryUnavailable(f"{path}: {error}")


@dataclass(frozen=True, slots=True)
class Contents:
    """The amount of user data in the file, apart from its bookkeeping."""

    readings: int
    rollups: int
    events: int


def contents(db: duckdb.DuckDBPyConnection) -> Contents:
    """Count the user data; the same before and after the file is rewritten."""
    return Contents(
        _count(db, "readings"),
        sum(_count(db, table) for table in _ROLLED_UP),
        sum(_count(db, table) for table in ("alarms", "warnings", "alarm_metrics", "phases")),
    )


def rows_of(db: duckdb.DuckDBPyConnection) -> int:
    """The rows `damage` reads, including deleted ones that still take space and bookkeeping."""
    return sum(_last_row(db, table) for table in (*_WHOLE, *_VALUES))


def damage(db: duckdb.DuckDBPyConnection, advance: Advance) -> Iterator[str]:
    """Read every row, whose blocks have checksums; yields what cannot be read. `advance` takes numbers of rows."""
    for table in (*_WHOLE, *_VALUES):
        for start in range(0, _last_row(db, table), _ROWS):
            try:
                db.execute(
                    f"SELECT bit_xor(hash(t)) FROM {table} t WHERE rowid >= ? AND rowid < ?",  # noqa: S608
                    [start, start + _ROWS],
                ).fetchall()
            except duckdb.Error as error:
                yield f"{table}, {start}…: {error}"
            advance(min(_ROWS, _last_row(db, table) - start))


def hours_of(db: duckdb.DuckDBPyConnection) -> int:
    """The approximate number of hours `wrong_rollups` checks."""
    [(count,)] = db.execute(f"SELECT count(DISTINCT time // {HOUR}) FROM hours").fetchall()  # noqa: S608
    return int(count)


def wrong_rollups(db: duckdb.DuckDBPyConnection, advance: Advance) -> Iterator[str]:
    """Compare rollups with the finer data; yields the hours and the days where they differ."""
    at = _frontiers(db)
    starts: dict[Table, int] = {"readings": at.readings, **dict.fromkeys(_ROLLED_UP, 0)}
    hours = sorted({hour for table, start in starts.items() for hour in _hours(db, table, start, at.rolled_to)})
    for hour in hours:
        count = 0
        if hour >= at.readings:
            count += differing(db, Resolution.MINUTE, hour, min(hour + HOUR, at.rolled_to))
        if hour + HOUR <= at.rolled_to:
            count += differing(db, Resolution.HOUR, hour, hour + HOUR)
        if count:
            yield f"{_day(hour):%Y-%m-%d %H:%M}: {count}"
        advance(1)
    for day in sorted({floor_to(hour, DAY) for hour in hours}):
        if ceil_to(at.rollups, DAY) <= day < at.days_to:
            count = differing(db, Resolution.DAY, day, day + DAY)
            if count:
                yield f"{_day(day):%Y-%m-%d}: {count}"


def _frontiers(db: duckdb.DuckDBPyConnection) -> Frontiers:
    """Read the frontiers; a file of an earlier version has no rollups by day."""
    kept = db.execute("FROM kept")
    columns = [name for name, *_ in kept.description or ()]
    [row] = kept.fetchall()
    return Frontiers(**{"days_to": 0, **dict(zip(columns, row, strict=True))})


def compact(config: DuckDBConfig, bar: Callable[[int], Advance]) -> tuple[int, int]:
    """Rewrite the file in order of time and series; returns its sizes before and after, in bytes.

    The new file takes the old one's place when it is whole, and not before.

    Args:
        config: the file, with the memory to do it in.
        bar: gets the number of rows there are, and gives what is called with how many were written.

    Raises:
        HistoryUnavailable: a service has it open, or it cannot be read or written.
    """
    new = config.path.with_name(f".{config.path.name}.compact")
    _remove(new)
    try:
        old = DuckFile(config)
    except HistoryUnavailable as error:
        raise unavailable(config.path, error) from error
    try:
        old.checkpoint()
        before = config.path.stat().st_size
        DuckFile(config.model_copy(update={"path": new})).close()
        with old.attached(new, "new"):
            _copy(old, bar)
        new.replace(config.path)
        return before, config.path.stat().st_size
    except OSError as error:
        raise HistoryUnavailable(f"{config.path}: {error}") from error
    finally:
        old.close()
        _remove(new)


def export(db: duckdb.DuckDBPyConnection, chosen: ExportFilter, folder: Path, bar: Callable[[int], Advance]) -> int:
    """Write a Parquet file for each day of plant time that has rows; returns the number of rows.

    Each file has its name only once it is whole.

    Raises:
        OSError: a file cannot be written, or is there already: nothing is written then.
    """
    days = list(_days(db, chosen))
    files = [folder / f"{chosen.table}-{_day(start):%Y-%m-%d}.parquet" for start, _ in days]
    for file in files:
        if file.exists():
            raise FileExistsError(f"{file}: 已存在,请用新文件夹 is there already; give a new folder")
    advance, count = bar(len(days)), 0
    for file, (start, end) in zip(files, days, strict=True):
        part = file.with_name(f".{file.name}.part")
        [(written,)] = db.execute(_copy_statement(chosen, part), _values(chosen, start, end)).fetchall()
        if written:
            part.rename(file)
        else:
            part.unlink()
        count += written
        advance(1)
    return count


def unknown(db: duckdb.DuckDBPyConnection, chosen: ExportFilter) -> list[str]:
    """The requested names that the file does not have."""
    known = db.execute("SELECT plant, point FROM series").fetchall()
    plants, points = {plant for plant, _ in known}, {point for _, point in known}
    return [
        *(plant for plant in chosen.plants if plant not in plants),
        *(point for point in chosen.points if point not in points),
    ]


def _copy(old: DuckFile, bar: Callable[[int], Advance]) -> None:
    """Copy everything into the attached new file."""
    with old.transaction() as db:
        for table in _WHOLE:
            db.execute(f"INSERT INTO new.{table} BY NAME SELECT * FROM main.{table}")  # noqa: S608
        advance = bar(sum(_last_row(db, table) for table in _VALUES))
    for table in _VALUES:
        with old.transaction() as db:
            starts = [-_EVER, *_hours(db, table, 0, _EVER)]
        for start, end in zip(starts, [*starts[1:], _EVER], strict=True):
            with old.transaction() as db:
                [(count,)] = db.execute(
                    f"INSERT INTO new.{table} BY NAME SELECT * FROM main.{table} WHERE time >= ? AND time < ?"  # noqa: S608
                    " ORDER BY series, time",
                    [start, end],
                ).fetchall()
            advance(count)


def _hours(db: duckdb.DuckDBPyConnection, table: Table, start: int, end: int) -> Iterator[int]:
    """The hours that have rows, in order."""
    [(last,)] = db.execute(f"SELECT max(time) + 1 FROM {table}").fetchall()  # noqa: S608
    end = min(end, last or 0)
    hour = first_hour(db, start // HOUR * HOUR, end, table)
    while hour is not None:
        yield hour
        hour = first_hour(db, hour + HOUR, end, table)


def _days(db: duckdb.DuckDBPyConnection, chosen: ExportFilter) -> Iterator[tuple[int, int]]:
    """The spans of the days of plant time that may have rows to export."""
    done = chosen.start
    for hour in _hours(db, chosen.table, chosen.start, chosen.end):
        if hour + HOUR > done:
            day = _day(max(hour, done)).replace(hour=0, minute=0, second=0, microsecond=0)
            midnight, next_midnight = (int(at.timestamp()) * 10**9 for at in (day, day + timedelta(days=1)))
            done = min(next_midnight, chosen.end)
            yield max(midnight, chosen.start), done


def _day(time: int) -> datetime:
    return datetime.fromtimestamp(time // 10**9, PLANT_TIME)


def _copy_statement(chosen: ExportFilter, file: Path) -> str:
    table = chosen.table
    return (
        f"COPY (SELECT make_timestamp_ns(time) AS time, plant, point, signal, {_VALUES[table]}"  # noqa: S608
        f" FROM {table} JOIN series ON series.id = {table}.series WHERE time >= $start AND time < $end"
        f"{' AND list_contains($plants, plant)' if chosen.plants else ''}"
        f"{' AND list_contains($points, point)' if chosen.points else ''}"
        f") TO '{quoted(file)}' (FORMAT parquet, COMPRESSION zstd)"
    )


def _values(chosen: ExportFilter, start: int, end: int) -> dict[str, int | Sequence[str]]:
    names = {"plants": list(chosen.plants), "points": list(chosen.points)}
    return {"start": start, "end": end, **{name: of for name, of in names.items() if of}}


def _count(db: duckdb.DuckDBPyConnection, table: str) -> int:
    [(count,)] = db.execute(f"SELECT count(*) FROM {table}").fetchall()  # noqa: S608
    return int(count)


def _last_row(db: duckdb.DuckDBPyConnection, table: str) -> int:
    [(last,)] = db.execute(f"SELECT coalesce(max(rowid) + 1, 0) FROM {table}").fetchall()  # noqa: S608
    return int(last)


def _remove(file: Path) -> None:
    for each in (file, file.with_name(f"{file.name}.wal")):
        each.unlink(missing_ok=True)
