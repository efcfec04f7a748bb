"""Returns freed memory to the system: one heap for all threads, trimmed every minute.

glibc gives each thread an arena of its own, up to eight per core (mallopt(3), M_ARENA_MAX). Every burst, such as the
cycle after a stalled disk, enlarges some arenas for good: once a large block was freed, glibc keeps up to 64 MiB at the
end of each (M_TRIM_THRESHOLD, which rises by itself), and malloc_trim(3) returns the end of the main arena only. So a
service with many threads grows with each burst a little larger than those before.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from ingest.base.telemetry import Event, emit

_ARENA_MAX: Final = -8  # M_ARENA_MAX of malloc.h
_TRIM_EVERY_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class HeapArranged(Event):
    """From how many heaps the threads allocate: one, or as the environment or another allocator than glibc's has it."""

    heaps: str


def share_heap(environment: Mapping[str, str] = os.environ) -> None:
    """Let all threads started after this allocate from one heap, unless the environment configures arenas."""
    chosen = environment.get("MALLOC_ARENA_MAX")
    tunables = environment.get("GLIBC_TUNABLES", "")
    if chosen is not None:
        heaps = f"MALLOC_ARENA_MAX={chosen}"
    elif "glibc.malloc.arena_max" in tunables:
        heaps = f"GLIBC_TUNABLES={tunables}"
    else:
        mallopt = _of_libc("mallopt")
        heaps = "one" if mallopt is not None and mallopt(_ARENA_MAX, 1) else "as the allocator has it: not glibc's"
    emit(HeapArranged(heaps))


def give_back_memory() -> None:
    """Return freed memory to the system, which glibc keeps after building a configuration or a backlog."""
    trim = _of_libc("malloc_trim")
    if trim is not None:
        trim(0)


async def keep_trimmed() -> None:
    """Return freed memory periodically."""
    while True:
        await asyncio.to_thread(give_back_memory)
        await asyncio.sleep(_TRIM_EVERY_S)


def _of_libc(name: str) -> Callable[..., int] | None:
    """Return a function of the C library, or None: libraries other than glibc return memory by themselves."""
    found: Callable[..., int] | None = getattr(ctypes.CDLL(None), name, None)
    return found
