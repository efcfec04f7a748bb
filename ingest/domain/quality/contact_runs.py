"""What a status contact showed, and when: runs of one level, from the readings that arrived (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from ingest.domain.model.batch import Batch
from ingest.domain.model.flags import unusable

T = TypeVar("T", int, NDArray[np.int64])

UNKNOWN: Final = 2
"""The level of a contact that cannot be read; else it is 0 or 1."""

KEPT: Final = 32
"""Runs remembered of a contact."""


class Run(NamedTuple):
    """Readings of one level that followed each other closely: event times of the first and the last, ns."""

    first: int
    last: int
    level: int


Runs = tuple[Run, ...]


def levels(batch: Batch, rows: NDArray[np.intp]) -> NDArray[np.int8]:
    """Return the level that each of these rows of a contact shows (int8[n])."""
    value = batch.value[rows]
    readable = ~unusable(batch.flags[rows]) & ((value == 0) | (value == 1))
    return np.where(readable, value == 1, UNKNOWN).astype(np.int8)


def longest_gap(silence: T) -> T:
    """Return how far apart the readings of one run may be, ns; a longer gap is as if one between them is missing.

    A contact is silent once three of its readings are missing: `silence` is three of its periods.
    """
    return silence // 2


def extended(runs: Runs, time: int, level: int, silence: int) -> Runs:
    """Return the runs with the reading that arrived next."""
    newest = runs[-1] if runs else None
    if newest is not None and newest.level == level and 0 < time - newest.last <= longest_gap(silence):
        return (*runs[:-1], newest._replace(last=time))
    return (*runs, Run(time, time, level))[-KEPT:]


def level_at(tracks: Sequence[Runs], time: int, silence: int) -> int:
    """Return the level at a time by the newest reading until then, the last to arrive of those of one time.

    Args:
        tracks: runs of the contact, those that count more come later.
        time: event time, ns.
        silence: for how long a reading counts, ns.
    """
    heard, level = None, UNKNOWN
    for run in (run for runs in tracks for run in runs if run.first <= time):
        until = min(time, run.last)
        if heard is None or until >= heard:
            heard, level = until, run.level
    return level if heard is not None and time - heard <= silence else UNKNOWN
