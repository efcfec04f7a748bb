"""What years of history cost in the built-in store, DuckDB, with its default settings.

    python -m benchmarks.duck [--json] [--millions 300] [--points 300] [--days 365]

Figures of processor time, which hold beside other work; of trends the least of five. Prints:

- `cpu_s_per_million.N`: of writes of N readings each, the store's work between them included;
- `rss_mb`: of this process after so many millions of readings;
- `trend_year_ms`, `trend_hour_ms`: of one point, in 240 buckets; `trends_…` of all points in one question;
- `bytes_a_reading`, `bytes_a_minute`: on disk, the latter with the hours.

The readings come as a plant's do, every point once a second, and are rolled up by the store itself. A year of them
would take an hour to write, so the year is one of rollups only: random minutes by a statement, and their hours by the
store's own. They are what the year's trend is made of in any case.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from ingest.history.config import DuckDBConfig
from ingest.history.duck import DuckDBStore
from ingest.history.duck_file import DuckFile
from ingest.history.duck_rollups import HOUR, MINUTE, roll_hour
from ingest.history.store import TrendQuery
from ingest.model.batch import Batch
from ingest.plants.roster import Roster
from tests.ingest.history.made_up import NOON, PLANT, point, roster

SIZES: Final = (200, 1_000, 10_000, 50_000)
BUCKETS: Final = 240
_SECOND: Final = 10**9
_DAY: Final = 24 * HOUR
_FILL: Final = 40_000  # readings a write, as the writer's full turn has


def readings(at: int, count: int, points: int, start: int = NOON) -> Batch:
    """Readings number `at` and on from `start`: every point once a second, three decimals."""
    number = np.arange(at, at + count)
    times = start + number // points * _SECOND
    values = np.round(0.35 + 0.05 * np.sin(number * 0.7), 3)
    flags = np.zeros(count, np.uint16)
    return Batch((number % points).astype(np.int32), times, values, flags, times + 5_000_000)


def written(folder: Path, known: Roster, millions: int, sizes: Sequence[int]) -> dict[str, Any]:
    """What writes cost by their size, and what is left of them in memory and on disk."""
    points = len(known.points)
    cpu = {size: _cpu_of(folder / f"{size}.duckdb", known, size, max(100, 400_000 // size)) for size in sizes}
    path = folder / "filled.duckdb"
    store = DuckDBStore(DuckDBConfig(path=path))
    for write, at in enumerate(range(0, millions * 1_000_000, _FILL)):
        store.write_readings(readings(at, _FILL, points), known, 1 + write)
    rss = _rss_mb()
    store.close()
    return {
        "cpu_s_per_million": cpu,
        "rss_mb": round(rss),
        "bytes_a_reading": round(path.stat().st_size / max(1, millions * 1e6), 2),
    }


def asked(folder: Path, known: Roster, days: int) -> dict[str, Any]:
    """What trends of a year, and of its last hour, take."""
    config, points = DuckDBConfig(path=folder / "years.duckdb"), len(known.points)
    end = NOON // _DAY * _DAY
    _write(config, known, end, points)  # so that all points are known
    _fill_minutes(config, end, points, days)
    size = config.path.stat().st_size
    _write(config, known, end, HOUR // _SECOND * points)
    names = [one.id for one in known.points if one is not None]
    now = end + HOUR
    store = DuckDBStore(config)
    figures = {
        f"{what}_{span}_ms": _least_ms(store, [TrendQuery(PLANT, name, now - width, now, BUCKETS) for name in of])
        for what, of in (("trend", names[:1]), ("trends", names))
        for span, width in (("year", days * _DAY), ("hour", HOUR))
    }
    store.close()
    return figures | {"bytes_a_minute": round(size / (days * 1440 * points), 1)}


def _write(config: DuckDBConfig, known: Roster, start: int, count: int) -> None:
    store = DuckDBStore(config)
    for at in range(0, count, _FILL):
        store.write_readings(readings(at, min(_FILL, count - at), len(known.points), start), known, 1 + at)
    store.close()


def _fill_minutes(config: DuckDBConfig, end: int, points: int, days: int) -> None:
    file = DuckFile(config)
    for day in range(end - days * _DAY, end, _DAY):
        with file.transaction() as db:
            db.execute(
                "INSERT INTO minutes SELECT series, $day + minute * $width, round(0.3 + random() * 0.05, 3),"
                " 0.35 + random() * 0.01, round(0.4 + random() * 0.05, 3), 60, 60"
                " FROM range(1440) m(minute), range(1, $series) s(series) ORDER BY 2 // $hour, 1, 2",
                {"day": day, "width": MINUTE, "series": points + 1, "hour": HOUR},
            )
            for hour in range(day, day + _DAY, HOUR):
                roll_hour(db, hour)
    with file.transaction() as db:
        db.execute("UPDATE kept SET rolled_to = ?", [end])
    file.close()


def _cpu_of(path: Path, known: Roster, size: int, writes: int) -> float:
    store, points = DuckDBStore(DuckDBConfig(path=path)), len(known.points)
    store.write_readings(readings(0, points, points), known, 1)  # so that all points are known
    parts = [readings(points + write * size, size, points) for write in range(writes)]
    began = time.process_time()
    for write, part in enumerate(parts):
        store.write_readings(part, known, 2 + write)
    took = time.process_time() - began
    store.close()
    return round(took / (writes * size) * 1e6, 2)


def _least_ms(store: DuckDBStore, queries: Sequence[TrendQuery]) -> float:
    took = []
    for _ in range(5):
        began = time.process_time()
        store.trends(queries)
        took.append(time.process_time() - began)
    return round(min(took) * 1e3, 1)


def _rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    """Run once and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    parser.add_argument("--millions", type=int, default=300, help="of readings")
    parser.add_argument("--points", type=int, default=300)
    parser.add_argument("--days", type=int, default=365, help="of rollups")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="readings a write")
    told = parser.parse_args()
    known = roster(*(point(n, f"CW-{n:05d}") for n in range(told.points)))
    with tempfile.TemporaryDirectory() as folder:
        figures = written(Path(folder), known, told.millions, told.sizes) | asked(Path(folder), known, told.days)
    if told.json:
        print(json.dumps(figures))
    else:
        for name, figure in figures.items():
            print(f"{name:20} {figure}")


if __name__ == "__main__":
    main()
