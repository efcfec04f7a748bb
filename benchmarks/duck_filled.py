"""A DuckDB history of hundreds of millions of rows in minutes: DuckDB makes them itself, as the service leaves them.

The tables are the store's own, rows stand in the order of its writes, and rollups are made by its own statements.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ingest.storage.history.bucket_edges import DAY, HOUR, MINUTE, floor_to
from ingest.storage.history.config import DuckDBConfig
from ingest.storage.history.duck_file import DuckFile
from ingest.storage.history.duck_rollups import roll, roll_days
from ingest.storage.history.series import Series

_SECOND: Final = 10**9
_WRITE_S: Final = 2  # between writes, as `[pace]` has it


def fill_readings(path: Path, series: Sequence[Series], millions: int, each_s: float, end: int) -> int:
    """So many million readings, in whole hours up to `end`, of all series every `each_s`, with rollups; how many."""
    file = _opened(path, series)
    step, an_hour = round(each_s * _SECOND), round(3600 / each_s) * len(series)
    hours = -(-millions * 1_000_000 // an_hour)
    start, cycle = end - hours * HOUR, max(1, an_hour * _WRITE_S // 3600)
    for hour in range(hours):
        with file.transaction() as db:
            db.execute(
                "INSERT INTO readings SELECT 1 + (n + $before) // $turn, n % $points + 1, $at + n // $points * $step,"
                " round(0.35 + 0.05 * sin(n * 0.7), 3), 0 FROM range($count) t(n)",
                {
                    "before": hour * an_hour,
                    "turn": cycle,
                    "points": len(series),
                    "at": start + hour * HOUR,
                    "step": step,
                    "count": an_hour,
                },
            )
            roll(db, start + hour * HOUR, start + (hour + 1) * HOUR)
    with file.transaction() as db:
        db.execute("INSERT INTO marks VALUES (?, 1, 1)", [1 + hours * an_hour // cycle])
    file.close()
    return hours * an_hour


def fill_rollups(path: Path, series: Sequence[Series], days: int, end: int) -> None:
    """Random minutes and hours of so many days up to `end`, a midnight of UTC, in the order of their making."""
    file = _opened(path, series)
    for day in range(end - days * DAY, end, DAY):
        with file.transaction() as db:
            for table, width in (("minutes", MINUTE), ("hours", HOUR)):
                db.execute(
                    f"INSERT INTO {table} SELECT series, $day + hour * $hour + n * $width,"  # noqa: S608
                    " round(0.3 + random() * 0.05, 3), 0.35 + random() * 0.01, round(0.4 + random() * 0.05, 3), $each,"
                    " $each FROM range(24) h(hour), range(1, $series) s(series), range($hour // $width) m(n)"
                    " ORDER BY hour, series, n",
                    {"day": day, "hour": HOUR, "width": width, "each": width // _SECOND, "series": len(series) + 1},
                )
    with file.transaction() as db:
        roll_days(db, floor_to(end - days * DAY, DAY), floor_to(end, DAY))
        db.execute("UPDATE kept SET rolled_to = ?", [end])
    file.close()


def _opened(path: Path, series: Sequence[Series]) -> DuckFile:
    file = DuckFile(DuckDBConfig(path=path, memory_mb=1024, threads=2))
    with file.transaction() as db:
        names = [
            list(names) for names in zip(*((entry.plant, entry.point, entry.signal) for entry in series), strict=True)
        ]
        numbers = list(range(1, len(series) + 1))
        db.execute("INSERT INTO series SELECT unnest(?), unnest(?), unnest(?), unnest(?)", [numbers, *names])
        db.execute("INSERT INTO kept VALUES (0, 0, 0, 0)")
    return file
