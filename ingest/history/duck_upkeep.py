"""When the DuckDB file's readings are rolled up, and when its oldest are dropped: by age, or for room on the disk.

It is done in small steps after writes, in the writer's thread; each rests for a multiple of what it took, so that a
large file of an earlier version, or a gateway's readings of a week ago, are rolled up beside the ordinary work.

What is dropped is never got back, and a machine's clock may be wrong. So at most a day is dropped at a time, and the
next for its age only an hour later.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import duckdb

from ingest.history.config import DuckDBConfig
from ingest.history.duck_file import DuckFile
from ingest.history.duck_rollups import (
    HOUR,
    MINUTE,
    Frontiers,
    first_hour,
    frontiers,
    oldest_stale,
    roll,
    roll_again,
    unroll,
)
from ingest.history.errors import HistoryUnavailable
from ingest.history.events import HistoryDayDropped, HistoryOverSize, HistoryRollupsDropped, HistoryUpkeepDelayed
from ingest.telemetry import emit

DAY: Final = 24 * HOUR
LAG: Final = 2 * MINUTE  # behind what was received, so that ordinary delays cost nothing
BEHIND: Final = 5 * MINUTE  # so much at once at least: that little is read quickly from the readings themselves
IDLE_S: Final = 10.0  # between looks that find nothing to do
REST: Final = 9.0  # times what a step took: a tenth of a core at most
FAILED_S: Final = 60.0
BY_AGE_S: Final = 3_600.0  # between days that are dropped for their age
BY_SIZE_S: Final = 60.0  # between looks at the room, and so between days that are dropped for it
SHARE: Final = 0.8  # of what the disk could give the file, unless a setting says how much it may have


class DuckUpkeep:
    """Rolls readings up and drops old ones, a step at a time. To be called by the thread that writes.

    Args:
        file: the file.
        config: how long it keeps what, and how large it may be.
        clock: a steady clock, in seconds.
    """

    def __init__(self, file: DuckFile, config: DuckDBConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self._file = file
        self._config = config
        self._clock = clock
        self._most = HOUR  # rolled up in one go
        self._due = self._size_due = self._age_due = clock()
        with file.transaction() as db:
            self.at = frontiers(db)
        """What the file holds."""
        self.dropped_days = 0
        """Of readings, since the file was opened."""

    def after_write(self, received: int) -> None:
        """Do what is due after a write whose newest reading was received then (ns since the epoch)."""
        began = self._clock()
        if began < self._due:
            return
        try:
            self._file.look_for_hold()
            busy = self.step(received)
        except HistoryUnavailable as error:
            emit(HistoryUpkeepDelayed(str(error)))
            self._due = began + FAILED_S
            self._most = max(MINUTE, self._most // 2 // MINUTE * MINUTE)  # it may have been more than memory holds
            return
        now = self._clock()
        self._due = now + (REST * (now - began) if busy else IDLE_S)

    def step(self, received: int) -> bool:
        """Do one thing if there is any to do, and tell whether there was."""
        return self._roll(received - LAG) or self._drop_by_age(received) or self._drop_for_room(received)

    def _roll(self, target: int) -> bool:
        at = self.at
        with self._file.transaction() as db:
            rolled_to, busy = _roll_on(db, at, target, self._most)
        self.at = Frontiers(at.readings, at.rollups, rolled_to)
        return busy

    def _drop_by_age(self, received: int) -> bool:
        """Drop a day that is older than readings, or their rollups, are kept."""
        if self._clock() < self._age_due:
            return False
        self._age_due = self._clock() + BY_AGE_S
        return self._drop_readings(received - self._config.retention_d * DAY, "age") or self._drop_rollups(
            received - self._config.rollup_retention_d * DAY
        )

    def _drop_for_room(self, received: int) -> bool:
        """Drop the oldest day while the file is larger than it may be; never the last two."""
        if self._clock() < self._size_due:
            return False
        self._size_due = self._clock() + BY_SIZE_S
        used, most = self._sizes()
        if used <= most:
            return False
        if self._drop_readings(received - DAY, "room"):
            return True
        emit(HistoryOverSize(used >> 20, most >> 20))
        return False

    def _sizes(self) -> tuple[int, int]:
        """How large the data in the file are, and may be, in bytes."""
        [(used, free)] = self._file.rows(
            "SELECT used_blocks * block_size, free_blocks * block_size FROM pragma_database_size()"
        )
        if self._config.size_gb is not None:
            return int(used), int(self._config.size_gb * (1 << 30))
        return int(used), int(SHARE * (used + free + _free(self._config.path)))

    def _drop_readings(self, before: int, cause: str) -> bool:
        """Drop the oldest day that ended before that; only what is rolled up."""
        with self._file.transaction() as db:
            oldest = first_hour(db, self.at.readings, before)
            if oldest is None:
                return False
            end = oldest // DAY * DAY + DAY
            stale = oldest_stale(db)
            if end > before or end > self.at.rolled_to or (stale is not None and stale < end):
                return False
            count = _deleted(db, "readings", end)
            db.execute("UPDATE kept SET readings = ?", [end])
        self.at = Frontiers(end, self.at.rollups, self.at.rolled_to)
        self.dropped_days += 1
        self._file.checkpoint()
        emit(HistoryDayDropped(_last_day(end), count, cause))
        return True

    def _drop_rollups(self, before: int) -> bool:
        with self._file.transaction() as db:
            [(oldest,)] = db.execute("SELECT min(time) FROM hours").fetchall()
            end = before if oldest is None else oldest // DAY * DAY + DAY
            if end > min(before, self.at.readings):
                return False
            count = _deleted(db, "minutes", end) + _deleted(db, "hours", end)
            db.execute("UPDATE kept SET rollups = ?", [end])
        self.at = Frontiers(self.at.readings, end, self.at.rolled_to)
        emit(HistoryRollupsDropped(_last_day(end), count))
        return True


def _roll_on(db: duckdb.DuckDBPyConnection, at: Frontiers, target: int, most: int) -> tuple[int, bool]:
    """Roll up `most` ns within an hour; up to when all is rolled up now, and whether there was anything to do."""
    back = max(at.readings, target // HOUR * HOUR)
    if at.rolled_to > back + HOUR:  # the clock was wrong, and everything would seem late now
        unroll(db, back)
        return back, True
    stale = oldest_stale(db)
    if stale is not None:
        roll_again(db, stale, at.rolled_to, most)
        return at.rolled_to, True
    if target - at.rolled_to < BEHIND:
        return at.rolled_to, False
    hour = at.rolled_to // HOUR * HOUR
    start = at.rolled_to
    if target >= hour + HOUR and at.rolled_to == hour:
        found = first_hour(db, hour, target // HOUR * HOUR)
        start = target // HOUR * HOUR if found is None else found
    end = min(start // HOUR * HOUR + HOUR, start + most, target // MINUTE * MINUTE)
    roll(db, start, end)
    return end, True


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
