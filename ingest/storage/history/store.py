"""The seam every history store fills: write what the journal holds, answer what the console and inspectors ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ingest.domain.alarms.slot import AlarmSlot
from ingest.domain.model.alarm import AlarmEvent
from ingest.domain.model.batch import Batch
from ingest.domain.model.warning import WarningEvent
from ingest.plants.configuration import PlantConfiguration
from ingest.storage.history.bucket_edges import buckets_of


@dataclass(frozen=True, slots=True, eq=False)
class Trend:
    """A point's readings, one row a time bucket that holds any.

    Attributes:
        time: int64[b], start of the bucket, ns since the epoch, UTC.
        low, mean, high: float64[b], of the values in the bucket, whatever their quality; NaN where all were null.
        count: int64[b], readings in the bucket, those without a value counted.
    """

    time: NDArray[np.int64]
    low: NDArray[np.float64]
    mean: NDArray[np.float64]
    high: NDArray[np.float64]
    count: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TrendQuery:
    """Readings of one point with start <= time < end (ns), in at most `buckets` buckets of equal width.

    The width is a whole unit of time and edges are multiples of it (`bucket_edges`), so the first and the last bucket
    may lie in part outside the span. They hold only readings within it.

    Attributes:
        plant, point: whose; a gateway and the service itself have points, too.
        start, end: ns since the epoch, UTC.
        buckets: at most so many.
        was: the point's former id; what was kept under it belongs to the trend.
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
        """Of a bucket, in ns."""
        return buckets_of(self.start, self.end, self.buckets)[1]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids it was kept under."""
        return (self.point,) if self.was is None else (self.point, self.was)


class HistoryStore(Protocol):
    """Blocking; called from the history writer's thread (writes) and from worker threads (queries)."""

    def write_readings(self, batch: Batch, configuration: PlantConfiguration, first_entry: int | None) -> int:
        """Keep readings. Writing the same journal entries again (from `first_entry` on) stores nothing twice.

        Returns how many of them the store does not keep, because they are older than all it keeps.

        The caller goes on only from a cursor it has saved: until then it repeats the write from the same
        `first_entry`, with the same entries and perhaps fewer or more after them. A store that can refuse readings
        must also take them in parts, one write a part, so that the caller can find the bad ones; a store that
        replaces whole writes never refuses.

        `first_entry` is None for readings that were refused before: they replace those of the same series and time.

        Raises:
            HistoryUnavailable: try again later; nothing is lost.
            HistoryRejected: the store will never take this; the message says what and why.
        """

    def write_alarm_events(self, events: Sequence[AlarmEvent]) -> int:
        """Keep alarm events; idempotent by event id. Returns and raises as `write_readings`."""

    def write_warning_events(self, events: Sequence[WarningEvent]) -> int:
        """Keep warning events; idempotent by event id. Returns and raises as `write_readings`."""

    def write_alarm_slots(self, slots: Sequence[AlarmSlot]) -> int:
        """Keep what alarms asked of operator positions; one of the same position and time takes the other's place.

        Returns and raises as `write_readings`.
        """

    def trends(self, queries: Sequence[TrendQuery]) -> Sequence[Trend]:
        """The trend of each query, in that order, all asked of the store at once."""

    def count_readings(self) -> int:
        """All readings stored, those of gateways and of the service themselves not counted."""

    def dropped_days(self) -> int:
        """Days of readings it has let go of by itself since it was opened; a server's own retention is not counted."""

    def close(self) -> None:
        """Flush and let go of files and connections."""
