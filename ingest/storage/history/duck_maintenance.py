"""Schedules the rollup of readings in the DuckDB file, and the deletion of its oldest data by age or disk space.

It works in small steps after writes, in the writer's thread, and rests for a multiple of their time, so that a large
file of an earlier version is rolled up beside the ordinary work. Deletion is final, and a machine's clock may be wrong:
so one day at a time, and the next for its age an hour later. A full disk stops intake, so deletion comes first and
waits only until the day itself is rolled up.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import duckdb

from ingest.base.telemetry import emit
from ingest.storage.history.bucket_edges import DAY, HOUR, MINUTE, floor_to
from ingest.storage.history.config import DuckDBConfig
from ingest.storage.history.duck_file import DuckFile
from ingest.storage.history.duck_rollups import (
    ROLLUPS,
    TABLES,
    Frontiers,
    first_hour,
    frontiers,
    oldest_stale,
    recompute_stale,
    roll,
    roll_days,
    unroll,
)
from ingest.storage.history.errors import HistoryUnavailable
from ingest.storage.history.events import (
    HistoryDayDropped,
    HistoryOverSize,
    HistoryRollupsDropped,
    HistoryUpkeepDelayed,
)
from ingest.storage.history.rollups import Resolution

LAG: Final = 2 * MINUTE  # of rollups behind received readings, so that ordinary delays cost nothing
BEHIND: Final = 5 * MINUTE  # rolled up at once at least: so little is read quickly from the readings themselves
DAYS_AT_ONCE: Final = 7 * DAY  # rolled up from hours: 2,000 points have a third of a million in a week
IDLE_S: Final = 10.0  # between checks that find nothing to do
STEPS_S: Final = 0.2  # spent on steps after a write
REST: Final = 9.0  # times the duration of the steps: at most a tenth of a core
FAILED_S: Final = 60.0
CHECK_S: Final = 60.0  # between checks of age and space, and so between days dropped for space
BY_AGE_S: Final = 3_600.0  # between days dropped for their age
SHARE: Final = 0.8  # of the space the disk could give the file, unless a setting limits it


class DuckMaintenance:
    """Rolls up readings and deletes old ones, step by step; to be called by the writing thread.

    Args:
        file: the file.
        config: retention and size limit.
        clock: a steady clock, in seconds.
    """

    def __init__(self, file: DuckFile, config: DuckDBConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self._file = file
        self._config = config
        self._clock = clock
        self._most = HOUR  # rolled up in one go
        self._due = self._check_due = self._age_due = clock()
        with file.transaction() as db:
            self.at = frontiers(db)
        """What the file holds."""
        self.dropped_days = 0
        """Of readings, since the file was opened."""

    def after_write(self, received: int) -> None:
        """Do the due work after a write whose newest reading was received then (ns since the epoch)."""
        began = self._clock()
        if began < self._due:
            return
        try:
            self._file.check_for_copy()
            busy = self.step(received)
            while busy and self._clock() < began + STEPS_S:
                busy = self.step(received)
        except HistoryUnavailable as error:
            emit(HistoryUpkeepDelayed(str(error)))
            self._due = began + FAILED_S
            self._most = max(MINUTE, self._most // 2 // MINUTE * MINUTE)  # it may have been more than memory holds
            return
        now = self._clock()
        self._due = now + (REST * (now - began) if busy else IDLE_S)

    def step(self, received: int) -> bool:
        """Do one step of work, if there is any; returns whether there was."""
        return self._drop(received) or self._roll(received - LAG)

    def _roll(self, target: int) -> bool:
        with self._file.transaction() as db:
            now = _roll_on(db, self.at, target, self._most)
        if now is not None:
            self.at = now
        return now is not None

    def _drop(self, received: int) -> bool:
        """Delete the oldest day if it is too old or its space is needed; never the last two."""
        if self._clock() < self._check_due:
            return False
        end = self._oldest_day(received - DAY)
        if end is not None and not self._rolled_up(end):
            return False  # checked again as soon as it is
        cause = self._cause(end, received)
        if end is not None and cause is not None:
            self._drop_readings(end, cause)
            dropped = True
        else:
            dropped = self._clock() >= self._age_due and self._drop_rollups(
                received - self._config.rollup_retention_d * DAY
            )
        self._check_due = self._clock() + CHECK_S
        if dropped and cause != "room":
            self._age_due = self._clock() + BY_AGE_S
        return dropped

    def _oldest_day(self, before: int) -> int | None:
        """The end of the oldest day that holds readings, if that is before `before`."""
        with self._file.transaction() as db:
            oldest = first_hour(db, self.at.readings, before)
        end = None if oldest is None else oldest // DAY * DAY + DAY
        return None if end is None or end > before else end

    def _rolled_up(self, end: int) -> bool:
        with self._file.transaction() as db:
            stale = oldest_stale(db)
        return end <= self.at.rolled_to and (stale is None or stale >= end)

    def _cause(self, end: int | None, received: int) -> str | None:
        """Why the oldest day is to be deleted, None if it is not; reports a file too large without such a day."""
        old = received - self._config.retention_d * DAY
        if end is not None and end <= old and self._clock() >= self._age_due:
            return "age"
        used, most = self._sizes()
        # Just deleted data free their space with a checkpoint, unless somebody reads or copies the file.
        if used <= most or not self._file.checkpoint():
            return None
        used, most = self._sizes()
        if used <= most:
            return None
        if end is None:
            emit(HistoryOverSize(used >> 20, most >> 20))
            return None
        return "room"

    def _sizes(self) -> tuple[int, int]:
        """The size of the data in the file, and its limit, in bytes."""
        [(used, free)] = self._file.rows(
            "SELECT used_blocks * block_size, free_blocks * block_size FROM pragma_database_size()"
        )
        if self._config.size_gb is not None:
            return int(used), int(self._config.size_gb * (1 << 30))
        return int(used), int(SHARE * (used + free + _free(self._config.path)))

    def _drop_readings(self, end: int, cause: str) -> None:
        """Delete the readings before the end of that day."""
        with self._file.transaction() as db:
            count = _deleted(db, "readings", end)
            db.execute("UPDATE kept SET readings = ?", [end])
        self.at = replace(self.at, readings=end)
        self.dropped_days += 1
        emit(HistoryDayDropped(_last_day(end), count, cause))
        self._file.checkpoint()

    def _drop_rollups(self, before: int) -> bool:
        with self._file.transaction() as db:
            [(oldest,)] = db.execute("SELECT min(time) FROM hours").fetchall()
            end = before if oldest is None else oldest // DAY * DAY + DAY
            if end > min(before, self.at.readings):
                return False
            count = sum(_deleted(db, TABLES[resolution], end) for resolution in ROLLUPS)
            _deleted(db, "phases", end)
            db.execute("UPDATE kept SET rollups = ?", [end])
        self.at = replace(self.at, rollups=end)
        emit(HistoryRollupsDropped(_last_day(end), count))
        return True


def _roll_on(db: duckdb.DuckDBPyConnection, at: Frontiers, target: int, most: int) -> Frontiers | None:
    """Roll up at most `most` ns within an hour, or some days; returns the frontiers then, None if nothing was to do."""
    back = max(at.readings, target // HOUR * HOUR)
    if at.rolled_to > back + HOUR:  # the clock was wrong, and everything would seem late now
        return unroll(db, at, back)
    stale = oldest_stale(db)
    if stale is not None:
        recompute_stale(db, stale, at, most)
        return at
    days = floor_to(at.rolled_to, DAY)
    if at.days_to < days:
        found = first_hour(db, at.days_to, days, TABLES[Resolution.HOUR])
        start = days if found is None else floor_to(found, DAY)
        end = min(start + DAYS_AT_ONCE, days)
        roll_days(db, start, end)
        return replace(at, days_to=end)
    if target - at.rolled_to < BEHIND:
        return None
    hour = at.rolled_to // HOUR * HOUR
    start = at.rolled_to
    if target >= hour + HOUR and at.rolled_to == hour:
        found = first_hour(db, hour, target // HOUR * HOUR)
        start = target // HOUR * HOUR if found is None else found
    end = min(start // HOUR * HOUR + HOUR, start + most, target // MINUTE * MINUTE)
    roll(db, start, end)
    return replace(at, rolled_to=end)


def _deleted(db: duckdb.DuckDBPyConnection, table: str, before: int) -> int:
    [(count,)] = db.execute(f"DELETE FROM {table} WHERE time < ?", [before]).fetchall()  # noqa: S608
    return int(count)


def _free(path: Path) -> int:
    try:
        return shutil.disk_usage(path.parent).free
    except OSError as error:
        raise HistoryUnavailable(f"{path}: {error}") from error


def _last_day(end: int) -> str:
    return datetime.fromtimestamp((end - DAY) // 10**9, UTC).date().isoformat()
