"""Who is signed in at the console, and a brake on guessing."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Final

from ingest.api.access import Principal
from ingest.api.kept_sessions import KeptSessions, OpenSession

SESSION_S: Final = 12 * 3600
"""A shift: whoever signed in this morning signs in again tomorrow."""

DISPLAY_S: Final = 365 * 86_400
"""A display on a wall has nobody who would; it can do nothing, and ends with its token."""

MAX_SESSIONS: Final = 1000


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser. `csrf` must come back with every form."""

    id: str
    principal: Principal
    csrf: str
    expires: float  # on the monotonic clock, s


class Sessions:
    """Who is signed in, also after a restart. When full, the session that signed in longest ago ends.

    Ids are known by their hashes only: whoever reads the memory of it on disk cannot sign in with it.
    """

    def __init__(self, clock: Callable[[], float], kept: KeptSessions | None = None) -> None:
        """`kept`: where they outlive the process; None: they don't."""
        self._clock = clock
        self._kept = kept
        self._changing = Lock()
        self._open: OrderedDict[str, OpenSession] = OrderedDict(kept.read(clock(), lasts_s) if kept else ())

    def begin(self, principal: Principal) -> Session:
        """Sign in. Blocking."""
        key, expires = secrets.token_urlsafe(32), self._clock() + lasts_s(principal)
        with self._changing:
            while len(self._open) >= MAX_SESSIONS:
                self._open.popitem(last=False)
            self._open[_digest(key)] = OpenSession(principal, expires)
            self._keep()
        return Session(key, principal, _csrf(key), expires)

    def find(self, key: str) -> Session | None:
        """Return the open session, or None once it ended."""
        found = self._open.get(_digest(key))
        if found is None or found.expires <= self._clock():
            return None
        return Session(key, found.principal, _csrf(key), found.expires)

    def end(self, key: str) -> None:
        """Sign out. Blocking."""
        with self._changing:
            self._open.pop(_digest(key), None)
            self._keep()

    def _keep(self) -> None:
        now = self._clock()
        for key in [key for key, one in self._open.items() if one.expires <= now]:
            del self._open[key]
        if self._kept is not None:
            self._kept.keep(self._open, now)


def lasts_s(principal: Principal) -> float:
    """How long a session of that caller lasts, s."""
    return DISPLAY_S if principal.only_looks else SESSION_S


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def _csrf(key: str) -> str:
    """The session's form token: whoever knows the id can work it out, and nobody else."""
    return hmac.new(key.encode("utf-8", "surrogateescape"), b"yujing form token", hashlib.sha256).hexdigest()


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
