"""Restricts the service's files to its own user: readings, names, phone numbers, evidence."""

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
    """Make this process and its children create files with mode 0600 and folders with 0700, or stricter."""
    os.umask(os.umask(OTHERS) | OTHERS)


def close_data(settings: Settings) -> None:
    """Remove other users' access to existing data, and emit an event for each file that had it.

    The folders that contain the data are not changed: they may be shared; the evidence folder is the service's own.
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
    """Yield each database with the files beside it under its name: write-ahead log, index and lock."""
    for database in databases:
        yield database
        yield from sorted(database.parent.glob(f"{database.name}[-.]*"))
