"""Stores console sessions on disk (hash of the id, caller, expiry), so that a restart signs nobody out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ingest.base.telemetry import Event, emit
from ingest.plants.saved_files import SavedFiles
from ingest.services.access import Principal, TokenStore

FILE: Final = "sessions.json"

_SECOND: Final = 10**9


@dataclass(frozen=True, slots=True)
class SessionsNotRead(Event, level="warning"):
    """The sessions kept before a restart could not be read: everybody signs in again."""

    error: str


@dataclass(frozen=True, slots=True)
class SavedSession:
    """A session's caller and its expiry (monotonic clock, s)."""

    principal: Principal
    expires: float


class SessionStore:
    """Stores sessions on disk, each bound to its token's secret: a changed or removed token ends its sessions."""

    def __init__(self, files: SavedFiles, tokens: TokenStore, now: Callable[[], int]) -> None:
        """`now`: wall clock, ns."""
        self._files, self._tokens, self._now = files, tokens, now

    def read(self, clock: float, longest_s: Callable[[Principal], float]) -> Iterator[tuple[str, SavedSession]]:
        """Yield the sessions that have not expired with the hash of their id, the oldest first.

        Args:
            clock: the monotonic clock now, s.
            longest_s: returns how long a session of a caller lasts; bounds the rest if the wall clock was set back.
        """
        content = self._files.read(FILE)
        if content is None:
            return
        try:
            found = [self._session(row) for row in json.loads(content)]
        except (ValueError, TypeError, KeyError) as error:
            emit(SessionsNotRead(f"{type(error).__name__}: {error}"))
            return
        for key, principal, left_s in found:
            if principal is not None and left_s > 0:
                yield key, SavedSession(principal, clock + min(left_s, longest_s(principal)))

    def keep(self, sessions: Mapping[str, SavedSession], clock: float) -> None:
        """Replace the stored sessions. Blocking."""
        now = self._now()
        rows = [
            {
                "id_sha256": key,
                "name": session.principal.name,
                "seal": self._tokens.seal(session.principal.name),
                "ends_ns": now + int((session.expires - clock) * _SECOND),
            }
            for key, session in sessions.items()
        ]
        self._files.keep(FILE, json.dumps(rows, ensure_ascii=False).encode())

    def _session(self, row: Mapping[str, Any]) -> tuple[str, Principal | None, float]:
        name, left_s = str(row["name"]), (int(row["ends_ns"]) - self._now()) / _SECOND
        same = row["seal"] is not None and row["seal"] == self._tokens.seal(name)
        return str(row["id_sha256"]), self._tokens.named(name) if same else None, left_s
