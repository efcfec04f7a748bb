"""Writes the alarm metrics of each operator position into the history, ten minutes at a time.

They are computed from the stored alarms, so nothing is lost while the store is away: the cursor does not move, and the
missed slots follow. Figures that can no longer be determined are left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from ingest.base.telemetry import EmittedSeldom, Event, emit
from ingest.domain.alarms.slot import SLOT, AlarmSlot
from ingest.storage.history.errors import HistoryRejected
from ingest.storage.history.events import HistoryItemsExpired
from ingest.storage.history.feeds import AlarmFeed
from ingest.storage.history.store import HistoryStore

READER: Final = "alarm-metrics"
"""The name of its reader cursor, which is the end of the last slot, ns since the epoch."""

AFTER: Final = 30 * 10**9
"""How long after a slot its alarms are committed, unless the engine lags by more."""

OLDEST: Final = 1008 * SLOT
"""The oldest slots written after an outage: a week back."""


@dataclass(frozen=True, slots=True)
class HistoryAlarmMetricsRejected(Event, level="error"):
    """The history store refused the alarm metrics of a slot for good; they can be asked for by REST all the same."""

    end: int
    reason: str


class Slots(Protocol):
    """Alarm metrics by slot, as `ingest.storage.state.alarm_load` computes them. Blocking."""

    def slot_metrics(self, end: int, now: int) -> Sequence[AlarmSlot]:
        """Every position's ten minutes up to `end`."""


class SlotCarrier:
    """Writes one slot at most per call; to be called regularly on the history writer's thread."""

    def __init__(
        self, store: HistoryStore, cursors: AlarmFeed, slots: Slots, now: Callable[[], int] = time.time_ns
    ) -> None:
        self._store = store
        self._cursors = cursors
        self._slots = slots
        self._now = now
        self._done: int | None = None  # as last saved
        self._expired: EmittedSeldom[str] = EmittedSeldom()

    def __call__(self) -> None:
        """Write the next slot if it is over. Raises HistoryUnavailable, StateUnavailable: call again later."""
        self._expired.flush()
        now = self._now()
        newest = (now - AFTER) // SLOT * SLOT
        if self._done is None:
            self._done = self._cursors.reader_cursor(READER) or newest - SLOT
        self._done = min(self._done, newest)  # the clock may have been set back
        if self._done == newest:
            return
        end = max(self._done + SLOT, newest - OLDEST)
        try:
            expired = self._store.write_alarm_slots(self._slots.slot_metrics(end, now))
            if expired:
                self._expired.add(READER, HistoryItemsExpired("alarm metrics", expired))
        except HistoryRejected as error:
            emit(HistoryAlarmMetricsRejected(end, str(error)))
        self._cursors.save_reader_cursor(READER, end)
        self._done = end
