"""What the service costs after years beside what it costs on its first day.

Figures of `python -m benchmarks.abuse`; the whole service as a process on a SQLite file that is filled before.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np

from benchmarks.alarm_records import Records, write_plants
from benchmarks.alarms import Asked, settings_of, timed
from benchmarks.growth_records import settle
from ingest.storage.state.config import StateConfig
from ingest.storage.state.database import Database
from tests.e2e.service import Service
from tests.servers import free_port

DAYS: Final = 400
ALARMS: Final = 220
"""Of each day: 80,000 a year."""

_OPEN: Final = 100  # alarms that ask for something, on the first day as on the last
_DAY: Final = 86_400 * 10**9
_REQUESTS: Final = 100


def metrics(_seconds: float, scale: float) -> tuple[float, dict[str, Any]]:
    """What a scrape of `/metrics` takes after 400 days by what it takes after one, in turn; of the medians."""
    with _aged(1, 1.0) as first, _aged(DAYS, scale) as last:
        scrape = Asked(lambda: "/metrics", dict)
        rounds = [
            [timed(client, scrape, 1)["p50_ms"] for client in (first, last)]
            for _ in range(max(1, round(_REQUESTS * scale)))
        ]
    day_1, day_400 = np.median(rounds, axis=0).tolist()
    return round(day_400 / day_1, 2), {"day_1_ms": round(day_1, 1), f"day_{DAYS}_ms": round(day_400, 1)}


@contextmanager
def _aged(days: int, scale: float) -> Iterator[httpx.Client]:
    """A client of a service that has the alarms of so many days on record."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        state = StateConfig(path=folder / "state.db")
        count, now = max(2 * _OPEN, round(days * ALARMS * scale)), time.time_ns()
        database = Database(state)
        Records(count, now, span=days * _DAY, open_share=_OPEN / count).write(database)
        settle(database, now)
        database.close()
        (folder / "plants").mkdir()
        write_plants(folder / "plants")
        service = Service(folder, ("127.0.0.1", free_port()), settings_of(state), plant="")
        asking = httpx.Client(base_url=service.url, headers=service.headers, trust_env=False, timeout=60)
        with service, asking as client:
            yield client


FIGURES: Final[dict[str, Callable[[float, float], tuple[float, dict[str, Any]]]]] = {
    f"metrics_ratio_day{DAYS}": metrics,
}
"""Each figure by its name in the JSON, as those of `benchmarks.neighbours`."""
