"""What was kept, read past the service: its files with SQLite, InfluxDB with InfluxQL, webhooks as they arrived."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from ingest.storage.journal.inspection import JournalInspection
from ingest.storage.journal.journal import Journal
from tests.ingest.delivery.receiver import Receiver
from tests.reliability.traffic import POINT, Wave
from tests.servers import HTTP
from tests.small_plant import PLANT

RULE: Final = "H"
_AT_ONCE: Final = 200_000


@dataclass(frozen=True, slots=True)
class Count:
    """Readings of a wave against what was kept of them."""

    lost: int
    twice: int
    wrong: int  # kept, but not as sent
    strange: int = 0  # kept, but never sent


def compare(wave: Wave, readings: int, times: NDArray[np.int64], values: NDArray[np.float64]) -> Count:
    """The first `readings` of a wave against times (ns) and values that were kept."""
    number = times // 1_000_000 - wave.start_ms
    ours = (number >= 0) & (number < readings) & (times % 1_000_000 == 0)
    kept, first = np.unique(number[ours], return_index=True)
    wanted = wave.values(0, readings)[kept]
    return Count(
        lost=readings - len(kept),
        twice=int(ours.sum()) - len(kept),
        wrong=int((values[ours][first] != wanted).sum()),
        strange=int((~ours).sum()),
    )


def in_journal(folder: Path, wave: Wave, readings: int) -> Count:
    """What the journal of a stopped service holds, in entries or staged."""
    journal = Journal(folder / "data" / "journal.db")
    try:
        (number,) = journal.number_points([(PLANT, POINT)]).index
        batches, at = [], 0
        while entries := journal.read(at, _AT_ONCE):
            batches += [entry.batch for entry in entries]
            at = entries[-1].id
    finally:
        journal.close()
    with JournalInspection(folder / "data" / "journal.db") as file:
        batches += [batch for _, _, batch in file.backfill() if batch is not None]
    times, values = [np.empty(0, np.int64)], [np.empty(0)]
    for batch in batches:
        ours = batch.point == number
        times.append(batch.time[ours])
        values.append(batch.value[ours])
    return compare(wave, readings, np.concatenate(times), np.concatenate(values))


def in_influx(influx: str, wave: Wave, readings: int) -> Count:
    """What InfluxDB holds. Reading and time are its identity, so `twice` can only be a reading beside its own time."""
    times: list[int] = []
    values: list[float] = []
    for first in range(0, readings, _AT_ONCE):
        begin, end = ((wave.start_ms + i) * 1_000_000 for i in (first, min(first + _AT_ONCE, readings)))
        query = f"SELECT value FROM readings WHERE point = '{POINT}' AND time >= {begin} AND time < {end}"  # noqa: S608  our own words
        for time, value in ask(influx, query):
            times.append(time)
            values.append(value)
    found = compare(wave, readings, np.array(times, np.int64), np.array(values))
    return Count(found.lost, found.twice, found.wrong, count(influx) - len(times))


def count(influx: str) -> int:
    """How many readings of the point InfluxDB holds."""
    rows = ask(influx, f"SELECT count(value) FROM readings WHERE point = '{POINT}'")  # noqa: S608
    return int(rows[0][1]) if rows else 0


def ask(influx: str, query: str) -> list[list[Any]]:
    """The rows of one InfluxQL query."""
    answer = HTTP.get(f"{influx}/query", params={"db": "yujing", "epoch": "ns", "q": query}, timeout=60)
    series = answer.raise_for_status().json()["results"][0].get("series")
    rows: list[list[Any]] = series[0]["values"] if series else []
    return rows


def create_database(influx: str) -> None:
    """The database the service writes to."""
    HTTP.post(f"{influx}/query", params={"q": "CREATE DATABASE yujing"}).raise_for_status()


def alarm_events(folder: Path) -> list[tuple[str, str, int]]:
    """The events of rule H, in the order of the log: (event id, kind, device time in ns)."""
    with database(folder, "state") as state:
        rows = state.execute(
            "SELECT e.id, e.kind, e.time FROM alarm_event e JOIN alarm a ON a.id = e.alarm"
            " WHERE a.rule = ? AND a.point = ? ORDER BY e.seq",
            (RULE, POINT),
        )
        return [(str(UUID(number)), kind, time) for number, kind, time in rows]


@dataclass(frozen=True, slots=True)
class Webhooks:
    """What a receiver accepted of rule H."""

    events: Collection[tuple[str, str, str]]  # (webhook-id, kind, device time)
    repeated: int  # accepted again under the same id
    changed: int  # the same id with another body


def webhooks(receiver: Receiver) -> Webhooks:
    """Every accepted webhook once by id."""
    by_id: dict[str, Any] = {}
    repeated = changed = 0
    for request in list(receiver.accepted):
        if len(request.body) != int(request.headers["content-length"]):
            continue  # the sender was killed in the middle of it, and heard no answer
        data = json.loads(request.body)["data"]
        if "alarm" not in data or data["alarm"]["rule"] != RULE:  # warnings are told too
            continue
        number = request.headers["webhook-id"]
        repeated += number in by_id
        changed += by_id.setdefault(number, data) != data
    return Webhooks({(number, data["event"], data["time"]) for number, data in by_id.items()}, repeated, changed)


@contextmanager
def database(folder: Path, name: str) -> Iterator[sqlite3.Connection]:
    """One of the service's files, to read."""
    path = folder / "data" / f"{name}.db"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
        yield connection
