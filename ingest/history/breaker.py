"""A circuit breaker: what failed a few times in a row is left alone, and tried again now and then. Pure.

Closed, every call is made. After `FAILURES` calls in a row that failed it is open: calls fail at once, and one trial
every `PAUSE_S` finds out whether it may close again (M. Nygard, *Release It!*, 2nd ed., ch. 5).
"""

from __future__ import annotations

from typing import Final

FAILURES: Final = 2
"""One alone may be a query that is too large."""

PAUSE_S: Final = 5.0


class Breaker:
    """Remembers how calls ended. Times are seconds of one steady clock."""

    def __init__(self) -> None:
        self._failures = 0
        self._trial_at = 0.0
        self.reason: str | None = None
        """Why it is open; None while it is closed."""

    def failed(self, reason: str, now: float) -> bool:
        """A call failed; True if that opened the breaker."""
        was, self._trial_at = self.reason, now + PAUSE_S
        self._failures += 1
        if self._failures >= FAILURES:
            self.reason = reason
        return was is None and self.reason is not None

    def answered(self) -> bool:
        """A call was answered; True if that closed the breaker."""
        was, self.reason, self._failures = self.reason, None, 0
        return was is not None

    def trial(self, now: float) -> bool:
        """Whether a trial is due while the breaker is open; the next is due a pause later."""
        if now < self._trial_at:
            return False
        self._trial_at = now + PAUSE_S
        return True

    def trial_in_s(self, now: float) -> float:
        """Seconds until the next trial."""
        return max(0.0, self._trial_at - now)
