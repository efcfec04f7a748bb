"""History in InfluxDB 1.x: writes by POST /write, and recomputes rollups after late readings."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ingest.base.telemetry import Event, emit
from ingest.domain.model.batch import Batch
from ingest.plants.configuration import PlantConfiguration
from ingest.storage.history.config import InfluxV1Config
from ingest.storage.history.errors import HistoryError, HistoryUnavailable
from ingest.storage.history.influx import InfluxStore, http_client
from ingest.storage.history.influx_rollups import hour_statements, late_hours
from ingest.storage.history.influxql import READINGS_ONLY, quoted
from ingest.storage.history.line_protocol import Precision
from ingest.storage.history.rollups import Resolution

ROLLING_S: Final = 1.0  # spent on rollups after one write, or a little more: pending writes go first
PAUSE_S: Final = 60.0  # after rollups that could not be computed
LONGEST_S: Final = 60.0  # of an hour's rollups


@dataclass(frozen=True, slots=True)
class HistoryRollupFailed(Event, level="warning"):
    """The rollups of an hour, in which readings came late, could not be made over again; it is tried again."""

    hour: int
    waiting: int
    reason: str


class InfluxV1Store(InfluxStore):
    """The InfluxDB 1.x store.

    Its continuous queries compute rollups of the last half hour. After later readings the rollups of their hours are
    recomputed once writes have moved on to other hours; and first the hour before them, in which a server may have
    stopped.
    """

    def __init__(self, config: InfluxV1Config) -> None:
        super().__init__(http_client(config, **config.credentials()), config.database, config.retention_policy)
        self._path, self._place = config.write_path
        self._packs = config.packs
        self._late: dict[int, None] = {}  # hours whose rollups are to be recomputed, in order
        self._any_late = False
        self._rolling_due = 0.0

    def create_database(self) -> None:
        """Create the database if it does not exist; for operators, the service itself never does."""
        self._request("POST", "/query", {"q": f"CREATE DATABASE {quoted(self._database)}"})

    def write_readings(self, batch: Batch, configuration: PlantConfiguration, first_entry: int | None) -> int:
        """Store readings; see `HistoryStore`."""
        expired = super().write_readings(batch, configuration, first_entry)
        late = late_hours(batch.time, time.time_ns())
        if late or self._late:
            self._roll(late)
        return expired

    def roll_hour(self, hour: int) -> None:
        """Recompute the rollups of the hour that begins then (ns since the epoch). Raises HistoryUnavailable."""
        for statement in hour_statements(self._database, self._own_policy(), hour):
            self._series(statement, timeout=LONGEST_S)

    def _roll(self, late: Iterable[int]) -> None:
        """Note the hours to be recomputed, and recompute those that nothing was written to in this call."""
        if self._rollups.current() is READINGS_ONLY:
            self._late.clear()
            return
        written = set(late)
        if written and not self._any_late:
            self._any_late = True
            self._late[min(written) - Resolution.HOUR] = None
        self._late.update(dict.fromkeys(sorted(written)))
        began = time.monotonic()
        for hour in [hour for hour in self._late if hour not in written]:
            if not self._rolling_due <= time.monotonic() < began + ROLLING_S:
                return
            try:
                self.roll_hour(hour)
            except HistoryError as error:
                self._rolling_due = time.monotonic() + PAUSE_S
                self._late[hour] = self._late.pop(hour)  # behind the others
                emit(HistoryRollupFailed(hour, len(self._late), str(error)))
                return
            del self._late[hour]

    def _own_policy(self) -> str:
        """The retention policy that readings are written to. Raises HistoryUnavailable."""
        if self._policy is None:
            rows = self._rows(f"SHOW RETENTION POLICIES ON {quoted(self._database)}")[0]
            self._policy = next((str(row[0]) for row in rows if row[-1]), None)
            if self._policy is None:
                raise HistoryUnavailable(f"{self._database} has no retention policy of its own")
        return self._policy

    def _send(self, lines: bytes, precision: Precision) -> None:
        params = self._place | {"precision": precision}
        if self._packs:
            packed = gzip.compress(lines, compresslevel=1)
            self._request("POST", self._path, params, content=packed, headers={"Content-Encoding": "gzip"})
        else:
            self._request("POST", self._path, params, content=lines)
