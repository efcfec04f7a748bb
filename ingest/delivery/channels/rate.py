"""How often a channel may post (pure: times are passed in): never more than it takes, and some of it kept for red."""

from __future__ import annotations

from collections import deque
from typing import Final

WINDOW_S: Final = 65.0
"""A minute, and what a post may take longer on its way than the next one."""

_BURST: Final = 5  # ordinary posts at once after a pause
_SPREAD: Final = 3  # posts of a span that are spread even where they are grave


class PostLimit:
    """Counts posts in any span of `WINDOW_S`. Ordinary ones leave the reserve alone, and are spread over the span.

    Grave ones are made at once until few are left; these are spread, so that none waits for a whole span.
    """

    def __init__(self, most: int, reserve: int, began: float, *, spent: int = 0) -> None:
        """Begin to count.

        Args:
            most: posts in a span of `WINDOW_S`.
            reserve: those of them that only grave posts may use.
            began: now (s).
            spent: posts that may have been made just before, by the service before a restart.
        """
        self._most, self._ordinary = most, most - reserve
        self._spread = min(_SPREAD, most // 5)
        self._posts = deque[float]([began] * spent)
        self._burst = float(min(_BURST, self._ordinary))
        self._rate = (self._ordinary - self._burst) / WINDOW_S
        self._saved, self._saved_at = self._burst, began
        self._blocked_until = began

    def wait_s(self, now: float, *, grave: bool) -> float:
        """Return seconds until a post may be made; 0: now."""
        while self._posts and self._posts[0] <= now - WINDOW_S:
            self._posts.popleft()
        most = self._most if grave else self._ordinary
        wait_s = self.blocked_s(now)
        if len(self._posts) >= most:
            wait_s = max(wait_s, self._posts[len(self._posts) - most] + WINDOW_S - now)
        left = most - len(self._posts)
        if grave and 0 < left <= self._spread:
            last = self._posts[-1]
            wait_s = max(wait_s, last + (self._posts[0] + WINDOW_S - last) / (left + 1) - now)
        if not grave and self._rate and self._savings(now) < 1:
            wait_s = max(wait_s, (1 - self._savings(now)) / self._rate)
        return wait_s

    def count(self, now: float, *, grave: bool) -> None:
        """Count a post, whatever becomes of it."""
        self._posts.append(now)
        self._saved, self._saved_at = max(0.0, self._savings(now) - (0 if grave else 1)), now

    def block(self, now: float, for_s: float) -> None:
        """Note that the channel takes no post for so long."""
        self._blocked_until = max(self._blocked_until, now + for_s)

    def blocked_s(self, now: float) -> float:
        """Return for how long the channel takes no post."""
        return max(0.0, self._blocked_until - now)

    def _savings(self, now: float) -> float:
        return min(self._burst, self._saved + (now - self._saved_at) * self._rate)
