"""The phase of an equipment over time: what is recorded of it, and how that is read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

HEARTBEAT: Final = 600 * 10**9
"""A phase that lasts is recorded again at multiples of this, ns since the epoch."""

HOLDS: Final = 2 * HEARTBEAT
"""The longest a record counts without another one, ns; after that nobody knows."""


@dataclass(frozen=True, slots=True)
class PhaseRecord:
    """The phase that an equipment is in from a moment on, until its next record.

    Attributes:
        time: ns since the epoch, UTC: device time of the reading that decides; or when its points had been silent for
            too long.
        phase: its code; that of `UNKNOWN_PHASE` where nothing tells it.
        number: its place among the phases of the equipment, from 1; 0: unknown.
    """

    plant: str
    equipment: str
    time: int
    phase: str
    number: int


@dataclass(frozen=True, slots=True)
class PhaseSpan:
    """A time, from `start` to `end` (ns, not included), that an equipment was in a phase."""

    start: int
    end: int
    phase: str


def spans(records: Sequence[PhaseRecord], start: int, end: int) -> list[PhaseSpan]:
    """Return the phases from `start` to `end` (ns), in order; nothing where no record says one.

    `records`: of one equipment, by time, from `HOLDS` before `start` on.
    """
    edges = [record.time for record in records] + [end]
    found: list[PhaseSpan] = []
    for record, (begin, following) in zip(records, pairwise(edges), strict=True):
        first, last = max(begin, start), min(following, begin + HOLDS, end)
        if first >= last:
            continue
        if found and found[-1].end == first and found[-1].phase == record.phase:
            first = found.pop().start
        found.append(PhaseSpan(first, last, record.phase))
    return found
