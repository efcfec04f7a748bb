"""Retries with exponential back-off and jitter, without end: one schedule for everything that retries."""

from __future__ import annotations

import math
from dataclasses import dataclass

MAX_RETRY_AFTER_S = 3600.0
"""The longest Retry-After of a receiver that is respected: a far date must not silence an alarm."""


@dataclass(frozen=True, slots=True)
class RetrySchedule:
    """Doubles delays from `first_s` up to `cap_s`; after failing for `slow_after_s`, retries every `slow_s`.

    It has no end: a safety alarm is never given up. The numbers are engineering defaults.
    """

    first_s: float = 1.0
    cap_s: float = 300.0
    slow_after_s: float = math.inf
    slow_s: float = 300.0

    def delay_s(self, failures: int, age_s: float, jitter: float, retry_after_s: float | None = None) -> float:
        """Return seconds until the next try, no sooner than the receiver's Retry-After.

        Args:
            failures: tries that failed so far, at least 1.
            age_s: for how long it has failed.
            jitter: 0 <= jitter < 1; shortens the delay by up to half, so that many senders do not retry at once.
            retry_after_s: the receiver's Retry-After, if it gave one.
        """
        doubled = self.first_s * 2.0 ** min(failures - 1, 60)
        whole = self.slow_s if age_s >= self.slow_after_s else min(self.cap_s, doubled)
        return max(whole * (1 - jitter / 2), min(retry_after_s or 0.0, MAX_RETRY_AFTER_S))
