"""What years of history cost in the built-in store, DuckDB, with its default settings.

    python -m benchmarks.duck [--json] [--millions 300] [--points 300] [--days 365] [--seconds 90]

Figures of processor time, which hold beside other work; of trends the least of five. Prints:

- `cpu_s_per_million.N`: of writes of N readings each, the store's work between them included;
- `rss_mb`: of a whole service with so many million readings in its history, while 100 gateways send 4,000 a second and
  trends of an hour, twelve hours and a day are asked for: at its start and the highest, and how many were answered;
- `trend_year_ms`, `trend_hour_ms`: of one point, in 240 buckets; `trends_…` of all points in one question;
- `bytes_a_reading`, `bytes_a_minute`: on disk, the latter with the hours.

The files are filled by statements ([duck_filled](duck_filled.py)): some minutes for 300 million readings. The year is
one of rollups only, which is what its trend is made of in any case.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np

from benchmarks.duck_filled import fill_readings, fill_rollups
from benchmarks.intake import rss_mb
from benchmarks.load import Load, point_names
from benchmarks.site import FIRST, SHAPES, site
from ingest.domain.model.batch import Batch
from ingest.plants.configuration import PlantConfiguration
from ingest.storage.history.bucket_edges import HOUR
from ingest.storage.history.config import DuckDBConfig
from ingest.storage.history.duck import DuckDBStore
from ingest.storage.history.series import Series
from ingest.storage.history.store import TrendQuery
from tests.ingest.storage.history.made_up import NOON, PLANT, configuration, point

SIZES: Final = (200, 1_000, 10_000, 50_000)
BUCKETS: Final = 240
_SECOND: Final = 10**9
_DAY: Final = 24 * HOUR
_FILL: Final = 40_000  # readings a write, as the writer's full turn has
_SPANS_S: Final = (3_600, 43_200, 86_400)


def readings(at: int, count: int, points: int, start: int = NOON) -> Batch:
    """Readings number `at` and on from `start`: every point once a second, three decimals."""
    number = np.arange(at, at + count)
    times = start + number // points * _SECOND
    values = np.round(0.35 + 0.05 * np.sin(number * 0.7), 3)
    flags = np.zeros(count, np.uint16)
    return Batch((number % points).astype(np.int32), times, values, flags, times + 5_000_000)


def written(folder: Path, known: PlantConfiguration, sizes: Sequence[int]) -> dict[str, Any]:
    """What writes cost by their size."""
    cpu = {size: _cpu_of(folder / f"{size}.duckdb", known, size, max(100, 400_000 // size)) for size in sizes}
    return {"cpu_s_per_million": cpu}


def served(millions: int, seconds: float) -> dict[str, Any]:
    """What memory a service holds that has so many readings; nothing without any."""
    if not millions:
        return {"rss_mb": None, "bytes_a_reading": None}
    shape = SHAPES["county"]
    names = point_names(FIRST, shape.gateways, shape.readings)
    series = [Series(*name) for name in names]
    size = 0.0

    def prepare(folder: Path) -> None:
        nonlocal size
        path = folder / "data" / "history.duckdb"
        path.parent.mkdir(mode=0o700)
        each_s = len(names) / (shape.frames_per_s * shape.readings)
        rows = fill_readings(path, series, millions, each_s, time.time_ns() // HOUR * HOUR)
        size = path.stat().st_size / rows

    load = Load(86_400 * 200, shape.gateways, rate=shape.frames_per_s, first=FIRST, columns=shape.readings)
    with site(shape, "duckdb", prepare=prepare) as measured, measured.sending(load):
        asking = httpx.Client(base_url=measured.service.url, headers=measured.service.headers, trust_env=False)
        with asking as client:
            answered = 0
            seen, until = [rss_mb(measured.service.pid)], time.monotonic() + seconds
            while time.monotonic() < until:
                plant, name, _ = names[len(seen) * 37 % len(names)]
                for span in _SPANS_S:
                    end = time.time_ns() // HOUR * HOUR
                    times = f"from={_text(end - span * _SECOND)}&to={_text(end)}&buckets={BUCKETS}"
                    answer = client.get(f"/api/v1/plants/{plant}/points/{name}/readings?{times}", timeout=60)
                    answered += answer.is_success
                seen.append(rss_mb(measured.service.pid))
                time.sleep(1)
    rss = {"start": round(seen[0]), "highest": round(max(seen)), "trends": answered}
    return {"rss_mb": rss, "bytes_a_reading": round(size, 2)}


def asked(folder: Path, known: PlantConfiguration, days: int) -> dict[str, Any]:
    """What trends of a year, and of its last hour, take."""
    path, end = folder / "years.duckdb", NOON // _DAY * _DAY
    points = [point for point in known.points if point is not None]
    fill_rollups(path, [Series(point.plant, point.id, point.signal) for point in points], days, end)
    size = path.stat().st_size
    store = DuckDBStore(DuckDBConfig(path=path))
    count = HOUR // _SECOND * len(points)
    for at in range(0, count, _FILL):
        store.write_readings(readings(at, min(_FILL, count - at), len(points), end), known, 1 + at)
    names = [point.id for point in points]
    now = end + HOUR
    figures = {
        f"{what}_{span}_ms": _least_ms(store, [TrendQuery(PLANT, name, now - width, now, BUCKETS) for name in of])
        for what, of in (("trend", names[:1]), ("trends", names))
        for span, width in (("year", days * _DAY), ("hour", HOUR))
    }
    store.close()
    return figures | {"bytes_a_minute": round(size / (days * 1440 * len(points)), 1)}


def _cpu_of(path: Path, known: PlantConfiguration, size: int, writes: int) -> float:
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


def _text(time_ns: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time_ns // _SECOND))


def main() -> None:
    """Run once and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    parser.add_argument("--millions", type=int, default=300, help="of readings")
    parser.add_argument("--points", type=int, default=300)
    parser.add_argument("--days", type=int, default=365, help="of rollups")
    parser.add_argument("--seconds", type=float, default=90, help="that the service runs with them")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="readings a write")
    options = parser.parse_args()
    known = configuration(*(point(n, f"CW-{n:05d}") for n in range(options.points)))
    with tempfile.TemporaryDirectory() as folder:
        figures = written(Path(folder), known, options.sizes) | asked(Path(folder), known, options.days)
    figures |= served(options.millions, options.seconds)
    if options.json:
        print(json.dumps(figures))
    else:
        for name, figure in figures.items():
            print(f"{name:20} {figure}")


if __name__ == "__main__":
    main()
