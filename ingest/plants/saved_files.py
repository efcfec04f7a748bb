"""Stores the files in force on disk, for a restart at which the present ones cannot be used."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ingest.base.telemetry import Event, emit
from ingest.domain.model.files import sync, write_whole
from ingest.plants.load import plant_files


@dataclass(frozen=True, slots=True)
class FileNotKept(Event, level="error"):
    """An accepted file could not be kept for the next start; tried again with the next change."""

    file: str
    error: str


class SavedFiles:
    """A folder with one copy of each file, readable by the service alone."""

    def __init__(self, folder: Path) -> None:
        """`folder` is created when the first file is stored."""
        self._folder = folder

    def path(self, name: str) -> Path:
        """Return the path of the copy of that name."""
        return self._folder / name

    def names(self) -> set[str]:
        """Return the names of the stored files."""
        return {file.name for file in plant_files(self._folder)}

    def read(self, name: str) -> bytes | None:
        """Return the file as last accepted; None if none was, or if it cannot be read."""
        try:
            return self.path(name).read_bytes()
        except OSError:
            return None

    def keep(self, name: str, content: bytes) -> None:
        """Store a file in place of the former one, atomically and durably."""
        try:
            write_whole(self.path(name), content)
        except OSError as error:
            emit(FileNotKept(name, str(error)))

    def drop(self, name: str) -> None:
        """Delete the copy of a file whose plant was removed."""
        try:
            self.path(name).unlink(missing_ok=True)
            sync(self._folder)
        except OSError as error:
            emit(FileNotKept(name, str(error)))
