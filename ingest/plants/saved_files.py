"""The plant files in force, kept on disk: what a restart goes on with when the present ones cannot be used."""

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
        try:
            write_whole(self.path(name), content)
        except OSError as error:
            emit(FileNotKept(name, str(error)))

    def drop(self, name: str) -> None:
        """Keep it no longer: its plant was removed."""
        try:
            self.path(name).unlink(missing_ok=True)
            sync(self._folder)
        except OSError as error:
            emit(FileNotKept(name, str(error)))
