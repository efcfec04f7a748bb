"""The protocol every history store implements, and the trends it returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ingest.domain.alarms.slot import AlarmSlot
from ingest.domain.model.alarm import AlarmEvent
from ingest.domain.model.batch import Batch
from ingest.domain.model.phase_record import PhaseRecord
from ingest.domain.model.warning import WarningEvent
from ingest.plants.configuration import PlantConfiguration
from ingest.storage.history.bucket_edges import buckets_of


@dataclass(frozen=True, slots=True, eq=False)
class Trend:
    """A point's readings in time buckets, one row per bucket that holds any.

    Attributes:
        time: int64[b], start of the bucket, ns since the epoch, UTC.
        low, mean, high: float64[b], of the values in the bucket, of any quality; NaN where all were null.
        count: int64[b], readings in the bucket, including those without a value.
    """

    time: NDArray[np.int64]
    low: NDArray[np.float64]
    mean: NDArray[np.float64]
    high: NDArray[np.float64]
    count: NDArray[np.int64]

    @classmethod
    def of_rows(cls, rows: Sequence[tuple[int, float | None, float | None, float | None, int]]) -> Trend:
        """Return the trend of rows (time, low, mean, high, count), one for each bucket in order; None: null.

        >>> Trend.of_rows([(5, 1.0, None, 3.0, 2)]).mean.tolist()
        [nan]
        """
        time, *values, count = zip(*rows, strict=True) if rows else ((), (), (), (), ())
        low, mean, high = (np.array(column, np.float64) for column in values)
        return cls(np.array(time, np.int64), low, mean, high, np.array(count, np.int64))


@dataclass(frozen=True, slots=True)
class TrendQuery:
    """Readings of one point with start <= time < end (ns), in at most `buckets` buckets of equal width.

    The width is a whole unit of time and edges are multiples of it (`bucket_edges`), so the first and the last bucket
    may lie in part outside the span. They hold only readings within it.

    Attributes:
        plant, point: the point; a gateway and the service itself have points, too.
        start, end: ns since the epoch, UTC.
        buckets: most buckets.
        was: the point's former id; readings stored under it belong to the trend.
    """

    plant: str
    point: str
    start: int
    end: int
    buckets: int
    was: str | None = None

    @property
    def first(self) -> int:
        """The start of the first bucket, ns since the epoch; not after `start`."""
        return buckets_of(self.start, self.end, self.buckets)[0]

    @property
    def width(self) -> int:
        """The width of a bucket, in ns."""
        return buckets_of(self.start, self.end, self.buckets)[1]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids its readings are stored under."""
        return (self.point,) if self.was is None else (self.point, self.was)


@dataclass(frozen=True, slots=True)
class PhaseQuery:
    """Records of the phases of one equipment with start <= time < end (ns since the epoch)."""

    plant: str
    equipment: str
    start: int
    end: int


class HistoryStore(Protocol):
    """A store of readings and events. Blocking.

    The history writer's thread writes, worker threads query meanwhile. What a write returned from is there after a
    restart, also of the machine: the writer's cursor moves on, and the journal lets go of the entries.
    """

    def write_readings(self, batch: Batch, configuration: PlantConfiguration, first_entry: int | None) -> int:
        """Store readings. Writing the same journal entries again (from `first_entry` on) stores nothing twice.

        Returns how many of them are not stored, being older than the store's retention.

        The caller continues only from a saved cursor: until then it repeats the write from the same `first_entry`, with
        the same entries and perhaps fewer or more after them. A store that can refuse readings must also accept them in
        parts, one write per part, so that the caller can find the bad ones; a store that replaces whole writes never
        refuses.

        `first_entry` is None for retried readings: they replace those of the same series and time.

        Raises:
            HistoryUnavailable: try again later; nothing is lost.
            HistoryRejected: the store will never accept them; the message says what and why.
        """

    def write_alarm_events(self, events: Sequence[AlarmEvent]) -> int:
        """Store alarm events; idempotent by event id. Returns and raises as `write_readings`."""

    def write_warning_events(self, events: Sequence[WarningEvent]) -> int:
        """Store warning events; idempotent by event id. Returns and raises as `write_readings`."""

    def write_alarm_slots(self, slots: Sequence[AlarmSlot]) -> int:
        """Store alarm metrics of operator positions; a slot replaces that of the same position and time.

        Returns and raises as `write_readings`.
        """

    def write_phases(self, records: Sequence[PhaseRecord]) -> int:
        """Store phases of equipment; of one equipment and time the last one counts, also one written before.

        Returns and raises as `write_readings`.
        """

    def phases(self, query: PhaseQuery) -> Sequence[PhaseRecord]:
        """The records that are asked for, by time."""

    def trends(self, queries: Sequence[TrendQuery]) -> Sequence[Trend]:
        """The trend of each query, in that order, by as few requests as possible."""

    def count_readings(self) -> int:
        """The number of readings stored, without those of gateways and of the service itself."""

    def dropped_days(self) -> int:
        """Days of readings it has deleted itself since it was opened; a server's own retention is not counted."""
        return 0

    def close(self) -> None:
        """Flush, and close files and connections; may be called again."""
