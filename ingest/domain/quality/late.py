"""Flags late readings: those not newer than earlier ones of their point."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.domain.model.batch import Batch
from ingest.domain.model.flags import NOT_LIVE, Flag

FAR: Final = 3600 * 10**9
"""A time this much later than its arrival is wrong, ns: nothing could follow it."""

_NOBODY: Final = np.empty(0, np.int32)
_NEVER: Final = np.iinfo(np.int64).min
_FEW: Final = 1 << 16
_SMALL: Final = 512  # number of readings up to which a set finds repeated points faster than sorting


def follow(batch: Batch, newest: NDArray[np.int64]) -> bool:
    """Advance `newest` in place if all readings are in order, as in most batches; otherwise change nothing.

    Args:
        batch: readings in order of arrival.
        newest: int64[p], newest event time seen by point, ns; updated.

    Returns:
        Whether they are in order. If not, `flag_late` flags those that are not.
    """
    point, time = batch.point, batch.time
    if np.count_nonzero(batch.flags) and np.count_nonzero(batch.flags & NOT_LIVE):
        return False
    if len(batch) <= _SMALL and len(set(point.tolist())) == len(batch):
        if np.count_nonzero(time <= newest.take(point)):
            return False
        newest[point] = time
        return True
    order = _by_point(point, len(newest))
    point, time = point[order], time[order]
    first = _firsts(point)
    news = time > newest.take(point)
    news[1:] &= first[1:] | (time[1:] > time[:-1])
    if np.count_nonzero(news) < len(news):
        return False
    last = np.append(first[1:], True)
    newest[point[last]] = time[last]
    return True


def flag_late(batch: Batch, newest: NDArray[np.int64]) -> Batch:
    """Flag readings that are not newer than every earlier live one of their point, and advance `newest` in place.

    Readings marked historical by their gateway, and those flagged late already, do not advance it.

    Args:
        batch: readings in order of arrival.
        newest: int64[p], newest event time seen by point, ns; updated.
    """
    if not len(batch):
        return batch
    past = (batch.flags & NOT_LIVE) != 0
    order = _by_point(batch.point, len(newest))
    point, time = batch.point[order], batch.time[order]
    first = _firsts(point)
    # The running maximum of time along each point: ranks keep (point, time) in one number that cannot overflow.
    counted = np.where(past[order], _NEVER, time)
    times, rank = np.unique(counted, return_inverse=True)
    running = np.maximum.accumulate(point.astype(np.int64) * len(times) + rank) % len(times)
    before = newest[point]
    before[1:] = np.where(first[1:], before[1:], np.maximum(before[1:], times[running[:-1]]))
    late = np.empty(len(batch), bool)
    late[order] = time <= before
    np.maximum.at(newest, point, counted)
    return batch.with_flags(batch.flags | np.where(late, np.uint16(Flag.LATE), np.uint16(0)))


def stranded(batch: Batch, newest: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the points whose newest time is wrong because live readings show it to be far in the future.

    Args:
        batch: readings in order of arrival.
        newest: int64[p], newest event time seen by point, ns.
    """
    before = newest.take(batch.point)
    far = before > batch.received + FAR
    if not np.count_nonzero(far):
        return _NOBODY
    live = (batch.flags & NOT_LIVE) == 0
    return np.unique(batch.point[far & live & (before > batch.time + FAR)])


def _by_point(point: NDArray[np.int32], points: int) -> NDArray[np.intp]:
    """intp[n], the readings sorted by point, those of a point in order of arrival."""
    # 16 bits are sorted by counting, several times as fast.
    return np.argsort(point.astype(np.uint16) if points <= _FEW else point, kind="stable")


def _firsts(point: NDArray[np.int32]) -> NDArray[np.bool_]:
    """bool[n], the first reading of each point, of readings sorted by point."""
    first = np.empty(len(point), bool)
    first[0], first[1:] = True, point[1:] != point[:-1]
    return first
