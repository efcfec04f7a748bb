"""What the service writes is for its own user alone: readings, names, phone numbers, evidence."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ingest.base.telemetry import Event, emit
from ingest.runtime.settings import Settings

OTHERS: Final = 0o077


@dataclass(frozen=True, slots=True)
class DataWasOpen(Event, level="warning"):
    """Data that other users could read, and can no more."""

    path: str
    mode: str


@dataclass(frozen=True, slots=True)
class DataIsOpen(Event, level="error"):
    """Data that other users can read, and that its mode could not be changed of."""

    path: str
    mode: str
    error: str


def write_privately() -> None:
    """From here on this process and its children make files with mode 0600 and folders with 0700, or stricter."""
    os.umask(os.umask(OTHERS) | OTHERS)


def close_data(settings: Settings) -> None:
    """Take from others what an earlier version, or a hand, left open to them; what was is told.

    The folders that the data lies in are not touched, they may be shared; the folder of evidence is the service's own.
    """
    for path in _data(settings):
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
        except FileNotFoundError:
            continue
        if mode & OTHERS:
            try:
                path.chmod(mode & ~OTHERS)
            except OSError as error:
                emit(DataIsOpen(str(path), f"{mode:04o}", error.strerror or str(error)))
            else:
                emit(DataWasOpen(str(path), f"{mode:04o}"))


def _data(settings: Settings) -> Iterator[Path]:
    databases = [settings.journal.path]
    if settings.state.folder is not None:
        databases.append(settings.state.path)
    if settings.history.own_file is not None:
        databases.append(settings.history.own_file)
    yield from _with_companions(databases)
    yield settings.cases.evidence


def _with_companions(databases: Iterable[Path]) -> Iterator[Path]:
    """Each database with its write-ahead log, index and lock, which lie beside it under its name."""
    for database in databases:
        yield database
        yield from sorted(database.parent.glob(f"{database.name}[-.]*"))
