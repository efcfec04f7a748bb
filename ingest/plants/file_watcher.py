"""Watch the plant files: what changes them for good gives a new configuration."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from watchfiles import awatch

from ingest.base.telemetry import Event, emit
from ingest.plants.configuration import PlantConfiguration
from ingest.plants.load import plant_files

STEP_MS: Final = 200
"""Quiet time after a change before the files are read: a save is often several writes."""

LOOK_MS: Final = 2000
"""The files are looked at this often without any notice: replaced directories and network mounts give none."""

SETTLE_S: Final = 1.0
"""The files are read once they have stayed as they are for so long."""

_PATIENCE: Final = 10
"""Settling times after which files that change all the time are read all the same."""

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
    look_ms: int = LOOK_MS,
    settle_s: float = SETTLE_S,
) -> AsyncIterator[PlantConfiguration]:
    """Each new configuration after a change of the directory's `*.toml`, for ever.

    Changes count from this call on, not from the first step of the iteration: called before the one in force is
    loaded, it misses none.

    Args:
        directory: where the plant files are; it may be replaced as a whole.
        load: gets the version the new configuration is to have; None: the configuration stays. Runs in a worker thread.
        due: when to load though no file has changed, by `time.monotonic`.
        version: that of the configuration in force.
        look_ms: how often to look at the files without any notice.
        settle_s: how long the files must stay as they are before they are read: a copy comes in pieces.
    """
    return _follow(directory, load, due, _fingerprint(directory), version, look_ms, settle_s)


async def _follow(
    directory: Path,
    load: Callable[[int], PlantConfiguration | None],
    due: Callable[[], float],
    seen: _Fingerprint,
    version: int,
    look_ms: int,
    settle_s: float,
) -> AsyncGenerator[PlantConfiguration]:
    async with aclosing(_notices(directory, look_ms)) as notices:
        async for _ in notices:
            found = await asyncio.to_thread(_fingerprint, directory)
            if found == seen and time.monotonic() < due():
                continue
            if found != seen:
                found = await _settled(directory, found, settle_s)
            seen = found
            configuration = await asyncio.to_thread(load, version + 1)
            if configuration is None:
                continue
            version = configuration.version
            plants = configuration.enterprises()
            emit(RosterReloaded(str(directory), version, len(plants), sum(len(plant.points) for plant in plants)))
            yield configuration


async def _settled(directory: Path, found: _Fingerprint, settle_s: float) -> _Fingerprint:
    """What the files look like once they stay as they are; files that never do are read all the same."""
    for _ in range(_PATIENCE):
        await asyncio.sleep(settle_s)
        before, found = found, await asyncio.to_thread(_fingerprint, directory)
        if found == before:
            break
    return found


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
        with suppress(OSError):  # renamed away since it was listed, or a link to nowhere: reading it says so
            is_now = file.stat()
            found.add((file.name, is_now.st_ino, is_now.st_mtime_ns, is_now.st_size))
    return frozenset(found)
