"""How long an InfluxDB takes for trends of a year and of an hour, by rollups and by readings.

    python -m benchmarks.influx_year [--json] [--points 300]

An `influxd` (1.x) of its own on loopback is set up as `yujing influx setup` does. The rollups of a year are written by
hand, as its continuous queries would have made them, since a year cannot be waited for; the readings of the last three
hours, one a second and point, are written by the store.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np

from ingest.storage.history.config import InfluxV1Config
from ingest.storage.history.influx_v1 import InfluxV1Store
from ingest.storage.history.setup import SetupOptions
from ingest.storage.history.setup_v1 import set_up_v1
from ingest.storage.history.store import TrendQuery
from tests.ingest.storage.history.made_up import PLANT, batch, configuration, point
from tests.servers import influxd_server

HOUR_S: Final = 3_600
DAYS: Final = 365
BUCKETS: Final = 480
"""Of the console's widest trend."""

_TRIES: Final = 5


def measure(points: int) -> dict[str, Any]:
    """Milliseconds of each trend, the least of several."""
    with tempfile.TemporaryDirectory() as folder, influxd_server(Path(folder)) as server:
        config = InfluxV1Config(url=server.url, timeout_s=60)
        list(set_up_v1(config, None, SetupOptions()))
        store = InfluxV1Store(config)
        end = int(time.time()) // HOUR_S * HOUR_S
        _fill(store, server.url, points, end)

        def least_ms(span_s: int, point: str = "P-0") -> float:
            query = TrendQuery(PLANT, point, (end - span_s) * 10**9, end * 10**9, BUCKETS)
            return min(_took_ms(store, query) for _ in range(_TRIES))

        found = {
            "points": points,
            "year_ms": round(least_ms(DAYS * 24 * HOUR_S)),
            "month_ms": round(least_ms(30 * 24 * HOUR_S)),
            "hour_ms": round(least_ms(HOUR_S)),
        }
        store.close()
    return found


def _took_ms(store: InfluxV1Store, query: TrendQuery) -> float:
    began = time.perf_counter()
    (trend,) = store.trends([query])
    took = (time.perf_counter() - began) * 1_000
    if not len(trend.time):
        raise RuntimeError(f"{query} was answered by nothing")
    return took


def _fill(store: InfluxV1Store, url: str, points: int, end: int) -> None:
    with httpx.Client(base_url=url, trust_env=False, timeout=60) as http:
        for day in range(end - DAYS * 24 * HOUR_S, end, 24 * HOUR_S):
            for policy, width, series in (("hours", HOUR_S, range(points)), ("minutes", 60, range(1))):
                lines = "\n".join(
                    f"readings,plant={PLANT},point=P-{number},signal=S"
                    f" low=1,high=2,sum={1.5 * width},count={width}i {at}"
                    for at in range(day, day + 24 * HOUR_S, width)
                    for number in series
                )
                params = {"db": "yujing", "rp": policy, "precision": "s"}
                http.post("/write", params=params, content=lines).raise_for_status()
    known = configuration(*(point(at, f"P-{at}") for at in range(points)))
    everyone = np.arange(points)
    for at in range(end - 3 * HOUR_S, end, 60):
        seconds = np.repeat(np.arange(at, at + 60), points) * 10**9
        store.write_readings(
            batch(np.tile(everyone, 60).tolist(), seconds.tolist(), np.full(len(seconds), 1.5).tolist()), known, None
        )


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--points", type=int, default=300)
    arguments = parser.parse_args()
    found = measure(arguments.points)
    if arguments.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:<24}{value}")


if __name__ == "__main__":
    main()
