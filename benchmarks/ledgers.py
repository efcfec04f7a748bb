"""What the ledgers of a county's instruments cost: pages, lists, and the rounds that find what is due.

    python -m benchmarks.ledgers [--json] [--plants 300] [--instruments 40] [--requests 30]

A state database is filled with two years of checks of every instrument. Rounds are timed in this process; then the
whole service runs on the files and is asked over HTTP, one request after another. Times and memory are this machine's.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
import sqlalchemy as sa

from benchmarks.alarms import Asked, timed
from ingest.base.telemetry import configure_logging
from ingest.delivery.config import ConnectorsConfig
from ingest.domain.cases.config import CasesConfig
from ingest.domain.cases.days import begins, day_of
from ingest.domain.cases.ledger import Ledger, LedgerEntry, LedgerState, entry_id, last_checks
from ingest.domain.cases.ledger_due import opened
from ingest.domain.model.instrument import Instrument
from ingest.domain.model.notice import Matter
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.load import load_configuration
from ingest.plants.numbering import MemoryNumbering
from ingest.runtime.instrument_automation import InstrumentAutomation
from ingest.runtime.notice_automation import NoticeAutomation
from ingest.services.cases.instrument_board import InstrumentBoard
from ingest.storage.state.case_rows import row_of
from ingest.storage.state.case_store import CaseStore
from ingest.storage.state.case_tables import ledger, ledger_entry
from ingest.storage.state.config import StateConfig
from ingest.storage.state.database import Database
from ingest.storage.state.notice_store import NoticeStore
from ingest.storage.state.suppressions import SuppressionStore
from tests.e2e.service import Service
from tests.servers import free_port

YEARS: Final = 2
_AT_A_TIME: Final = 2_000
_STEPS: Final = (("calibrate", 365, 1), ("function-test", 182, 2))
"""Step, days between two of them, and how many there are in a year."""


def write_plants(folder: Path, plants: int, instruments: int) -> None:
    """The files of steel plants with CO heads, each an instrument of its own."""
    for plant in range(plants):
        lines = [
            f'[enterprise]\nid = "plant-{plant:03d}"\nname = "{plant}号钢厂"\nname_en = "Steel {plant}"',
            'uscc = "91350583MA000L0390"\nregion = "350583"\nkind = "steel"\nworkers = 100\ndust_workers = 0',
            '[[gateways]]\nid = "GW-01"\nname = "网关"\nname_en = "Gateway"\nsilence_s = 86400',
        ]
        lines += [
            (
                f'[[points]]\nid = "CO-{head:02d}"\nsignal = "STL_CO"\ngateway = "GW-01"\nsilence_s = 86400\n'
                f'[[instruments]]\nid = "HEAD-{head:02d}"\npoints = ["CO-{head:02d}"]\nserial = "K-{plant}-{head}"\n'
                "periods = { calibration = { months = 12 }, function-test = { months = 6 } }"
            )
            for head in range(instruments)
        ]
        (folder / f"plant-{plant:03d}.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def entries_of(of: Ledger, today: dt.date, rng: np.random.Generator) -> Iterator[LedgerEntry]:
    """Two years of checks; those of about one instrument in fifty are overdue by now."""
    version = 1
    for step, every, a_year in _STEPS:
        last = int(rng.integers(0, every - 2)) if rng.random() > 0.02 else every + 10
        for number in reversed(range(YEARS * a_year)):
            version += 1
            day = today - dt.timedelta(days=last + number * every)
            detail = {"day": day.isoformat(), "outcome": "passed", "person": "省计量院", "number": f"JL-{day:%Y%m%d}"}
            key, state = entry_id(of.id, version), LedgerState.IN_USE
            yield LedgerEntry(key, of.id, version, step, state, begins(day), "中控室", "operator", detail)


def fill(database: Database, instruments: Sequence[Instrument], today: dt.date) -> int:
    """Write a ledger for each of these instruments; returns the number of entries."""
    rng, count = np.random.default_rng(7), 0
    for first in range(0, len(instruments), _AT_A_TIME):
        ledgers, lines = [], []
        for instrument in instruments[first : first + _AT_A_TIME]:
            empty = opened(instrument, today - dt.timedelta(days=365 * YEARS))
            made = list(entries_of(empty, today, rng))
            lines += [row_of(entry) for entry in made]
            checked = replace(empty, version=1 + len(made), last=last_checks(entry.line for entry in made))
            ledgers.append(row_of(checked))
        with database.write() as connection:
            connection.execute(sa.insert(ledger), ledgers)
            connection.execute(sa.insert(ledger_entry), lines)
        count += len(lines)
    return count


class Rounds:
    """The automations that read ledgers, as a start builds them."""

    def __init__(self, database: Database, configuration: PlantConfiguration) -> None:
        config = CasesConfig()
        board = InstrumentBoard(CaseStore(database), config)
        self.store = CaseStore(database, board.note)
        self._automation = InstrumentAutomation(
            self.store, board, SuppressionStore(database), lambda: configuration, lambda _values: None, config,
            time.time_ns,
        )  # fmt: skip
        checks = frozenset({Matter.CHECK_DUE, Matter.CHECKS_UNRECORDED})
        self._notices = NoticeAutomation(
            NoticeStore(database), {checks: self._automation.occasions}, lambda: configuration, ConnectorsConfig(),
            lambda: None, config, time.time_ns,
        )  # fmt: skip

    async def round_ms(self) -> float:
        """Look once; returns how long it took."""
        began = time.perf_counter()
        await self._automation.run_once()
        await self._notices.run_once()
        return round((time.perf_counter() - began) * 1e3, 1)


async def rounds(folder: Path, database: Database) -> dict[str, float]:
    """Milliseconds of one round: the first there is, without and with something new, and the first after a restart."""
    configuration = load_configuration(folder / "plants", MemoryNumbering(), 1)
    service = Rounds(database, configuration)
    took = {"first_ms": await service.round_ms(), "idle_ms": await service.round_ms()}
    some = service.store.ledgers(frozenset({"plant-000"}))[0]
    service.store.commit(saved=[replace(some, version=some.version + 1)])
    took["after_an_entry_ms"] = await service.round_ms()
    return took | {"after_a_restart_ms": await Rounds(database, configuration).round_ms()}


def requests_of(rng: np.random.Generator, plants: int, client: httpx.Client) -> dict[str, Asked]:
    """Every kind of request, by name."""
    some = client.get("/api/v1/instruments", params={"limit": 1000}).json()
    ids, cursor = [instrument["id"] for instrument in some["instruments"]], some["next"]

    def page(path: str, **query: Any) -> Asked:
        return Asked(lambda: path, lambda: query)

    def of_a_plant(path: str) -> Asked:
        return Asked(lambda: path, lambda: {"plant": f"plant-{rng.integers(plants):03d}"})

    return {
        "list of 100": page("/api/v1/instruments"),
        "the page after the thousandth": page("/api/v1/instruments", **({"cursor": cursor} if cursor else {})),
        "overdue ones": page("/api/v1/instruments", state="overdue"),
        "of a plant": of_a_plant("/api/v1/instruments"),
        "one with its ledger": Asked(lambda: f"/api/v1/instruments/{ids[int(rng.integers(len(ids)))]}", dict),
        "console: list": page("/instruments"),
        "console: of a plant": of_a_plant("/instruments"),
        "notices": page("/api/v1/notices"),
        "/metrics": page("/metrics"),
    }


def measure(folder: Path, plants: int, instruments: int, requests: int) -> dict[str, Any]:
    """Fill, time the rounds, run the service, ask."""
    (folder / "plants").mkdir()
    write_plants(folder / "plants", plants, instruments)
    state = StateConfig(path=folder / "data" / "state.db")
    state.path.parent.mkdir()
    configuration = load_configuration(folder / "plants", MemoryNumbering(), 1)
    known = [instrument for of_plant in configuration.instruments.values() for instrument in of_plant]
    del configuration
    database = Database(state)
    entries = fill(database, known, day_of(time.time_ns()))
    took = asyncio.run(rounds(folder, database))
    database.close()
    (folder / "data").rename(folder / "filled")
    service = Service(folder, ("127.0.0.1", free_port()), f'[state]\npath = "{folder}/filled/state.db"', plant="")
    rng = np.random.default_rng(5)
    with service, httpx.Client(base_url=service.url, headers=service.headers, trust_env=False, timeout=120) as client:
        before = memory_mb(service.pid)
        asked = {name: timed(client, kind, requests) for name, kind in requests_of(rng, plants, client).items()}
        lists = {ending: list_s(client, ending) for ending in ("csv", "json", "xlsx")}
        after = memory_mb(service.pid)
    return {
        "instruments": len(known),
        "entries": entries,
        "rounds": took,
        "requests": asked,
        "lists_s": lists,
        "service_mb": {"before": before, "after": after},
    }


def list_s(client: httpx.Client, ending: str) -> float:
    """Seconds until the list of all instruments was received."""
    began = time.perf_counter()
    client.get(f"/api/v1/lists/instruments.{ending}").raise_for_status()
    return round(time.perf_counter() - began, 2)


def memory_mb(pid: int) -> int:
    """Resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) // 1024


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object, for machines")
    parser.add_argument("--plants", type=int, default=300)
    parser.add_argument("--instruments", type=int, default=40, help="of each plant")
    parser.add_argument("--requests", type=int, default=30, help="of each kind")
    options = parser.parse_args()
    configure_logging(level="error")
    with tempfile.TemporaryDirectory() as name:
        figures = measure(Path(name), options.plants, options.instruments, options.requests)
    print(json.dumps(figures, ensure_ascii=False, indent=None if options.json else 1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
