"""Watches the plant files and yields a new configuration after each settled change."""

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
"""Debounce time of file notifications: a save is often several writes."""

POLL_MS: Final = 2000
"""The files are polled this often without any notification: replaced directories and network mounts give none."""

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
    poll_ms: int = POLL_MS,
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
        poll_ms: how often to check the files without any notification.
        settle_s: how long the files must be unchanged before they are read: a copy takes time.
    """
    return _follow(directory, load, due, _fingerprint(directory), version, poll_ms, settle_s)


async def _follow(
    directory: Path,
    load: Callable[[int], PlantConfiguration | None],
    due: Callable[[], float],
    seen: _Fingerprint,
    version: int,
    poll_ms: int,
    settle_s: float,
) -> AsyncGenerator[PlantConfiguration]:
    async with aclosing(_notices(directory, poll_ms)) as notices:
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
    """Return the fingerprint of the files once they are unchanged, or after `_PATIENCE` tries."""
    for _ in range(_PATIENCE):
        await asyncio.sleep(settle_s)
        before, found = found, await asyncio.to_thread(_fingerprint, directory)
        if found == before:
            break
    return found


async def _notices(directory: Path, poll_ms: int) -> AsyncGenerator[None]:
    """Yield whenever something in the directory may have changed, and every `poll_ms` otherwise."""
    while True:
        changes = awatch(
            directory,
            watch_filter=None,  # a save may show only as a renamed temporary file or link; the fingerprint decides
            step=STEP_MS,
            rust_timeout=poll_ms,
            yield_on_timeout=True,
            recursive=False,
        )
        try:
            async with aclosing(changes):
                async for _ in changes:
                    yield
        except FileNotFoundError:  # not there (yet)
            await asyncio.sleep(poll_ms / 1000)


def _fingerprint(directory: Path) -> _Fingerprint:
    found = set()
    for file in plant_files(directory):
        with suppress(OSError):  # renamed away since it was listed, or a link to nowhere: reading it says so
            is_now = file.stat()
            found.add((file.name, is_now.st_ino, is_now.st_mtime_ns, is_now.st_size))
    return frozenset(found)
