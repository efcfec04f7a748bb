"""Which rollups an InfluxDB has: asked now and then, for long trends only."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from ingest.storage.history.errors import HistoryError
from ingest.storage.history.influx_rollups import kept_of, newest, oldest, time_of
from ingest.storage.history.influxql import READINGS_ONLY, measurement
from ingest.storage.history.rollups import Kept, Resolution, wanted
from ingest.storage.history.store import TrendQuery

AGAIN_S: Final = 300.0
"""Asked again so long after: rollups move on by ten minutes, and somebody may set them up."""

RECENT_NS: Final = 86_400 * 10**9
"""Trends of readings of the last day need no rollups, whatever there is."""


class FoundRollups:
    """What there is, as last asked. Safe to use from any thread."""

    def __init__(
        self, ask: Callable[[str], Sequence[Sequence[Any]]], policy: str | None, now: Callable[[], int] = time.time_ns
    ) -> None:
        """Nothing is asked yet.

        Args:
            ask: the rows of an InfluxQL statement; raises HistoryError.
            policy: the retention policy of readings; None: the database's own.
            now: ns since the epoch.
        """
        self._ask = ask
        self._policy = policy
        self._now = now
        self._turn = threading.Lock()
        self._kept = READINGS_ONLY
        self._due = 0.0

    def kept_for(self, queries: Sequence[TrendQuery]) -> Kept:
        """What there is for these trends; nothing but readings as long as the server does not say."""
        recent = self._now() - RECENT_NS
        if all(wanted(query) is Resolution.READINGS and query.start > recent for query in queries):
            return READINGS_ONLY
        return self.kept()

    def kept(self) -> Kept:
        """What there is."""
        with self._turn:
            if time.monotonic() >= self._due:
                try:
                    self._kept = self._look()
                except HistoryError:  # most often: no such retention policy
                    self._kept = READINGS_ONLY
                self._due = time.monotonic() + AGAIN_S
            return self._kept

    def _look(self) -> Kept:
        now = self._now()
        last = time_of(self._ask(newest(now - RECENT_NS)) or self._ask(newest(0)))
        if last is None:
            return READINGS_ONLY
        place = measurement("readings", self._policy)
        first = time_of(self._ask(f"SELECT value FROM {place} ORDER BY time ASC LIMIT 1"))  # noqa: S608  quoted
        return kept_of(
            lambda resolution: time_of(self._ask(oldest(resolution))), last, now if first is None else first, now
        )
