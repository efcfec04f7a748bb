"""Checks and shares out the process's limits at the start: file descriptors and memory.

Readers of the API must never take what monitoring needs. A descriptor missing when the broker reconnects, or memory
when a frame arrives, ends monitoring; a refused connection to the API does not.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ingest.base.telemetry import Event, emit

KEPT: Final = 96
"""Descriptors that connections to the API leave free: each querying thread holds a reader of both databases, about two
each; besides the broker, eight simultaneous deliveries of each connector, plant files, evidence, and exports."""

_SELECT: Final = 1024
"""Paho waits with select(2), which supports no descriptors beyond this: the broker's must be below it."""

_RESIDENT_MB: Final = 256
_ADDRESSES_MB: Final = 1536
"""The need of the service with a small plant: 200 MiB of memory, and 1460 MiB of address space, mostly unused."""

_POINTS_A_MB: Final = 250
"""4 KiB a point: 100,000 points with default rules take 475 MB (docs/benchmarks.md)."""

_V1_BOUNDLESS: Final = 1 << 60
_MB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class DescriptorsScarce(Event, level="warning"):
    """The process may open so few files that the API serves fewer connections than `api.max_connections` says."""

    limit: int
    connections: int
    wanted: int


@dataclass(frozen=True, slots=True)
class MemoryScarce(Event, level="error"):
    """The control group allows less memory than this many points need: the system may end the service at any moment."""

    limit_mb: int
    expected_mb: int
    points: int


class NotEnoughMemory(Exception):
    """The process's limit of address space is too low: an allocation would fail at some moment."""


def connections(wanted: int) -> int:
    """Return how many of the `wanted` connections to the API may be open; emits an event if fewer.

    The process's own limit is first raised as far as allowed.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = _SELECT if hard == resource.RLIM_INFINITY else min(hard, _SELECT)
    if soft != resource.RLIM_INFINITY and soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    places = min(wanted, share(limit, len([*Path("/dev/fd").iterdir()])))
    if places < wanted:
        emit(DescriptorsScarce(limit, places, wanted))
    return places


def share(limit: int, used: int, kept: int = KEPT) -> int:
    """Return the descriptors for connections to the API: the free ones beyond `kept`, and at least a third of them.

    >>> share(1024, 30), share(64, 30), share(32, 30)
    (898, 11, 1)
    """
    free = max(limit - used, 0)
    return max(free - kept, free // 3, 1)


def require_memory(points: int = 0) -> None:
    """Refuse to start if memory for so many points is certain to run out; emit an event if it might.

    Raises:
        NotEnoughMemory: RLIMIT_AS is below what is needed.
    """
    more = points // _POINTS_A_MB
    addresses, _ = resource.getrlimit(resource.RLIMIT_AS)
    if addresses != resource.RLIM_INFINITY and addresses < (_ADDRESSES_MB + more) * _MB:
        raise NotEnoughMemory(
            f"地址空间上限 RLIMIT_AS (ulimit -v, LimitAS=) {addresses // _MB} MiB; 应不少于 expected at least"
            f" {_ADDRESSES_MB + more} MiB ({points} 个测点 points)。请提高或取消该上限;限制内存请用 MemoryMax= 。"
            " Raise it or take it away; to bound memory, use MemoryMax= instead"
        )
    allowed = cgroup_limit(Path("/sys/fs/cgroup"), Path("/proc/self/cgroup"))
    if allowed is not None and allowed < (_RESIDENT_MB + more) * _MB:
        emit(MemoryScarce(allowed // _MB, _RESIDENT_MB + more, points))


def cgroup_limit(mounted: Path, own: Path) -> int | None:
    """Return the lowest memory limit, bytes, of this process's control groups (version 1 or 2); None: unlimited."""
    limits = []
    for file in _limit_files(mounted, own):
        with suppress(OSError, ValueError):  # "max", or a group that is not shown in here
            limits.append(int(file.read_text()))
    return min((limit for limit in limits if limit < _V1_BOUNDLESS), default=None)


def _limit_files(mounted: Path, own: Path) -> Iterator[Path]:
    """Yield the limit files of the process's group and of all its ancestors: proc(5), cgroups(7)."""
    with suppress(OSError):
        for line in own.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers == "":
                root, name = mounted, "memory.max"
            elif "memory" in controllers.split(","):
                root, name = mounted / "memory", "memory.limit_in_bytes"
            else:
                continue
            group = root / path.lstrip("/")
            yield from (folder / name for folder in (group, *group.parents) if folder.is_relative_to(root))
