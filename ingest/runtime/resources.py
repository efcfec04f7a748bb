"""What the system lets this process have, shared out at the start: file descriptors and memory.

Who only reads must never take what watching needs. A descriptor that is missing when the broker comes back, or memory
when a frame does, ends the watch; a connection to the API that is refused does not.
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
"""Descriptors that connections to the API leave free: each thread that asks keeps a reader of both databases, of about
two each; besides the broker, eight deliveries at a time of each connector, plant files, evidence, and exports."""

_SELECT: Final = 1024
"""Paho waits by select(2), which knows no descriptor beyond: the broker's must never be one."""

_RESIDENT_MB: Final = 256
_ADDRESSES_MB: Final = 1536
"""What the service with a small plant needs: 200 MiB of memory, and 1460 MiB of addresses, most of them never used."""

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
    """The process may not have the addresses it needs: it would end at some moment by a failed allocation."""


def connections(wanted: int) -> int:
    """How many connections to the API may be open, of those the settings want, when this is asked; told if fewer.

    The process' own limit is raised to the most it may have first.
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
    """Descriptors for connections to the API: what is beyond `kept`, and where there is little, a third of it.

    >>> share(1024, 30), share(64, 30), share(32, 30)
    (898, 11, 1)
    """
    free = max(limit - used, 0)
    return max(free - kept, free // 3, 1)


def require_memory(points: int = 0) -> None:
    """Refuse to start where watching so many points could only end in a failed allocation; tell where it might.

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
    """The least memory, bytes, that a control group of this process allows (version 1 or 2); None if none says so."""
    limits = []
    for file in _limit_files(mounted, own):
        with suppress(OSError, ValueError):  # "max", or a group that is not shown in here
            limits.append(int(file.read_text()))
    return min((limit for limit in limits if limit < _V1_BOUNDLESS), default=None)


def _limit_files(mounted: Path, own: Path) -> Iterator[Path]:
    """Of the group the process is in, and of all around it: proc(5), cgroups(7)."""
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
