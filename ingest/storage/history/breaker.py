"""A circuit breaker: after a few failures in a row, calls are stopped until a probe succeeds. Pure.

Closed, every call is made. After `FAILURES` calls in a row that failed it is open: calls fail at once, and its owner
probes every `PAUSE_S` whether it may close again (M. Nygard, *Release It!*, 2nd ed., ch. 5).
"""

from __future__ import annotations

from typing import Final

FAILURES: Final = 2
"""A single failure may be a query that is too large."""

PAUSE_S: Final = 5.0
"""Seconds between probes."""

LONGEST_PAUSE_S: Final = 60.0
"""The same for a store that answers probes and then fails at every call."""


class Breaker:
    """Tracks the outcome of calls. Times are seconds of one steady clock."""

    def __init__(self) -> None:
        self._failures = 0
        self._since = 0.0
        self.reason: str | None = None
        """Why it is open; None while it is closed."""

    def failed(self, reason: str, now: float) -> bool:
        """Record a failed call; True if that opened the breaker."""
        if not self._failures:
            self._since = now
        was = self.reason
        self._failures += 1
        if self._failures >= FAILURES:
            self.reason = reason
        return was is None and self.reason is not None

    def answered(self) -> bool:
        """Record an answered call; True if that closed the breaker."""
        was, self.reason, self._failures = self.reason, None, 0
        return was is not None

    def open_s(self, now: float) -> float | None:
        """Seconds since the first of the failures that opened it; None while it is closed."""
        return None if self.reason is None else now - self._since
