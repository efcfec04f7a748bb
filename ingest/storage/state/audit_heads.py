"""Signed heads of the audit trail, kept outside its database to detect that its end was cut off.

One file holds the newest head. If the trail does not have that row any more (it was cut, emptied, or restored from an
older backup) the head is renamed as lost, and reported until somebody removes the file.
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
    """The number and hash of a row of the trail; the hash covers every row before it."""

    seq: int
    hash: str


class Forged(Exception):
    """A head was not written by this installation, or was changed."""


class AuditHeads:
    """The folder of heads and of the key that signs them."""

    def __init__(self, folder: Path) -> None:
        """`folder`: created with the first head."""
        self._folder = folder
        self._key, self._newest = folder / KEY, folder / NEWEST
        self._seen: tuple[object, AuditHead] | None = None

    def all(self) -> Sequence[AuditHead]:
        """Every head that the trail must have: the newest, and the lost ones.

        Raises:
            Forged: one has a wrong signature, or there is none though there was one.
        """
        return [self._read(file) for file in self._files()]

    def newest(self) -> AuditHead | None:
        """The newest head; None if none was kept yet, or it is lost. Raises Forged.

        Called every second: unchanged files are not read again.
        """
        state = self._state()
        if self._seen is not None and self._seen[0] == state:
            return self._seen[1]
        found = self._read(self._newest) if self._newest in self._files() else None
        self._seen = (state, found) if found is not None else None
        return found

    def keep(self, head: AuditHead) -> None:
        """Replace the newest head atomically, also if the power fails.

        Raises:
            OSError: it cannot be written.
        """
        body = {"seq": head.seq, "hash": head.hash, "signature": self._sign(head)}
        write_whole(self._newest, json.dumps(body).encode())
        self._seen = self._state(), head  # it need not be read again

    def mark_lost(self, head: AuditHead) -> None:
        """Rename the newest head as lost, since the trail does not have it. Raises OSError."""
        self._newest.replace(self._folder / _LOST.format(seq=head.seq))

    def _files(self) -> list[Path]:
        """The files of heads. Raises Forged if there is none though there was one."""
        files = sorted(self._folder.glob("*.json"))
        if not files and self._key.exists():
            raise Forged(f"{self._newest} is gone, though the key beside it is there")
        return files

    def _read(self, file: Path) -> AuditHead:
        if not self._key.exists():
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
        if not self._key.exists():
            write_whole(self._key, secrets.token_hex(32).encode())
        return hmac.new(self._key.read_bytes(), f"{head.seq}.{head.hash}".encode(), hashlib.sha256).hexdigest()

    def _state(self) -> object:
        """A value that changes when the newest head or the key is written or replaced."""
        return state_of(self._newest, self._key)
