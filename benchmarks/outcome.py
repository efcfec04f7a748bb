"""What a control room asks of a detector, whatever it is measured on: events found, false alarms a day, delay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """Counts that add up over recordings.

    Attributes:
        events: labelled stretches.
        found: how many of them were alarmed during the stretch.
        false_alarms: alarms that begin outside every labelled stretch.
        days: how long was watched in all.
        delays_s: from the start of each found event to its first alarm.
    """

    events: int = 0
    found: int = 0
    false_alarms: int = 0
    days: float = 0.0
    delays_s: tuple[float, ...] = ()

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(
            self.events + other.events,
            self.found + other.found,
            self.false_alarms + other.false_alarms,
            self.days + other.days,
            (*self.delays_s, *other.delays_s),
        )

    def figures(self) -> dict[str, float | None]:
        """As reported; None where there is nothing to divide by."""
        return {
            "event_recall": round(self.found / self.events, 4) if self.events else None,
            "false_alarms_per_day": round(self.false_alarms / self.days, 3) if self.days else None,
            "median_delay_s": round(float(np.median(self.delays_s)), 1) if self.delays_s else None,
        }


def begun(active: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """bool[n], where what is active (bool[n]) has just begun; before the first row it was not."""
    return np.asarray(np.diff(active, prepend=False) & active)


def outcome(
    time_s: NDArray[np.float64],
    truth: NDArray[np.bool_],
    alarm: NDArray[np.bool_],
    raised: NDArray[np.bool_] | None = None,
) -> Outcome:
    """Compare alarms with the truth, event by event; nothing is adjusted after the fact.

    Args:
        time_s: float64[n], increasing.
        truth: bool[n], inside a labelled stretch.
        alarm: bool[n], whether the alarm is active.
        raised: bool[n], where alarms begin; needed where one may stand before the first row.
    """
    begins = np.flatnonzero(begun(truth))
    ends = np.flatnonzero(np.diff(truth, append=False) & truth) + 1
    hits = [begin + np.flatnonzero(alarm[begin:end]) for begin, end in zip(begins, ends, strict=True)]
    delays = tuple(float(time_s[hit[0]] - time_s[begin]) for hit, begin in zip(hits, begins, strict=True) if len(hit))
    rises = begun(alarm) if raised is None else raised
    return Outcome(
        events=len(begins),
        found=len(delays),
        false_alarms=int((rises & ~truth).sum()),
        days=float(time_s[-1] - time_s[0]) / DAY_S if len(time_s) else 0.0,
        delays_s=delays,
    )
