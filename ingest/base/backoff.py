"""When what failed is tried again: soon at first, then ever more slowly, for ever. The one rule for whoever repeats."""

from __future__ import annotations

import math
from dataclasses import dataclass

MAX_WISH_S = 3600.0
"""The longest a receiver's own Retry-After is believed: a far date must not silence an alarm."""


@dataclass(frozen=True, slots=True)
class RetrySchedule:
    """Doubling delays from `first_s` up to `cap_s`; what failed for longer than `slow_after_s` is tried every `slow_s`.

    It has no end: a safety alarm is never given up. The numbers are engineering defaults.
    """

    first_s: float = 1.0
    cap_s: float = 300.0
    slow_after_s: float = math.inf
    slow_s: float = 300.0

    def delay_s(self, failures: int, age_s: float, jitter: float, wish_s: float | None = None) -> float:
        """Seconds until the next try, no sooner than the receiver's wish.

        Args:
            failures: tries that failed so far, at least 1.
            age_s: for how long it has failed.
            jitter: 0 <= jitter < 1; takes up to half the delay away, so that many senders do not come back at once.
            wish_s: the receiver's Retry-After, if it gave one.
        """
        doubled = self.first_s * 2.0 ** min(failures - 1, 60)
        whole = self.slow_s if age_s >= self.slow_after_s else min(self.cap_s, doubled)
        return max(whole * (1 - jitter / 2), min(wish_s or 0.0, MAX_WISH_S))
