"""Watch the plant files: a good change gives a new roster, a bad one is refused and the old roster stays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from watchfiles import awatch

from ingest.model.fault import InvalidConfig
from ingest.plants.load import plant_files
from ingest.plants.roster import Roster
from ingest.telemetry import Event, emit

STEP_MS: Final = 200
"""Quiet time after a change before the files are read: a save is often several writes."""

LOOK_MS: Final = 2000
"""The files are looked at this often without any notice: replaced directories and network mounts give none."""

_Fingerprint = frozenset[tuple[str, int, int, int]]


@dataclass(frozen=True, slots=True)
class RosterReloaded(Event):
    """Changed plant files were accepted."""

    directory: str
    version: int
    plants: int
    points: int


@dataclass(frozen=True, slots=True)
class RosterRefused(Event, level="error"):
    """Changed plant files were refused; the roster before stays in force."""

    directory: str
    in_force: int
    faults: int


@dataclass(frozen=True, slots=True)
class PlantFileFault(Event, level="error"):
    """One fault for which plant files were refused."""

    file: str
    key: str
    value: str
    expected: str


def rosters(
    directory: Path, load: Callable[[int], Roster], *, version: int = 1, look_ms: int = LOOK_MS
) -> AsyncIterator[Roster]:
    """Each new roster after a change of the directory's `*.toml`, for ever.

    Changes count from this call on, not from the first step of the iteration: called before the roster in force is
    loaded, it misses none.

    Args:
        directory: where the plant files are; it may be replaced as a whole.
        load: gets the version the new roster is to have; raises InvalidConfig for files it refuses. Runs in a worker
            thread.
        version: that of the roster in force.
        look_ms: how often to look at the files without any notice.
    """
    return _follow(directory, load, _fingerprint(directory), version, look_ms)


async def _follow(
    directory: Path, load: Callable[[int], Roster], seen: _Fingerprint, version: int, look_ms: int
) -> AsyncGenerator[Roster]:
    async with aclosing(_notices(directory, look_ms)) as notices:
        async for _ in notices:
            found = await asyncio.to_thread(_fingerprint, directory)
            if found == seen:
                continue
            seen = found
            try:
                roster = await asyncio.to_thread(load, version + 1)
            except InvalidConfig as refused:
                _tell(directory, version, refused)
                continue
            version = roster.version
            plants = roster.enterprises()
            emit(RosterReloaded(str(directory), version, len(plants), sum(len(plant.points) for plant in plants)))
            yield roster


async def _notices(directory: Path, look_ms: int) -> AsyncGenerator[None]:
    """A beat whenever something in the directory may have changed, and every `look_ms` without notice."""
    while True:
        changes = awatch(
            directory,
            watch_filter=None,  # a save may show only as a renamed temporary file or link; the fingerprint decides
            step=STEP_MS,
            rust_timeout=look_ms,
            yield_on_timeout=True,
            recursive=False,
        )
        try:
            async with aclosing(changes):
                async for _ in changes:
                    yield
        except FileNotFoundError:  # not there (yet)
            await asyncio.sleep(look_ms / 1000)


def _fingerprint(directory: Path) -> _Fingerprint:
    found = set()
    for file in plant_files(directory):
        with suppress(FileNotFoundError):  # renamed away since it was listed; the next look sees what came of it
            is_now = file.stat()
            found.add((file.name, is_now.st_ino, is_now.st_mtime_ns, is_now.st_size))
    return frozenset(found)


def _tell(directory: Path, in_force: int, refused: InvalidConfig) -> None:
    emit(RosterRefused(str(directory), in_force, len(refused.faults)))
    for fault in refused.faults:
        emit(PlantFileFault(fault.file, fault.key, fault.value, fault.expected))
