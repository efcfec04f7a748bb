"""How fast the service answers after years of alarms, and how large its state database is then.

    python -m benchmarks.growth [--json] [--years 10] [--alarms 80000] [--requests 100] [--on sqlite|postgresql]

`--alarms` are those of each year. The database is filled with years of them and with a year of delivered webhooks, on
SQLite and on a PostgreSQL of its own on loopback; then the whole service runs on it and is asked over HTTP, one request
after another: the list, what a day, 31 and 366 days that end anywhere in the record asked of every operator position,
and what Prometheus scrapes. Milliseconds are the client's.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
import sqlalchemy as sa
from rich.console import Console
from rich.progress import Progress

from benchmarks.alarm_records import SPAN_NS, write_plants
from benchmarks.alarms import Asked, Query, places, settings_of, timed
from benchmarks.growth_records import fill, steps
from ingest.base.telemetry import configure_logging
from ingest.storage.state.config import StateConfig
from ingest.storage.state.database import Database
from tests.e2e.service import Service
from tests.servers import free_port

_DAY: Final = 86_400 * 10**9
_SIZES: Final = {
    "sqlite": "SELECT m.tbl_name, sum(d.pgsize) FROM dbstat d JOIN sqlite_master m ON m.name = d.name GROUP BY 1",
    "postgresql": "SELECT relname, pg_total_relation_size(relid) FROM pg_stat_user_tables",
}
"""Bytes of each table with its indexes, by the system's own account."""


def asked(years: int, now: int, rng: np.random.Generator) -> dict[str, Asked]:
    """Every kind of request, by name."""

    def span(days: int) -> Asked:
        def query() -> Query:
            end = now - int(rng.integers(0, max(years * SPAN_NS - days * _DAY, 1)))
            return {"from": _instant(end - days * _DAY), "to": _instant(end)}

        return Asked(lambda: "/api/v1/alarms/metrics", query)

    def page(path: str, query: Query) -> Asked:
        return Asked(lambda: path, lambda: query)

    return {
        "list": page("/api/v1/alarms", {"limit": 100}),
        "list by urgency": page("/api/v1/alarms", {"limit": 100, "order": "urgency"}),
        "metrics of a day": span(1),
        "metrics of 31 days": span(31),
        "metrics of 366 days": span(366),
        "console: metrics of 30 days": page("/alarms/metrics", {"days": 30}),
        "/metrics": page("/metrics", {}),
    }


def sizes(database: Database) -> dict[str, float]:
    """MB of each table of some size with its indexes, and of all."""
    with database.read() as connection:
        found = connection.execute(sa.text(_SIZES[connection.dialect.name])).all()
    mb = {name: round(size / 1e6, 1) for name, size in found if size >= 50_000}
    return dict(sorted(mb.items(), key=lambda size: -size[1])) | {"all": round(sum(size for _, size in found) / 1e6, 1)}


def measure(state: StateConfig, folder: Path, years: int, alarms: int, requests: int) -> dict[str, Any]:
    """Fill a database, run the service on it, ask; figures by the kind of request, and sizes."""
    now, began = time.time_ns(), time.perf_counter()
    database = Database(state)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(f"{database.backend.name}: {years} years", total=steps(years))
        fill(database, years, alarms, now, lambda: progress.advance(task))
    filled_s = round(time.perf_counter() - began, 1)
    mb = sizes(database)
    database.close()
    (folder / "plants").mkdir()
    write_plants(folder / "plants")
    service = Service(folder, ("127.0.0.1", free_port()), settings_of(state), plant="")
    kinds = asked(years, now, np.random.default_rng(5))
    with service, httpx.Client(base_url=service.url, headers=service.headers, trust_env=False, timeout=60) as client:
        figures = {name: timed(client, kind, requests) for name, kind in kinds.items()}
    return {"filled_s": filled_s, "mb": mb, "requests": figures}


def _instant(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns / 1e9, UTC).isoformat()


def main() -> None:
    """Run once and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    parser.add_argument("--years", type=int, default=10)
    parser.add_argument("--alarms", type=int, default=80_000, help="of each year")
    parser.add_argument("--requests", type=int, default=100, help="of each kind")
    parser.add_argument("--on", action="append", choices=["sqlite", "postgresql"], help="default: both")
    options = parser.parse_args()
    configure_logging(level="warning")
    found: dict[str, Any] = {}
    with places(options.on or ["sqlite", "postgresql"]) as systems:
        for name, place in systems.items():
            with tempfile.TemporaryDirectory() as folder:
                found[name] = measure(
                    place(Path(folder)), Path(folder), options.years, options.alarms, options.requests
                )
    if options.json:
        print(json.dumps({"years": options.years, "alarms": options.alarms, **found}))
        return
    for name, figures in found.items():
        sys.stdout.write(
            f"{name}: {options.years} years of {options.alarms} alarms, filled in {figures['filled_s']} s\n"
        )
        for kind, ms in figures["requests"].items():
            sys.stdout.write(f"  {kind:32} p50 {ms['p50_ms']:7.1f} ms  p99 {ms['p99_ms']:7.1f} ms\n")
        for table, mb in figures["mb"].items():
            sys.stdout.write(f"  {table:32} {mb:11.1f} MB\n")


if __name__ == "__main__":
    main()
