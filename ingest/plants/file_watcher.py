"""Watches the plant files and yields a new configuration after each settled change."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ingest.base.telemetry import Event, emit
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.load import plant_files

POLL_S: Final = 2.0
"""How often the files are checked. Replaced directories, network and container mounts give no notification of changes,
so they have to be polled in any case; a notification in front of the settling time would be noticed by nobody."""

SETTLE_S: Final = 1.0
"""The files are read once they have been unchanged for this long."""

_PATIENCE: Final = 10
"""Settling times after which files that keep changing are read all the same."""

_Fingerprint = frozenset[tuple[str, int, int, int]]


@dataclass(frozen=True, slots=True)
class RosterReloaded(Event):
    """Changed plant files were accepted."""

    directory: str
    version: int
    plants: int
    points: int


def configurations(
    directory: Path,
    load: Callable[[int], PlantConfiguration | None],
    *,
    due: Callable[[], float] = lambda: float("inf"),
    version: int = 1,
    poll_s: float = POLL_S,
    settle_s: float = SETTLE_S,
) -> AsyncIterator[PlantConfiguration]:
    """Yield a new configuration after each change of the directory's `*.toml`, without end.

    Changes count from this call on, not from the first step of the iteration: called before the one in force is
    loaded, it misses none.

    Args:
        directory: where the plant files are; it may be replaced as a whole.
        load: given the new version, returns the new configuration, or None to keep the present one. Runs in a thread.
        due: when to load although no file has changed, by `time.monotonic`.
        version: that of the configuration in force.
        poll_s: how often to check the files.
        settle_s: how long the files must be unchanged before they are read: a copy takes time.
    """
    return _follow(directory, load, due, _fingerprint(directory), version, poll_s, settle_s)


async def _follow(
    directory: Path,
    load: Callable[[int], PlantConfiguration | None],
    due: Callable[[], float],
    seen: _Fingerprint | None,
    version: int,
    poll_s: float,
    settle_s: float,
) -> AsyncGenerator[PlantConfiguration]:
    while True:
        await asyncio.sleep(poll_s)
        found = await asyncio.to_thread(_fingerprint, directory)
        if found is not None and found != seen:
            found = await _settled(directory, found, settle_s)
        elif time.monotonic() < due():
            continue
        if found is None:  # the directory is away: what is in force stays so
            continue
        seen = found
        configuration = await asyncio.to_thread(load, version + 1)
        if configuration is None:
            continue
        version = configuration.version
        plants = configuration.enterprises()
        emit(RosterReloaded(str(directory), version, len(plants), sum(len(plant.points) for plant in plants)))
        yield configuration


async def _settled(directory: Path, found: _Fingerprint | None, settle_s: float) -> _Fingerprint | None:
    """Return the fingerprint of the files once they are unchanged, or after `_PATIENCE` tries."""
    for _ in range(_PATIENCE):
        await asyncio.sleep(settle_s)
        before, found = found, await asyncio.to_thread(_fingerprint, directory)
        if found == before:
            break
    return found


def _fingerprint(directory: Path) -> _Fingerprint | None:
    """Return what tells that a plant file has changed; None if the directory is missing."""
    if not directory.is_dir():
        return None
    found = set()
    for file in plant_files(directory):
        with suppress(OSError):  # renamed away since it was listed, or a link to nowhere: reading it says so
            is_now = file.stat()
            found.add((file.name, is_now.st_ino, is_now.st_mtime_ns, is_now.st_size))
    return frozenset(found)
