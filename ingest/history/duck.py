"""History in one DuckDB file: nothing to install, and any DuckDB tool reads it.

Writing again. The writer goes on only from a cursor it has saved, so after a crash it repeats a write from the same
first entry, perhaps with fewer or more entries after it. Every write leaves a mark: its number, its first entry and the
time the first reading was received. A write whose first entry and receive time bear a known mark is such a repetition:
it replaces the marked write and all later ones, which follow again. Entry numbers alone would not do: a new journal
(a replaced disk) starts at 1 again, and taking that for a repetition would wipe out the history. Marks of the last
1,000 writes are kept: a cursor may fall back by a few writes (a power cut), never by that many.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import astuple
from itertools import pairwise
from typing import Any, Final

import duckdb
import numpy as np
from numpy.typing import NDArray

from ingest.alarms.slot import AlarmSlot
from ingest.history.config import DuckDBConfig
from ingest.history.errors import HistoryUnavailable
from ingest.history.line_protocol import rank
from ingest.history.series import Series, series_of
from ingest.history.store import Trend, TrendQuery
from ingest.model.alarm import AlarmEvent
from ingest.model.batch import Batch
from ingest.model.plant import DEVICE_SIGNALS
from ingest.model.warning import WarningEvent
from ingest.plants.roster import Roster

_MARKS: Final = 1_000

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS series (
    id INTEGER PRIMARY KEY, plant VARCHAR NOT NULL, point VARCHAR NOT NULL, signal VARCHAR NOT NULL
);
CREATE TABLE IF NOT EXISTS marks (write BIGINT NOT NULL, first_entry BIGINT NOT NULL, received BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS readings (
    write BIGINT NOT NULL, series INTEGER NOT NULL, time BIGINT NOT NULL, value DOUBLE, quality USMALLINT NOT NULL
);
CREATE TABLE IF NOT EXISTS alarms (
    event_id UUID PRIMARY KEY, time BIGINT NOT NULL, plant VARCHAR NOT NULL, point VARCHAR NOT NULL,
    rule VARCHAR NOT NULL, level UTINYINT NOT NULL, event VARCHAR NOT NULL, id UUID NOT NULL, state VARCHAR NOT NULL,
    title VARCHAR NOT NULL, title_en VARCHAR NOT NULL, unit VARCHAR NOT NULL, "limit" DOUBLE NOT NULL, value DOUBLE
);
CREATE TABLE IF NOT EXISTS alarm_metrics (
    position VARCHAR NOT NULL, time BIGINT NOT NULL, raised INTEGER NOT NULL, level_1 INTEGER NOT NULL,
    level_2 INTEGER NOT NULL, hidden INTEGER NOT NULL, flood_s DOUBLE NOT NULL, standing_1 INTEGER, standing_2 INTEGER,
    unacknowledged INTEGER, stale INTEGER, chattering INTEGER, PRIMARY KEY (position, time)
);
CREATE TABLE IF NOT EXISTS warnings (
    event_id UUID PRIMARY KEY, time BIGINT NOT NULL, plant VARCHAR NOT NULL, event VARCHAR NOT NULL, id UUID NOT NULL,
    colour VARCHAR, rank UTINYINT NOT NULL, peak VARCHAR NOT NULL, state VARCHAR NOT NULL, step VARCHAR NOT NULL,
    asking VARCHAR, risk DOUBLE NOT NULL
);
CREATE VIEW IF NOT EXISTS readings_by_name AS
    SELECT make_timestamp_ns(time) AS time, plant, point, signal, value, quality
    FROM readings JOIN series ON series.id = readings.series;
"""


class DuckDBStore:
    """A HistoryStore in one file. It replaces whole writes and never refuses a reading.

    Writes take their turn at a lock; every query runs on a cursor of its own and sees the last committed state.
    """

    def __init__(self, config: DuckDBConfig) -> None:
        self._path = config.path
        self._turn = threading.Lock()
        self._roster: Roster | None = None
        self._by_index: dict[int, int] = {}  # roster index -> series id, for that roster
        with self._available():
            config.path.parent.mkdir(parents=True, exist_ok=True)
            # Nothing is fetched from the network, whatever a query names.
            self._db = duckdb.connect(str(config.path), config={"autoinstall_known_extensions": "false"})
            self._db.execute(_SCHEMA)
            rows = self._db.execute("SELECT id, plant, point, signal FROM series").fetchall()
        self._ids: dict[Series, int] = {Series(*names): number for number, *names in rows}

    def write_readings(self, batch: Batch, roster: Roster, first_entry: int | None) -> None:
        """Keep readings; see `HistoryStore` and the head of this module."""
        if not len(batch):
            return
        with self._turn, self._available():
            series = self._series(batch, roster)
            columns: dict[str, NDArray[Any]] = {
                "series": series,
                "time": batch.time,
                "value": batch.value,
                "quality": batch.flags,
            }
            with self._transaction() as db, self._incoming(columns):
                if first_entry is None:
                    db.execute(
                        "DELETE FROM readings USING incoming i WHERE readings.series = i.series AND"
                        " readings.time = i.time"
                    )
                    number = 0  # before all writes, so that no repeated one replaces it
                else:
                    number = self._number(db, [first_entry, int(batch.received[0])])
                db.execute("INSERT INTO readings SELECT ?, series, time, value, quality FROM incoming", [number])

    def write_alarm_events(self, events: Sequence[AlarmEvent]) -> None:
        """Keep alarm events; see `HistoryStore`."""
        rows = [_alarm_row(event) for event in events]
        if not rows:
            return
        with self._turn, self._available(), self._transaction() as db:
            db.executemany("INSERT OR IGNORE INTO alarms VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def write_warning_events(self, events: Sequence[WarningEvent]) -> None:
        """Keep warning events; see `HistoryStore`."""
        rows = [_warning_row(event) for event in events]
        if not rows:
            return
        with self._turn, self._available(), self._transaction() as db:
            db.executemany("INSERT OR IGNORE INTO warnings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def write_alarm_slots(self, slots: Sequence[AlarmSlot]) -> None:
        """Keep what alarms asked of operator positions; see `HistoryStore`."""
        rows = [_slot_row(slot) for slot in slots]
        if not rows:
            return
        with self._turn, self._available(), self._transaction() as db:
            db.executemany("INSERT OR REPLACE INTO alarm_metrics VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def trends(self, queries: Sequence[TrendQuery]) -> Sequence[Trend]:
        """Points' readings in time buckets; see `HistoryStore`. A gateway's own series answers too."""
        if not queries:
            return ()
        asked = [(number, one, kept_as) for number, one in enumerate(queries) for kept_as in one.ids]
        columns = self._query(
            """
            WITH asked AS (
                SELECT unnest($number) AS number, unnest($plant) AS plant, unnest($point) AS point,
                       unnest($start) AS start, unnest($end) AS until, unnest($width) AS width
            )
            SELECT number, start + (time - start) // width * width AS bucket,
                   min(value) AS low, avg(value) AS mean, max(value) AS high, count(*) AS count
            FROM readings
            JOIN series ON series.id = readings.series
            JOIN asked ON asked.plant = series.plant AND asked.point = series.point
            WHERE time >= start AND time < until AND time >= $first AND time < $last
            GROUP BY number, bucket ORDER BY number, bucket
            """,
            {
                "number": [number for number, _, _ in asked],
                "plant": [one.plant for _, one, _ in asked],
                "point": [kept_as for _, _, kept_as in asked],
                "start": [one.start for _, one, _ in asked],
                "end": [one.end for _, one, _ in asked],
                "width": [one.width for _, one, _ in asked],
                "first": min(one.start for one in queries),
                "last": max(one.end for one in queries),
            },
        )
        low, mean, high = (np.ma.filled(columns[name].astype(np.float64), np.nan) for name in ("low", "mean", "high"))
        time, count = (columns[name].astype(np.int64) for name in ("bucket", "count"))
        edges = np.searchsorted(columns["number"], np.arange(len(queries) + 1))
        parts = [slice(*between) for between in pairwise(edges.tolist())]
        return [Trend(time[part], low[part], mean[part], high[part], count[part]) for part in parts]

    def count_readings(self) -> int:
        """All readings stored but those of gateways and of the service itself."""
        columns = self._query(
            "SELECT count(*) AS count FROM readings"
            " WHERE series NOT IN (SELECT id FROM series WHERE list_contains($devices, signal))",
            {"devices": sorted(DEVICE_SIGNALS)},
        )
        return int(columns["count"][0])

    def close(self) -> None:
        """Checkpoint and let go of the file."""
        with self._turn, self._available():
            self._db.close()

    @staticmethod
    def _number(db: duckdb.DuckDBPyConnection, mark: Sequence[int]) -> int:
        """The number of a write with that mark; a repeated write's own, once it and all later ones are deleted."""
        repeated, last = db.execute(
            "SELECT min(write) FILTER (first_entry = ? AND received = ?), max(write) FROM marks", mark
        ).fetchall()[0]
        if repeated is not None:
            db.execute("DELETE FROM readings WHERE write >= ?", [repeated])
            db.execute("DELETE FROM marks WHERE write >= ?", [repeated])
        number = int(repeated or (last or 0) + 1)
        db.execute("INSERT INTO marks VALUES (?, ?, ?)", [number, *mark])
        db.execute("DELETE FROM marks WHERE write <= ?", [number - _MARKS])
        return number

    @contextmanager
    def _incoming(self, columns: Mapping[str, NDArray[Any]]) -> Iterator[None]:
        self._db.register("incoming", columns)
        try:
            yield
        finally:
            self._db.unregister("incoming")

    def _series(self, batch: Batch, roster: Roster) -> NDArray[np.int32]:
        """The series id of every reading."""
        if roster is not self._roster:
            self._roster, self._by_index = roster, {}
        indices, place = np.unique(batch.point, return_inverse=True)
        for index in indices.tolist():
            if index not in self._by_index:
                self._by_index[index] = self._id(series_of(roster, index))
        return np.array([self._by_index[index] for index in indices.tolist()], np.int32)[place]

    def _id(self, series: Series) -> int:
        known = self._ids.get(series)
        if known is not None:
            return known
        number = len(self._ids) + 1
        self._db.execute("INSERT INTO series VALUES (?, ?, ?, ?)", [number, *astuple(series)])
        self._ids[series] = number  # only now that it is committed
        return number

    def _query(self, sql: str, values: Mapping[str, object]) -> dict[str, NDArray[Any]]:
        with self._available(), self._db.cursor() as cursor:
            columns: dict[str, NDArray[Any]] = cursor.execute(sql, values).fetchnumpy()
            return columns

    @contextmanager
    def _transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        self._db.execute("BEGIN")
        try:
            yield self._db
            self._db.execute("COMMIT")
        except BaseException:
            with suppress(duckdb.Error):  # a COMMIT that failed has rolled back already
                self._db.execute("ROLLBACK")
            raise

    @contextmanager
    def _available(self) -> Iterator[None]:
        """A full disk, a locked or broken file: none of it is the readings' fault."""
        try:
            yield
        except (duckdb.Error, OSError) as error:
            raise HistoryUnavailable(f"{self._path}: {error}") from error


_SLOT: Final = (
    "raised", "level_1", "level_2", "hidden", "flood_s", "standing_1", "standing_2", "unacknowledged", "stale",
    "chattering",
)  # fmt: skip


def _slot_row(slot: AlarmSlot) -> tuple[Any, ...]:
    numbers = slot.numbers()
    return (slot.position, slot.end, *(numbers.get(name) for name in _SLOT))


def _warning_row(event: WarningEvent) -> tuple[Any, ...]:
    one = event.warning
    return (
        event.id,
        event.time,
        one.plant,
        str(event.kind),
        one.id,
        str(one.colour) if one.colour else None,
        rank(one.colour),
        str(one.peak),
        str(one.state),
        str(one.step),
        str(one.asking) if one.asking else None,
        one.risk,
    )


def _alarm_row(event: AlarmEvent) -> tuple[Any, ...]:
    alarm = event.alarm
    return (
        event.id,
        event.time,
        alarm.plant,
        alarm.point,
        alarm.rule,
        alarm.level,
        str(event.kind),
        alarm.id,
        str(alarm.state),
        alarm.title.zh,
        alarm.title.en,
        alarm.unit,
        alarm.limit,
        alarm.value,
    )
