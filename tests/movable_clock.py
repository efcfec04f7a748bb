"""A clock that tests move: time passes when they say so, and can be set like a real one, backwards too."""

from __future__ import annotations

from typing import Final

SECOND: Final = 10**9


class MovableClock:
    """The time of day and a steady clock, in ns; `pass_s` moves both, `set_by_s` the time of day alone."""

    def __init__(self, wall: int = 1_763_884_800 * SECOND) -> None:
        self._wall = wall
        self._steady = 5 * SECOND

    def wall(self) -> int:
        """Ns since the epoch."""
        return self._wall

    def steady(self) -> int:
        """Ns since some moment; never set."""
        return self._steady

    def seconds(self) -> float:
        """The steady clock in seconds."""
        return self._steady / SECOND

    def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        self._wall += round(seconds * SECOND)
        self._steady += round(seconds * SECOND)

    def set_by_s(self, seconds: float) -> None:
        """Set the time of day."""
        self._wall += round(seconds * SECOND)
