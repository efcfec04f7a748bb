"""Sessions of callers signed in at the console."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Final

from ingest.base.telemetry import Event, emit
from ingest.services.access import Principal
from ingest.web.session_store import SavedSession, SessionStore

SESSION_S: Final = 12 * 3600
"""A shift: a caller signs in once a day."""

DISPLAY_S: Final = 365 * 86_400
"""A display on a wall has nobody to sign in again; it cannot act, and its session ends with its token."""

MOST_OF_TOKEN: Final = 50
"""Sessions of a token at a time."""


@dataclass(frozen=True, slots=True)
class SessionDisplaced(Event, level="warning"):
    """Sessions that ended early because their token was used to sign in once more than it may."""

    name: str
    most: int


@dataclass(frozen=True, slots=True)
class Session:
    """A session of a browser. `csrf` must come back with every form."""

    id: str
    principal: Principal
    csrf: str
    expires: float  # on the monotonic clock, s


class Sessions:
    """Open sessions, kept over a restart. A token with too many ends its own oldest session, no other token's.

    Ids are stored as hashes only: nobody who reads the file can sign in with it.
    """

    def __init__(self, clock: Callable[[], float], kept: SessionStore | None = None) -> None:
        """`kept`: keeps sessions over a restart; None: they end with the process."""
        self._clock = clock
        self._kept = kept
        self._changing = Lock()
        self._open: OrderedDict[str, SavedSession] = OrderedDict(kept.read(clock(), lasts_s) if kept else ())

    def begin(self, principal: Principal, *, instead_of: str = "") -> Session:
        """Open a session; `instead_of` is the id of the browser's previous session, which ends. Blocking."""
        key, expires = secrets.token_urlsafe(32), self._clock() + lasts_s(principal)
        with self._changing:
            self._open.pop(_digest(instead_of), None)
            self._make_room(principal)
            self._open[_digest(key)] = SavedSession(principal, expires)
            self._keep()
        return Session(key, principal, _csrf(key), expires)

    def find(self, key: str) -> Session | None:
        """Return the open session, or None once it ended."""
        found = self._open.get(_digest(key))
        if found is None or found.expires <= self._clock():
            return None
        return Session(key, found.principal, _csrf(key), found.expires)

    def end(self, key: str) -> None:
        """End a session. Blocking."""
        with self._changing:
            self._open.pop(_digest(key), None)
            self._keep()

    def _make_room(self, principal: Principal) -> None:
        own = [key for key, session in self._open.items() if session.principal.name == principal.name]
        for key in own[: max(0, len(own) - MOST_OF_TOKEN + 1)]:  # the oldest come first
            del self._open[key]
            emit(SessionDisplaced(principal.name, MOST_OF_TOKEN))

    def _keep(self) -> None:
        now = self._clock()
        for key in [key for key, session in self._open.items() if session.expires <= now]:
            del self._open[key]
        if self._kept is not None:
            self._kept.keep(self._open, now)


def lasts_s(principal: Principal) -> float:
    """Return how long a session of that caller lasts, s."""
    return DISPLAY_S if principal.is_display else SESSION_S


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def _csrf(key: str) -> str:
    """Return the session's form token, which only who knows the session's id can compute."""
    return hmac.new(key.encode("utf-8", "surrogateescape"), b"yujing form token", hashlib.sha256).hexdigest()
