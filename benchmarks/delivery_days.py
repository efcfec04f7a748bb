"""A county's alarms of many days in a state database, with their messages, and what `/metrics` costs on it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
import sqlalchemy as sa

from benchmarks.alarm_records import Records, events, write_plants
from benchmarks.growth import sizes
from ingest.domain.alarms.report import alarm_body
from ingest.storage.history.writer import READER
from ingest.storage.state.alarm_store import AlarmStore
from ingest.storage.state.database import Database
from ingest.storage.state.engine_store import EngineStore
from ingest.storage.state.tables import outbox
from tests.e2e.service import Service
from tests.ingest.delivery.outbox import PLANT, RULE
from tests.servers import free_port

ALARMS_PER_YEAR: Final = 80_000
RECEIVERS: Final = ("county", "town")
DEAD: Final = "dead"
"""A receiver of alarms of level 2 that never answered."""

_DEAD_WAITS: Final = f'yujing_outbox_messages_waiting{{connector="{DEAD}"}}'
_DAY: Final = 86_400 * 10**9
_BODY_DAYS: Final = 7  # as `connectors.body_retention_d` has it
_PACK: Final = 2_000
_OPEN: Final = 100  # alarms that still ask for something, on either day
_SETTLE_S: Final = 5.0  # after the start
_EARLY: Final = 2  # the day that later ones are compared with
_AT_A_TIME: Final = 5_000


def days(count: int, requests: int) -> dict[str, Any]:
    """Sizes after so many days, and how much longer `/metrics` takes than on the second one.

    Of the scrapes the tenth percentile counts: what others do on the machine makes one take ten times as long.
    """
    early, late = (_measure(number, requests) for number in (_EARLY, count))
    return {
        f"state_mb_day_{count}": late["mb"],
        f"outbox_mb_day_{count}": late["outbox_mb"],
        f"state_mb_day_{_EARLY}": early["mb"],
        f"metrics_ms_day_{_EARLY}": round(early["metrics_ms"], 1),
        f"metrics_ms_day_{count}": round(late["metrics_ms"], 1),
        "metrics_ratio": round(late["metrics_ms"] / early["metrics_ms"], 2),
        f"waiting_day_{count}": late["waiting"],
    }


def _measure(number: int, requests: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "data").mkdir()
        database = Database(folder / "data" / "state.db")
        waiting = _fill(database, number)
        found = sizes(database)
        database.close()
        (folder / "plants").mkdir()
        write_plants(folder / "plants")
        (folder / "secret").write_text("whsec_" + "YSBzZWNyZXQgb2YgdGhpcyBiZW5jaG1hcms=")
        service = Service(folder, ("127.0.0.1", free_port()), _webhooks(), plant="", fresh=True)
        with (
            service,
            httpx.Client(base_url=service.url, headers=service.headers, trust_env=False, timeout=60) as client,
        ):
            time.sleep(_SETTLE_S)
            took = [_scrape_ms(client) for _ in range(requests)]
    outbox_mb, metrics_ms = found.get("outbox", 0.0), float(np.percentile(took, 10))
    return {
        "mb": found["all"],
        "outbox_mb": outbox_mb,
        "metrics_ms": metrics_ms,
        "waiting": waiting,
    }


def _scrape_ms(client: httpx.Client) -> float:
    began = time.perf_counter()
    client.get("/metrics").raise_for_status()
    return (time.perf_counter() - began) * 1e3


def _webhooks() -> str:
    """Settings of the receivers; none of them answers, but only one has something to wait for."""
    return "".join(
        f'[[connectors.webhooks]]\nname = "{name}"\nurl = "http://127.0.0.1:{free_port()}/"\n'
        f'secret = {{ file = "secret" }}\n{"levels = [2]" if name == DEAD else ""}\n'
        for name in (*RECEIVERS, DEAD)
    )


def _fill(database: Database, number: int) -> int:
    """Write so many days of alarms and messages, as a service has them that delivered, trimmed and packed.

    Returns the number of messages that wait.
    """
    now = time.time_ns()
    count = ALARMS_PER_YEAR * number // 365
    records = Records(count, now, span=number * _DAY, open_share=_OPEN / count)
    records.write(database)
    waiting = 0
    messages = _messages(records, now)
    while rows := list(islice(messages, _AT_A_TIME)):
        waiting += sum(row["delivered"] is None for row in rows)
        with database.write() as connection:
            connection.execute(sa.insert(outbox), rows)
    while EngineStore(database).pack(_PACK):
        pass
    book = AlarmStore(database)
    book.save_reader_cursor(READER, book.last_event())
    return waiting


def _messages(records: Records, now: int) -> Iterator[dict[str, Any]]:
    for record in records.alarms:
        for event in events(record):
            kept = now - event.time < _BODY_DAYS * _DAY
            body = alarm_body(event, PLANT, RULE) if kept or record.level > 1 else {}
            for connector in (*RECEIVERS, *((DEAD,) if record.level > 1 else ())):
                waits = connector == DEAD
                yield {
                    "connector": connector,
                    "id": event.id,
                    "kind": "alarm",
                    "plant": record.plant,
                    "body": body if kept or waits else {},
                    "received": event.time,
                    "created": event.time,
                    "attempts": 0 if waits else 1,
                    "first_attempt": None if waits else event.time,
                    "delivered": None if waits else event.time,
                    "subject": str(record.id),
                    "emptied": not (kept or waits),
                }
