"""Console sessions in the server's memory, and a brake on guessing: nothing here survives a restart, by design."""

from __future__ import annotations

import secrets
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ingest.api.access import Principal

SESSION_S: Final = 12 * 3600
"""A shift: whoever signed in this morning signs in again tomorrow."""

MAX_SESSIONS: Final = 1000


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser. `csrf` must come back with every form."""

    id: str
    principal: Principal
    csrf: str
    expires: float  # on the monotonic clock, s


class Sessions:
    """Who is signed in. When full, the session that signed in longest ago ends."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._open: OrderedDict[str, Session] = OrderedDict()

    def begin(self, principal: Principal) -> Session:
        """Sign in."""
        while len(self._open) >= MAX_SESSIONS:
            self._open.popitem(last=False)
        session = Session(secrets.token_urlsafe(32), principal, secrets.token_urlsafe(32), self._clock() + SESSION_S)
        self._open[session.id] = session
        return session

    def find(self, key: str) -> Session | None:
        """Return the open session, or None once it ended."""
        session = self._open.get(key)
        if session is not None and session.expires <= self._clock():
            self._open.pop(key, None)  # another thread may have been quicker
            return None
        return session

    def end(self, key: str) -> None:
        """Sign out."""
        self._open.pop(key, None)


class Brake:
    """Lets each address fail a few times a minute, then makes it wait. Knows a bounded number of addresses."""

    WINDOW_S: Final = 60.0
    FAILURES: Final = 5
    ADDRESSES: Final = 10_000

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failed: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, address: str) -> int:
        """Return how long this address has to wait before its next attempt, in whole seconds; 0 = not at all."""
        failed = self._failed.get(address)
        if failed is None or len(failed) < self.FAILURES:
            return 0
        left = failed[0] + self.WINDOW_S - self._clock()
        return max(0, int(left) + 1) if left > 0 else 0

    def failed(self, address: str) -> None:
        """Remember a failure."""
        while len(self._failed) >= self.ADDRESSES:
            self._failed.popitem(last=False)
        self._failed.setdefault(address, deque(maxlen=self.FAILURES)).append(self._clock())

    def passed(self, address: str) -> None:
        """Forget the failures of an address that signed in."""
        self._failed.pop(address, None)
