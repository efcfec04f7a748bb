"""A toy store, as `docs/extending.md` has it: history in one SQLite file."""

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from ingest.domain.alarms.slot import AlarmSlot
from ingest.domain.model.alarm import AlarmEvent
from ingest.domain.model.batch import Batch
from ingest.domain.model.phase_record import PhaseRecord
from ingest.domain.model.plant import DEVICE_SIGNALS
from ingest.domain.model.warning import WarningEvent
from ingest.plants.configuration import PlantConfiguration
from ingest.storage.history.config import StoreConfig
from ingest.storage.history.errors import HistoryUnavailable
from ingest.storage.history.series import series_of
from ingest.storage.history.store import HistoryStore, PhaseQuery, Trend, TrendQuery

TABLE = "CREATE TABLE IF NOT EXISTS kept (kind, id, name, time, value, flags, PRIMARY KEY (kind, id, name, time))"
PUT = "INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?, ?, ?)"  # of what is written again, the last counts
PHASES = "SELECT time, flags, value FROM kept WHERE kind = ? AND id = ? AND time >= ? AND time < ? ORDER BY time"
TREND = """SELECT ? + (time - ?) / ? * ?, min(value), avg(value), max(value), count(*) FROM kept
WHERE kind = ? AND id IN (?, ?) AND time >= ? AND time < ? GROUP BY 1 ORDER BY 1"""


class SqliteConfig(StoreConfig):
    kind: Literal["sqlite"] = "sqlite"
    path: Path


class SqliteStore(HistoryStore):
    def __init__(self, config: SqliteConfig) -> None:
        self._db, self._lock = sqlite3.connect(config.path, check_same_thread=False), threading.Lock()

    def write_readings(self, batch: Batch, configuration: PlantConfiguration, first_entry: int | None) -> int:
        series = [series_of(configuration, index) for index in batch.point.tolist()]
        columns = (batch.time.tolist(), batch.value.tolist(), batch.flags.tolist())
        return self._put([(of.plant, of.point, of.signal, *row) for of, *row in zip(series, *columns, strict=True)])

    def write_alarm_events(self, events: Sequence[AlarmEvent]) -> int:
        return self._put([("(alarm)", str(event.id), event.kind, event.time, None, 0) for event in events])

    def write_warning_events(self, events: Sequence[WarningEvent]) -> int:
        return self._put([("(warning)", str(event.id), event.kind, event.time, None, 0) for event in events])

    def write_alarm_slots(self, slots: Sequence[AlarmSlot]) -> int:
        return self._put([("(slot)", slot.position, "raised", slot.end, slot.raised, 0) for slot in slots])

    def write_phases(self, records: Sequence[PhaseRecord]) -> int:
        return self._put([(f"(phase) {of.plant}", of.equipment, "", of.time, of.number, of.phase) for of in records])

    def phases(self, query: PhaseQuery) -> Sequence[PhaseRecord]:
        found = self.ask(PHASES, [(f"(phase) {query.plant}", query.equipment, query.start, query.end)])
        return [PhaseRecord(query.plant, query.equipment, *row) for row in found]

    def trends(self, queries: Sequence[TrendQuery]) -> Sequence[Trend]:
        return [self._trend(query) for query in queries]

    def count_readings(self) -> int:
        return sum(row[0][0] != "(" and row[1] not in DEVICE_SIGNALS for row in self.ask("SELECT kind, name FROM kept"))

    def close(self) -> None:
        self._db.close()

    def _trend(self, query: TrendQuery) -> Trend:
        buckets, of = (query.first, query.first, query.width, query.width), (query.plant, query.point, query.was)
        return Trend.of_rows(self.ask(TREND, [(*buckets, *of, query.start, query.end)]))

    def _put(self, rows: Sequence[tuple[Any, ...]]) -> int:
        return len(self.ask(PUT, rows))  # it keeps all of them

    def ask(self, sql: str, rows: Sequence[tuple[Any, ...]] = ((),)) -> list[tuple[Any, ...]]:
        try:
            with self._lock, self._db:  # one connection: a query would commit half of a write
                self._db.execute(TABLE)
                return [found for values in rows for found in self._db.execute(sql, values)]
        except sqlite3.Error as error:
            raise HistoryUnavailable(f"{type(error).__name__}: {error}") from error
