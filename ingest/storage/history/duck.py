"""History in one DuckDB file: needs no server, and any DuckDB tool reads it.

Repeated writes: the writer continues only from a saved cursor, so after a crash it repeats a write from the same first
entry, perhaps with fewer or more entries after it. Every write stores a mark: its number, its first entry and the time
its first reading was received. A write whose first entry and receive time have a known mark is such a repetition: it
replaces the marked write and all later ones, which follow again. Entry numbers alone do not suffice: a new journal (a
replaced disk) starts at 1 again, and treating that as a repetition would delete the history.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ingest.base.closing import closed_on_failure
from ingest.domain.alarms.slot import AlarmSlot
from ingest.domain.model.alarm import AlarmEvent
from ingest.domain.model.batch import Batch
from ingest.domain.model.phase_record import PhaseRecord
from ingest.domain.model.plant import DEVICE_SIGNALS
from ingest.domain.model.warning import WarningEvent
from ingest.plants.configuration import PlantConfiguration
from ingest.storage.history.config import DuckDBConfig
from ingest.storage.history.duck_file import DuckFile, named
from ingest.storage.history.duck_maintenance import DuckMaintenance
from ingest.storage.history.duck_marks import Mark, Marks
from ingest.storage.history.duck_rollups import mark_stale
from ingest.storage.history.duck_rows import alarm_row, phase_row, slot_row, warning_row
from ingest.storage.history.duck_trends import trends
from ingest.storage.history.series import Series, series_of
from ingest.storage.history.store import PhaseQuery, Trend, TrendQuery

_PHASES: Final = (
    "SELECT plant, equipment, time, phase, number FROM phases WHERE plant = $plant AND equipment = $equipment"
    " AND time >= $start AND time < $end ORDER BY time"
)
_ALL_SERIES: Final = "SELECT id, plant, point, signal FROM series ORDER BY id"


class DuckDBStore:
    """A HistoryStore in one file. It replaces whole writes and never refuses a reading."""

    def __init__(self, config: DuckDBConfig) -> None:
        self._marks = Marks()
        self._ids: dict[Series, int] = {}
        self._named: dict[tuple[str, str], tuple[int, ...]] = {}  # ids by plant and point, for queries
        self._configuration: PlantConfiguration | None = None
        self._by_index = np.empty(0, np.int32)  # series id by point index, for one configuration; 0 = unknown
        self._file = DuckFile(config)
        with closed_on_failure(self._file.close):
            self._upkeep = DuckMaintenance(self._file, config)
            self._register({Series(*names): number for number, *names in self._file.rows(_ALL_SERIES)})

    def write_readings(self, batch: Batch, configuration: PlantConfiguration, first_entry: int | None) -> int:
        """Store readings; see `HistoryStore` and the docstring of this module."""
        if not len(batch):
            return 0
        at = self._upkeep.at
        series, new = self._series(batch, configuration)
        alive = batch.time >= at.readings
        incoming: dict[str, NDArray[Any]] = {  # used by name in the statements below
            "series": series[alive],
            "time": batch.time[alive],
            "value": batch.value[alive],
            "quality": batch.flags[alive],
        }
        mark = None if first_entry is None else Mark(first_entry, int(batch.received[0]))
        number = 0  # before all writes, so that no repeated one replaces it
        with self._file.transaction() as db:
            if new:
                names = [list(names) for names in zip(*map(astuple, new), strict=True)]
                db.execute(
                    "INSERT INTO series SELECT unnest(?), unnest(?), unnest(?), unnest(?)", [list(new.values()), *names]
                )
            if mark is None:
                db.execute(
                    "DELETE FROM readings USING incoming i WHERE readings.series = i.series AND readings.time = i.time"
                )
            else:
                number = self._marks.set(db, mark, at.rolled_to)
            db.execute("INSERT INTO readings SELECT ?, series, time, value, quality FROM incoming", [number])
            if incoming["time"].min(initial=at.rolled_to) < at.rolled_to:
                with named(db, "late", incoming):
                    mark_stale(db, "late", "time < ?", [at.rolled_to])
        if mark is not None:
            self._marks.keep(mark, number)
        self._register(new)  # only now that they are committed
        if mark is not None:
            self._upkeep.after_write(int(batch.received.max()))
        return len(batch) - int(np.count_nonzero(alive))

    def write_alarm_events(self, events: Sequence[AlarmEvent]) -> int:
        """Store alarm events; see `HistoryStore`."""
        self._insert("INSERT OR IGNORE INTO alarms", [alarm_row(event) for event in events])
        return 0

    def write_warning_events(self, events: Sequence[WarningEvent]) -> int:
        """Store warning events; see `HistoryStore`."""
        self._insert("INSERT OR IGNORE INTO warnings", [warning_row(event) for event in events])
        return 0

    def write_alarm_slots(self, slots: Sequence[AlarmSlot]) -> int:
        """Store alarm metrics of operator positions; see `HistoryStore`."""
        self._insert("INSERT OR REPLACE INTO alarm_metrics", [slot_row(slot) for slot in slots])
        return 0

    def write_phases(self, records: Sequence[PhaseRecord]) -> int:
        """Store phases of equipment; see `HistoryStore`."""
        # DuckDB keeps the first of equal keys within one statement; here the last one counts.
        last = {(record.plant, record.equipment, record.time): phase_row(record) for record in records}
        self._insert("INSERT OR REPLACE INTO phases", [*last.values()])
        return 0

    def phases(self, query: PhaseQuery) -> Sequence[PhaseRecord]:
        """Records of the phases of one equipment; see `HistoryStore`."""
        columns = self._file.query(_PHASES, asdict(query))
        return [PhaseRecord(*row) for row in zip(*(column.tolist() for column in columns.values()), strict=True)]

    def trends(self, queries: Sequence[TrendQuery]) -> Sequence[Trend]:
        """Readings of points in time buckets, also of gateways; see `HistoryStore`."""
        if not queries:
            return ()
        with self._file.snapshot() as ask:
            return trends(ask, queries, lambda plant, point: self._named.get((plant, point), ()))

    def count_readings(self) -> int:
        """The number of readings stored, without those of gateways and of the service itself."""
        columns = self._file.query(
            "SELECT count(*) AS count FROM readings"
            " WHERE series NOT IN (SELECT id FROM series WHERE list_contains($devices, signal))",
            {"devices": sorted(DEVICE_SIGNALS)},
        )
        return int(columns["count"][0])

    def dropped_days(self) -> int:
        """Days of readings dropped for their age or for disk space since the file was opened."""
        return self._upkeep.dropped_days

    def close(self) -> None:
        """Checkpoint and close the file."""
        self._file.close()

    def _register(self, new: Mapping[Series, int]) -> None:
        self._ids |= new
        for series, number in new.items():
            name = series.plant, series.point
            self._named[name] = (*self._named.get(name, ()), number)

    def _insert(self, into: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert rows by one statement, whatever their number: each statement costs DuckDB milliseconds."""
        if rows:
            columns = [list(column) for column in zip(*rows, strict=True)]
            with self._file.transaction() as db:
                db.execute(f"{into} SELECT {', '.join(['unnest(?)'] * len(columns))}", columns)

    def _series(self, batch: Batch, configuration: PlantConfiguration) -> tuple[NDArray[np.int32], dict[Series, int]]:
        """The series id of every reading, and the ids of series that are not in the file yet."""
        if configuration is not self._configuration:
            self._configuration, self._by_index = configuration, np.zeros(0, np.int32)
        beyond = int(batch.point.max()) + 1 - len(self._by_index)
        if beyond > 0:
            self._by_index = np.concatenate([self._by_index, np.zeros(beyond, np.int32)])
        found: NDArray[np.int32] = self._by_index[batch.point]
        if found.all():
            return found, {}
        new: dict[Series, int] = {}
        numbers = self._by_index.copy()
        for index in np.unique(batch.point[found == 0]).tolist():
            series = series_of(configuration, index)
            known = self._ids.get(series)
            numbers[index] = new.setdefault(series, len(self._ids) + len(new) + 1) if known is None else known
        if not new:
            self._by_index = numbers
        return numbers[batch.point], new
