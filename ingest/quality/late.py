"""Quality that depends on what came before: readings that arrive out of order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ingest.model.batch import Batch
from ingest.model.flags import Flag


def flag_late(batch: Batch, newest: NDArray[np.int64]) -> Batch:
    """Flag readings that are not newer than every earlier one of their point, and advance `newest` in place.

    Args:
        batch: readings in order of arrival.
        newest: int64[p], newest event time seen by point, ns; updated.
    """
    order = np.argsort(batch.point, kind="stable")
    point, time = batch.point[order], batch.time[order]
    # The running maximum of time along each point: ranks keep (point, time) in one number that cannot overflow.
    times, rank = np.unique(time, return_inverse=True)
    running = np.maximum.accumulate(point.astype(np.int64) * len(times) + rank) % max(len(times), 1)
    first = np.diff(point, prepend=-1) != 0
    before = newest[point]
    before[1:] = np.where(first[1:], before[1:], np.maximum(before[1:], times[running[:-1]]))
    late = np.empty(len(batch), bool)
    late[order] = time <= before
    np.maximum.at(newest, batch.point, batch.time)
    return batch.with_flags(batch.flags | np.where(late, np.uint16(Flag.LATE), np.uint16(0)))
