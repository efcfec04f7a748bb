"""Heads of the audit trail, kept outside of its database and signed: by them a tail that was cut off is missed.

One file holds the newest head. If the trail does not have that row any more (it was cut, emptied, or restored from an
older backup) the head is laid aside and stays missed until somebody takes the file away.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ingest.domain.model.certificate import state_of
from ingest.domain.model.files import write_whole

KEY: Final = "key"
NEWEST: Final = "newest.json"
_LOST: Final = "lost-{seq}.json"


@dataclass(frozen=True, slots=True)
class AuditHead:
    """A row of the trail by its number and hash; the hash covers every row before it."""

    seq: int
    hash: str


class Forged(Exception):
    """A head was not written by this installation, or was changed."""


class AuditHeads:
    """The folder of heads and of the key they are signed with."""

    def __init__(self, folder: Path) -> None:
        """The folder is made with the first head."""
        self._folder = folder
        self._seen: tuple[object, AuditHead] | None = None

    def all(self) -> Sequence[AuditHead]:
        """Every head that the trail must have: the newest, and those it was found not to have.

        Raises:
            Forged: one bears another signature, or there is none where there was one.
        """
        return [self._read(file) for file in self._files()]

    def newest(self) -> AuditHead | None:
        """The newest head; None: none was kept yet, or it was laid aside. Raises Forged.

        Asked every second: files that are as they were are not read again.
        """
        file = self._folder / NEWEST
        state = state_of(file), state_of(self._folder / KEY)
        if self._seen is not None and self._seen[0] == state:
            return self._seen[1]
        found = self._read(file) if file in self._files() else None
        self._seen = (state, found) if found is not None else None
        return found

    def keep(self, head: AuditHead) -> None:
        """Keep a head in place of the one before: either of them is there, whole, whenever the power goes.

        Raises:
            OSError: the disk does not take it.
        """
        body = {"seq": head.seq, "hash": head.hash, "signature": self._sign(head)}
        write_whole(self._folder / NEWEST, json.dumps(body).encode())

    def lay_aside(self, head: AuditHead) -> None:
        """Go on missing a head that the trail does not have. Raises OSError."""
        (self._folder / NEWEST).replace(self._folder / _LOST.format(seq=head.seq))

    def _files(self) -> list[Path]:
        """Those of heads. Raises Forged if there is none where there was one."""
        files = sorted(self._folder.glob("*.json"))
        if not files and (self._folder / KEY).exists():
            raise Forged(f"{self._folder / NEWEST} is gone, though the key beside it is there")
        return files

    def _read(self, file: Path) -> AuditHead:
        if not (self._folder / KEY).exists():
            raise Forged(f"{file}: the key beside it is gone")
        try:
            body = json.loads(file.read_bytes())
            head, signature = AuditHead(int(body["seq"]), str(body["hash"])), str(body["signature"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Forged(f"{file} is no signed head: {error}") from error
        if not hmac.compare_digest(signature, self._sign(head)):
            raise Forged(f"{file} is not signed by the key beside it")
        return head

    def _sign(self, head: AuditHead) -> str:
        if not (self._folder / KEY).exists():
            write_whole(self._folder / KEY, secrets.token_hex(32).encode())
        return hmac.new(
            (self._folder / KEY).read_bytes(), f"{head.seq}.{head.hash}".encode(), hashlib.sha256
        ).hexdigest()
