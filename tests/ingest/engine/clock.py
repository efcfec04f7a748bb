"""A clock that only moves when the test moves it: the time of day, which may be set, and the steady time beside it."""

from __future__ import annotations


class Clock:
    """Ns. `wall` is `steady` plus what it was set by."""

    def __init__(self, start: int) -> None:
        self.time = start
        self.set_by = 0

    def steady(self) -> int:
        """Time that only goes on."""
        return self.time

    def wall(self) -> int:
        """The time of day."""
        return self.time + self.set_by
