"""What a plant's file says of its daily duties: which areas are cleaned of dust how often, by when it pledges."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from ingest.domain.model.text import Text

LONG_OVERDUE: Final = 3
"""So many times its period without cleaning is a hazard (72 h of 24 h). Engineering default, as of `DUST_CLEAN_AGE`."""

LONGEST_AGE_H: Final = 8784.0
"""Range of a point that records drive: a year; what was cleaned longer ago is shown as a year."""

_DAY_H: Final = 24.0


@dataclass(frozen=True, slots=True)
class CleaningArea:
    """An area that is cleaned of dust by plan.

    Attributes:
        every_h: at the latest so many hours after it was cleaned; 0: by shifts.
        every_shifts: by the end of the so manieth shift after the one in which it was cleaned; 0: by hours.
        shifts: when shifts begin, times of the plant's day in order; none: by hours.
        method: by which it is cleaned; it must not raise dust.
        who: answers for it.
        equipment: what stands there; None: nothing that is watched.
        point: its point in the configuration: one that a gateway sends, or the service's own by the area's id.
        measured: whether a gateway sends that point, so that no record drives it.
    """

    id: str
    name: Text
    method: str
    who: str
    point: str
    every_h: float = 0.0
    every_shifts: int = 0
    shifts: tuple[dt.time, ...] = ()
    equipment: str | None = None
    measured: bool = False

    @property
    def longest_h(self) -> float:
        """How long it may at most go without cleaning, in h: of shifts, from the beginning of the first to the end."""
        if not self.every_shifts:
            return self.every_h
        begin = [time.hour + time.minute / 60 for time in self.shifts]
        lengths = [
            (after - before) % _DAY_H or _DAY_H for before, after in zip(begin, [*begin[1:], begin[0]], strict=True)
        ]
        whole, rest = divmod(self.every_shifts + 1, len(lengths))
        runs = ([*lengths, *lengths][at : at + rest] for at in range(len(lengths)))
        return whole * _DAY_H + max(map(sum, runs))


@dataclass(frozen=True, slots=True)
class PledgeDuty:
    """The duty to give a pledge each day: by which time of the plant's day, and since which day."""

    by: dt.time
    since: dt.date
