"""Guards disk space with a ballast file, released when the disk is full so that alarms go on while intake waits.

A full SQLite database cannot even delete. So a file of `reserve` bytes lies beside the databases: when the disk is
full it is deleted, which leaves room for alarms, cursors and deliveries, while gateways keep their readings.

    ok      intake goes on
    low     less than the reserve is free: intake waits
    full    less than a quarter of it is free, or a commit found no room: intake waits, and the ballast is deleted

Back to ok only with twice the reserve free and the ballast in place again.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final

from ingest.base.telemetry import Event, emit

_CHECK_S: Final = 0.5
_MB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class DiskLow(Event, level="error"):
    """Little room is left: nothing is taken in until there is more; gateways keep their readings."""

    folder: str
    free_mb: float
    needed_mb: float


@dataclass(frozen=True, slots=True)
class DiskFull(Event, level="error"):
    """No room is left: the ballast was given up, so that alarms go on; nothing is taken in."""

    folder: str
    free_mb: float
    needed_mb: float


@dataclass(frozen=True, slots=True)
class DiskRoomy(Event):
    """There is room again: intake goes on, and the ballast is in place."""

    folder: str
    free_mb: float


class DiskState(IntEnum):
    """The state of a disk; a greater value is worse."""

    OK = 0
    LOW = 1
    FULL = 2


class _Disk:
    """One file system that the service writes to."""

    def __init__(self, folder: Path, reserve: int, free: Callable[[Path], int]) -> None:
        self.folder = folder
        self.room = DiskState.OK
        self.free = 0
        self._reserve = reserve
        self._measure = free
        self._ballast = folder / "yujing.ballast"

    def check(self, *, full: bool = False) -> None:
        """Measure the free space and act on it; `full`: a write found no room, whatever the system reports as free."""
        self.free = self._measure(self.folder)
        if full or self.free < self._reserve // 4:
            self._become(DiskState.FULL)
        elif self.room is DiskState.OK and self.free < self._reserve:
            self._become(DiskState.LOW)
        elif self.room is not DiskState.OK and self.free > 2 * self._reserve and self._lay():
            self._become(DiskState.OK)

    def prepare(self) -> None:
        """Check for the first time, and lay the ballast if there is room for it."""
        if not self._held():
            self._give_up()  # an incomplete one, of a start that was cut off
            if self._measure(self.folder) < 2 * self._reserve or not self._lay():
                self.room = DiskState.LOW
                self.check()
                if self.room is DiskState.LOW:
                    emit(DiskLow(str(self.folder), *self._figures()))
                return
        self.check()

    def _become(self, room: DiskState) -> None:
        if room is DiskState.FULL:
            self._give_up()
        if room is self.room:
            return
        self.room = room
        if room is DiskState.OK:
            emit(DiskRoomy(str(self.folder), self._figures()[0]))
        else:
            emit((DiskFull if room is DiskState.FULL else DiskLow)(str(self.folder), *self._figures()))

    def _figures(self) -> tuple[float, float]:
        return round(self.free / _MB, 1), round(2 * self._reserve / _MB, 1)

    def _held(self) -> bool:
        with suppress(OSError):
            return self._ballast.stat().st_size == self._reserve
        return False

    def _lay(self) -> bool:
        """Create the ballast of allocated blocks; False if there is no room for it after all."""
        if not self._reserve or self._held():
            return True
        try:
            ballast = os.open(self._ballast, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
            try:
                _allocate(ballast, self._reserve)
            finally:
                os.close(ballast)
        except OSError:
            self._give_up()
            return False
        return True

    def _give_up(self) -> None:
        with suppress(OSError):
            self._ballast.unlink(missing_ok=True)


def _allocate(file: int, size: int) -> None:
    """Allocate real blocks for the file. Raises OSError if the disk has no room for them."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
    else:  # macOS
        while size > 0:
            size -= os.write(file, bytes(min(size, _MB)))


class DiskGuard:
    """Watches the disks the service writes to. Safe to use from any thread; cheap enough to call before each commit.

    Args:
        folders: where databases lie; folders on the same disk share one ballast.
        reserve_mb: size of the ballast.
        free: bytes free to us in a folder.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        folders: Iterable[Path],
        reserve_mb: float,
        *,
        free: Callable[[Path], int] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Lay the ballasts, or delete one on a full disk; to be called before the databases are opened."""
        disks: dict[int, Path] = {}
        for folder in folders:
            with suppress(OSError):  # whoever uses the folder reports what is wrong with it
                folder.mkdir(parents=True, exist_ok=True)
                disks.setdefault(folder.stat().st_dev, folder)
        self._disks = [_Disk(folder, int(reserve_mb * _MB), free or _free) for folder in disks.values()]
        self._clock = clock
        self._lock = threading.Lock()
        self._due = clock() + _CHECK_S
        for disk in self._disks:
            disk.prepare()

    def room(self) -> bool:
        """Whether intake may commit. Measures the disks twice a second at most."""
        return self.state() is DiskState.OK

    def state(self) -> DiskState:
        """The state of the worst disk."""
        with self._lock:
            if self._clock() >= self._due:
                self._check()
            return max((disk.room for disk in self._disks), default=DiskState.OK)

    def full(self) -> None:
        """Report that a commit found no room: the fullest disk deletes its ballast at once."""
        with self._lock:
            self._check()
            fullest = min(self._disks, key=lambda disk: disk.free, default=None)
            if fullest is not None:
                fullest.check(full=True)

    def free_mb(self) -> float:
        """Free space on the fullest of the disks, in MiB, as last measured."""
        return min((disk.free for disk in self._disks), default=0) / _MB

    def _check(self) -> None:
        self._due = self._clock() + _CHECK_S
        for disk in self._disks:
            with suppress(OSError):  # whoever writes to it finds out
                disk.check()


def _free(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
