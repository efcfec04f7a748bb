"""Console sessions on disk, so that a restart signs nobody out: hashes of ids, whose they are, and when they end."""

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
class OpenSession:
    """Whose session it is, and when it ends (monotonic clock, s)."""

    principal: Principal
    expires: float


class SessionStore:
    """Sessions on disk. Each belongs to the secret its token had: a token that was changed or taken away ends them."""

    def __init__(self, files: SavedFiles, keyring: TokenStore, now: Callable[[], int]) -> None:
        """`now`: wall clock, ns."""
        self._files, self._keyring, self._now = files, keyring, now

    def read(self, clock: float, longest_s: Callable[[Principal], float]) -> Iterator[tuple[str, OpenSession]]:
        """Give those that have not ended, by the hash of their id, in the order they began in.

        Args:
            clock: the monotonic clock now, s.
            longest_s: how long a session of a caller lasts; none has longer left, should the wall clock be set back.
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
                yield key, OpenSession(principal, clock + min(left_s, longest_s(principal)))

    def keep(self, sessions: Mapping[str, OpenSession], clock: float) -> None:
        """Keep these in place of those before. Blocking."""
        now = self._now()
        rows = [
            {
                "id_sha256": key,
                "name": session.principal.name,
                "seal": self._keyring.seal(session.principal.name),
                "ends_ns": now + int((session.expires - clock) * _SECOND),
            }
            for key, session in sessions.items()
        ]
        self._files.keep(FILE, json.dumps(rows, ensure_ascii=False).encode())

    def _session(self, row: Mapping[str, Any]) -> tuple[str, Principal | None, float]:
        name, left_s = str(row["name"]), (int(row["ends_ns"]) - self._now()) / _SECOND
        same = row["seal"] is not None and row["seal"] == self._keyring.seal(name)
        return str(row["id_sha256"]), self._keyring.named(name) if same else None, left_s
