"""How fast a control room gets its alarms out of 100,000: list, filters, deep pages, counts, the console's page.

    python -m benchmarks.alarms [--json] [--alarms 100000] [--requests 200] [--on sqlite|postgresql]

The state database is filled, on SQLite and on a PostgreSQL of its own on loopback; then the whole service runs on it
and is asked over HTTP, one request after another, each with other values. Milliseconds are the client's.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np

from benchmarks.alarm_records import PLANTS, SPAN_NS, Records, write_plants
from ingest.base.telemetry import configure_logging
from ingest.domain.model.alarm import Alarm
from ingest.storage.state.config import StateConfig
from ingest.storage.state.database import Database
from ingest.web.paging import write_token
from tests.e2e.service import Service
from tests.servers import PostgreSQL, free_port, postgresql

Query = dict[str, Any]

OUTSTANDING: Final = ["unacknowledged", "acknowledged", "returned-unacknowledged", "latched-unacknowledged"]


@dataclass(frozen=True, slots=True)
class Asked:
    """One kind of request: where, and with what."""

    path: Callable[[], str]
    query: Callable[[], Query]


def asked(records: Records, rng: np.random.Generator) -> dict[str, Asked]:
    """Every kind of request there is, by name."""

    def plant() -> str:
        return f"plant-{rng.integers(PLANTS):02d}"

    def some() -> Alarm:
        return records.alarms[int(rng.integers(len(records.alarms)))]

    def instant(time_ns: int) -> str:
        return datetime.fromtimestamp(time_ns / 1e9, UTC).isoformat()

    def token(alarm: Alarm) -> str:
        return write_token(alarm.raised, alarm.id)

    def since() -> Query:
        start = some().raised
        return {"since": instant(start), "until": instant(start + SPAN_NS // 365)}

    def deep() -> Query:
        return {"cursor": token(some())}

    def filters(make: Callable[[], Query]) -> Asked:
        return Asked(lambda: "/api/v1/alarms", make)

    def page(path: Callable[[], str], make: Callable[[], Query] = dict) -> Asked:
        return Asked(path, make)

    return {
        "newest": filters(dict),
        "plant": filters(lambda: {"plant": plant()}),
        "level": filters(lambda: {"level": 2}),
        "state, rare": filters(lambda: {"state": "latched-acknowledged"}),
        "state, common": filters(lambda: {"state": "normal"}),
        "several states": filters(lambda: {"state": OUTSTANDING}),
        "point": filters(lambda: {"point": some().point}),
        "plant, point": filters(lambda: {"plant": (alarm := some()).plant, "point": alarm.point}),
        "a day": filters(since),
        "historical": filters(lambda: {"historical": True}),
        "not cleared": filters(lambda: {"cleared": False}),
        "assigned": filters(lambda: {"assigned": "张三"}),
        "assigned to nobody there": filters(lambda: {"assigned": "nobody"}),
        "deep page": filters(deep),
        "deep page, plant": filters(lambda: {"plant": (alarm := some()).plant, "cursor": token(alarm)}),
        "deep page, level, historical": filters(lambda: {"level": 2, "historical": True, **deep()}),
        "plant, level, state": filters(lambda: {"plant": plant(), "level": 2, "state": OUTSTANDING}),
        "plant, a day": filters(lambda: {"plant": plant(), **since()}),
        "plant, state it has not": filters(lambda: {"plant": "plant-none", "state": "unacknowledged"}),
        "level, point, a day": filters(lambda: {"level": 1, "point": some().point, **since()}),
        "one with its history": page(lambda: f"/api/v1/alarms/{some().id}"),
        "plants with standing counts": page(lambda: "/api/v1/plants"),
        "console: alarms": page(lambda: "/alarms"),
        "console: alarms of a plant": page(lambda: "/alarms", lambda: {"plant": plant()}),
        "console: plants": page(lambda: "/plants"),
    }


def measure(state: StateConfig, folder: Path, alarms: int, requests: int) -> dict[str, Any]:
    """Fill a database, run the service on it, ask; figures by the kind of request."""
    records = Records(alarms, now=time.time_ns())
    began = time.perf_counter()
    database = Database(state)
    records.write(database)
    database.close()
    filled_s = time.perf_counter() - began
    (folder / "plants").mkdir()
    write_plants(folder / "plants")
    service = Service(folder, ("127.0.0.1", free_port()), settings_of(state), plant="")
    rng = np.random.default_rng(5)
    with service, httpx.Client(base_url=service.url, headers=service.headers, trust_env=False, timeout=60) as client:
        figures = {name: timed(client, kind, requests) for name, kind in asked(records, rng).items()}
    return {"filled_s": round(filled_s, 1), "requests": figures}


def timed(client: httpx.Client, kind: Asked, requests: int) -> dict[str, float]:
    """Milliseconds: p50, p99 and the longest."""
    took = []
    warm = min(5, requests)  # until connections and caches are there
    for number in range(requests + warm):
        path, query = kind.path(), kind.query()
        began = time.perf_counter()
        answer = client.get(path, params=query)
        ms = (time.perf_counter() - began) * 1e3
        answer.raise_for_status()
        if number >= warm:
            took.append(ms)
    return {
        "p50_ms": round(float(np.percentile(took, 50)), 1),
        "p99_ms": round(float(np.percentile(took, 99)), 1),
        "max_ms": round(max(took), 1),
    }


def settings_of(state: StateConfig) -> str:
    """What the settings file of a service with that database says of it."""
    if state.url is None:
        return ""
    return f'[state]\nurl = "{state.url}"\npassword = {{ file = "state_password" }}\n[log]\nlevel = "warning"\n'


@contextmanager
def places(systems: list[str]) -> Iterator[dict[str, Callable[[Path], StateConfig]]]:
    """Where each system's database is, given a folder."""

    def in_file(folder: Path) -> StateConfig:
        return StateConfig(path=folder / "data" / "state.db")

    def at(server: PostgreSQL) -> Callable[[Path], StateConfig]:
        def made(folder: Path) -> StateConfig:
            (folder / "state_password").write_text(server.PASSWORD)
            text = {"url": server.database(), "password": {"file": folder / "state_password"}}
            return StateConfig.model_validate(text)

        return made

    if "postgresql" not in systems:
        yield {"sqlite": in_file}
        return
    with postgresql() as server:
        yield {name: place for name, place in (("sqlite", in_file), ("postgresql", at(server))) if name in systems}


def main() -> None:
    """Run once and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    parser.add_argument("--alarms", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=200, help="of each kind")
    parser.add_argument("--on", action="append", choices=["sqlite", "postgresql"], help="default: both")
    options = parser.parse_args()
    configure_logging(level="warning")
    found = {}
    with places(options.on or ["sqlite", "postgresql"]) as found_at:
        for name, place in found_at.items():
            with tempfile.TemporaryDirectory() as folder:
                found[name] = measure(place(Path(folder)), Path(folder), options.alarms, options.requests)
    if options.json:
        print(json.dumps({"alarms": options.alarms, **found}))
        return
    for name, figures in found.items():
        sys.stdout.write(f"{name}: {options.alarms} alarms, filled in {figures['filled_s']} s\n")
        for kind, ms in figures["requests"].items():
            sys.stdout.write(f"  {kind:32} p50 {ms['p50_ms']:7.1f} ms  p99 {ms['p99_ms']:7.1f} ms\n")


if __name__ == "__main__":
    main()
