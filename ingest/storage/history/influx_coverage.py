"""Determines which rollups an InfluxDB has, now and then and for long trends only."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from ingest.storage.history.errors import HistoryError
from ingest.storage.history.influx_rollups import coverage_of, newest, oldest, time_of
from ingest.storage.history.influxql import READINGS_ONLY, measurement
from ingest.storage.history.rollups import Kept, Resolution, wanted
from ingest.storage.history.store import TrendQuery

REFRESH_S: Final = 300.0
"""Seconds between queries: rollups progress by ten minutes, and somebody may set them up."""

RECENT_NS: Final = 86_400 * 10**9
"""Trends of readings of the last day need no rollups, even if there are any."""


class RollupCoverage:
    """The coverage of an InfluxDB by readings and rollups, cached. Safe to use from any thread."""

    def __init__(
        self, rows: Callable[[str], Sequence[Sequence[Any]]], policy: str | None, now: Callable[[], int] = time.time_ns
    ) -> None:
        """Nothing is queried yet.

        Args:
            rows: runs an InfluxQL statement; raises HistoryError.
            policy: the retention policy of readings; None: the database's own.
            now: ns since the epoch.
        """
        self._rows = rows
        self._policy = policy
        self._now = now
        self._lock = threading.Lock()
        self._coverage = READINGS_ONLY
        self._due = 0.0

    def coverage_for(self, queries: Sequence[TrendQuery]) -> Kept:
        """The coverage for these trends; readings alone while the server does not answer."""
        recent = self._now() - RECENT_NS
        if all(wanted(query) is Resolution.READINGS and query.start > recent for query in queries):
            return READINGS_ONLY
        return self.current()

    def current(self) -> Kept:
        """The present coverage."""
        with self._lock:
            if time.monotonic() >= self._due:
                try:
                    self._coverage = self._query()
                except HistoryError:  # most often: no such retention policy
                    self._coverage = READINGS_ONLY
                self._due = time.monotonic() + REFRESH_S
            return self._coverage

    def _query(self) -> Kept:
        now = self._now()
        last = time_of(self._rows(newest(now - RECENT_NS)) or self._rows(newest(0)))
        if last is None:
            return READINGS_ONLY
        place = measurement("readings", self._policy)
        first = time_of(self._rows(f"SELECT value FROM {place} ORDER BY time ASC LIMIT 1"))  # noqa: S608  quoted
        return coverage_of(
            lambda resolution: time_of(self._rows(oldest(resolution))), last, now if first is None else first, now
        )
