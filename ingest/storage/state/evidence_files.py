"""Stores evidence on disk: each file under the hash of its content, written atomically, verified when read."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ingest.base.telemetry import Event, emit
from ingest.domain.cases.errors import Incomplete
from ingest.domain.cases.evidence import digest_of, media_of
from ingest.domain.model.files import sync
from ingest.storage.state.errors import StateUnavailable


@dataclass(frozen=True, slots=True)
class EvidenceDamaged(Event, level="error"):
    """A file of evidence is missing, or is not what was handed in."""

    sha256: str
    error: str


class EvidenceFiles:
    """The folder of evidence. The service never changes or deletes a file in it."""

    def __init__(self, folder: Path, max_bytes: int, room: Callable[[], bool] = lambda: True) -> None:
        """`room`: whether there is disk space for evidence, apart from what alarms may need."""
        self._folder = folder
        self.max_bytes = max_bytes
        self._room = room

    def put(self, content: bytes) -> tuple[str, str]:
        """Store a file; returns its SHA-256 and media type. It is synced to disk when this returns.

        Raises:
            Incomplete: too large, empty, or of a type not accepted.
            StateUnavailable: it cannot be written, or the disk is nearly full.
        """
        media, sha256 = self.check(content), digest_of(content)
        if not self._room():
            raise StateUnavailable("a disk is nearly full: no evidence is taken until there is room")
        path = self._path(sha256)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not (path.exists() and digest_of(path.read_bytes()) == sha256):
                _write(path, content)
            for folder in (path.parent, self._folder, self._folder.parent):
                sync(folder)  # also for what is there already: whoever wrote it may have died before this
        except OSError as error:
            raise StateUnavailable(f"{path}: {error.strerror or error}") from error
        return sha256, media

    def check(self, content: bytes) -> str:
        """The media type of the file. Raises Incomplete: too large, empty, or of a type not accepted."""
        if not 0 < len(content) <= self.max_bytes:
            raise Incomplete("file", f"{len(content)} bytes", f"1 to {self.max_bytes} bytes")
        return media_of(content)

    def added_by(self, content: bytes) -> int:
        """The bytes this file would add: none if it is stored already."""
        return 0 if self._path(digest_of(content)).exists() else len(content)

    def get(self, sha256: str) -> bytes | None:
        """The content, or None if it is missing or damaged, which is reported."""
        try:
            content = self._path(sha256).read_bytes()
        except OSError as error:
            emit(EvidenceDamaged(sha256, error.strerror or str(error)))
            return None
        if digest_of(content) != sha256:
            emit(EvidenceDamaged(sha256, "its content has another hash"))
            return None
        return content

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with partial.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
