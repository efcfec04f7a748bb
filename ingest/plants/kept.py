"""The plant files in force, kept on disk: what a restart goes on with when the present ones cannot be used."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ingest.plants.load import plant_files
from ingest.telemetry import Event, emit


@dataclass(frozen=True, slots=True)
class FileNotKept(Event, level="error"):
    """An accepted file could not be kept for the next start; tried again with the next change."""

    file: str
    error: str


class KeptFiles:
    """A folder with one copy a plant file, whole and readable by the service alone."""

    def __init__(self, folder: Path) -> None:
        """`folder` is made when the first file is kept."""
        self._folder = folder

    def path(self, name: str) -> Path:
        """Where the file of that name is kept."""
        return self._folder / name

    def names(self) -> set[str]:
        """The files that are kept."""
        return {file.name for file in plant_files(self._folder)}

    def read(self, name: str) -> bytes | None:
        """The file as it was accepted last; None if none was, or if it cannot be read."""
        try:
            return self.path(name).read_bytes()
        except OSError:
            return None

    def keep(self, name: str, content: bytes) -> None:
        """Keep a file in place of the one before: the old one or the new one, whole, whenever the power goes."""
        beside = self.path(f".{name}.new")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with suppress(FileNotFoundError):
                beside.unlink()
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.rename(self.path(name))
            self._sync()
        except OSError as error:
            emit(FileNotKept(name, str(error)))

    def drop(self, name: str) -> None:
        """Keep it no longer: its plant was removed."""
        try:
            self.path(name).unlink(missing_ok=True)
            self._sync()
        except OSError as error:
            emit(FileNotKept(name, str(error)))

    def _sync(self) -> None:
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
