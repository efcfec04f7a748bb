"""What exports of long registers cost the process that makes them: time, and the most memory it had at once.

    python -m benchmarks.registers [--json] [--plants 200] [--days 365] [--names pledges,works] [--endings xlsx,csv]

A state database is filled with one record of each kind for each plant and day; each register is then exported in each
format as the service does it, but at the usual priority. Times and memory are this machine's.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, get_args
from uuid import UUID

import sqlalchemy as sa

from ingest.domain.cases.cleaning import Cleaning
from ingest.domain.cases.days import begins
from ingest.domain.cases.hazard import Hazard, HazardSource
from ingest.domain.cases.pledge import Pledge
from ingest.domain.cases.work import Work, WorkKind
from ingest.domain.model.daily import PledgeDuty
from ingest.domain.model.plant import Plant
from ingest.services.exports.request import Ending, ExportRequest
from ingest.storage.state.case_rows import TABLES, row_of
from ingest.storage.state.config import StateConfig
from ingest.storage.state.database import Database
from tests.small_plant import small_configuration

FIRST: Final = dt.date(2025, 1, 1)
HOUR: Final = 3600 * 10**9
ENDINGS: Final = tuple(ending for ending in get_args(Ending) if ending != "page")

Record = Work | Cleaning | Pledge | Hazard


def records(plants: Sequence[Plant], days: int) -> Iterator[tuple[Record, ...]]:
    """Of each day and plant a pledge, declared work, a cleaning and a hazard, with texts as people write them."""
    key = 0
    for number in range(days):
        day = FIRST + dt.timedelta(days=number)
        at = begins(day) + 8 * HOUR
        for plant in plants:
            key += 1
            ids = [UUID(int=kind * 10**9 + key) for kind in range(4)]
            text = f"今日无动火作业，除尘系统运行正常，第 {key} 号记录，粉尘清扫按计划完成，人员到岗。"
            yield (
                Pledge(ids[0], plant.id, day, 1, text, text, "陈总", 2, 1, at, "李工", works={"hot-work": 1}),
                Work(
                    ids[1], plant.id, WorkKind.HOT_WORK, "一车间", text, at, at + HOUR, "维修班", "李工", "张三",
                    "接火盆，监护人到位", at - HOUR, "李工",
                ),
                Cleaning(ids[2], plant.id, "A1", at, "李工", text, at, "李工"),
                Hazard(ids[3], plant.id, f"积尘 {key}", text, "一车间", HazardSource.HAND, at, "张三"),
            )  # fmt: skip


def fill(database: Database, plants: Sequence[Plant], days: int) -> None:
    """Write all records, a few thousand at a time."""
    kinds: list[type[Any]] = [Pledge, Work, Cleaning, Hazard]
    waiting: list[tuple[Record, ...]] = []

    def write() -> None:
        with database.write() as connection:
            for place, kind in enumerate(kinds):
                connection.execute(sa.insert(TABLES[kind]), [row_of(each[place]) for each in waiting])
        waiting.clear()

    for each in records(plants, days):
        waiting.append(each)
        if len(waiting) == 2_000:
            write()
    if waiting:
        write()


def exported(state: StateConfig, request: ExportRequest, folder: Path) -> dict[str, float]:
    """Make a list in a process of its own; returns its seconds, CPU seconds, most memory and the size of the list."""
    with tempfile.TemporaryFile(dir=folder) as out:
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "ingest.services.exports.worker"], stdin=subprocess.PIPE, stdout=out,
            env={**os.environ, "TMPDIR": str(folder)},
        )  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(pickle.dumps((state, request)))
        process.stdin.flush()  # left open, by which it knows that somebody waits
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stdin.close()
        if process.returncode:
            raise SystemExit(f"{request.name}.{request.ending}: the process ended with {process.returncode}")
        return {
            "s": round(wall, 1),
            "cpu_s": round(usage.ru_utime + usage.ru_stime, 1),
            "peak_mb": round(usage.ru_maxrss / 1024),
            "size_mb": round(out.seek(0, 2) / 1e6, 1),
        }


def main() -> None:
    """Fill a database and print what each export takes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plants", type=int, default=200)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--names", default="pledges,works,cleanings,hazards")
    parser.add_argument("--endings", default=",".join(ENDINGS))
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (plant,) = small_configuration(folder).enterprises()
        bare = replace(plant, points=(), gateways=(), pledge=PledgeDuty(dt.time(9), FIRST))
        plants = tuple(replace(bare, id=f"plant-{number:03}") for number in range(given.plants))
        state = StateConfig(path=folder / "state.db")
        database = Database(state)
        fill(database, plants, given.days)
        database.close()
        now = begins(FIRST + dt.timedelta(days=given.days)) - HOUR
        found: dict[str, dict[str, float]] = {}
        for register in given.names.split(","):
            for ending in given.endings.split(","):
                year = FIRST.year if register == "summary" else None
                request = ExportRequest(register, ending, plants, None, {}, 3600.0, now, year)
                found[f"{register}.{ending}"] = exported(state, request, folder)
                if not given.json:
                    print(f"{register}.{ending}: {found[f'{register}.{ending}']}", flush=True)
    if given.json:
        print(json.dumps({"rows": given.plants * given.days} | found))


if __name__ == "__main__":
    main()
