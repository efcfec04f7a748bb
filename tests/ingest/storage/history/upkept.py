"""A DuckDB file that is kept up over days which pass when a test says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from structlog.testing import capture_logs

from ingest.storage.history.bucket_edges import floor_to
from ingest.storage.history.config import DuckDBConfig
from ingest.storage.history.duck import DuckDBStore
from ingest.storage.history.duck_maintenance import DuckMaintenance
from ingest.storage.history.rollups import Resolution
from ingest.storage.history.store import Trend
from tests.ingest.storage.history.made_up import NOON, PLANT, batch, configuration, trend_of

MINUTE, HOUR = int(Resolution.MINUTE), int(Resolution.HOUR)
DAY = 24 * HOUR
MIDNIGHT = NOON // DAY * DAY


class Clock:
    """A steady clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


def opened(path: Path, clock: Clock, **settings: float) -> DuckDBStore:
    config = DuckDBConfig.model_validate({"path": path, **settings})
    store = DuckDBStore(config)
    store._upkeep = DuckMaintenance(store._file, config, clock)
    return store


def days_of_readings(store: DuckDBStore, days: int) -> None:
    """24 readings within two hours of each day, in a write of its own; 1.0 on the first day, 2.0 on the second."""
    for day in range(days):
        times = MIDNIGHT + day * DAY + np.arange(24) * 5 * MINUTE
        store.write_readings(batch([0] * 24, times.tolist(), [day + 1.0] * 24), configuration(), 1 + day)


def hold(store: DuckDBStore, clock: Clock, received: int, *, for_s: float = 0) -> list[dict[str, object]]:
    """Do all that is due now and within so many seconds; return the events logged."""
    until = clock.now + for_s
    with capture_logs() as log:
        while True:
            while store._upkeep.step(received):
                pass
            if clock.now >= until:
                break
            clock.now = min(until, clock.now + max(60, for_s / 10))
    return [dict(line) for line in log]


def by_day(store: DuckDBStore, days: int) -> Trend:
    """The trend of so many days of the plant, the first of which holds all readings of the first midnight by UTC."""
    start = floor_to(MIDNIGHT, DAY)
    return trend_of(store, PLANT, "CW-01", start, start + days * DAY, days)


def days_kept(store: DuckDBStore) -> list[int]:
    """The days that hold readings, counted from the first."""
    times = store._file.query("SELECT time FROM readings")["time"]
    return sorted(set(((times - MIDNIGHT) // DAY).tolist()))
