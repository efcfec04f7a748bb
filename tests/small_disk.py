"""A real, small file system for tests that fill a disk: a tmpfs of its own, mounted here or in a namespace of our user.

As root it is mounted for the test and unmounted after it. Otherwise the test runs itself again in a child under
`unshare`, which may mount in a name space of its own; where neither works it is skipped, with the reason.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest

_MB: Final = 1 << 20
_UNSHARE: Final = ("unshare", "--user", "--map-root-user", "--mount")


class SmallDisk:
    """A file system of fixed size, to be filled and freed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filling = folder / "filling"

    def free(self) -> int:
        """Bytes that can be written."""
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize

    def fill(self, leave: int = 0) -> None:
        """Write until only `leave` bytes are free."""
        with suppress(OSError), self._filling.open("ab") as file:  # closing it writes, too
            while (free := self.free()) > leave:
                file.write(bytes(min(free - leave, _MB)))
                file.flush()

    def empty(self) -> None:
        """Free what `fill` took."""
        self._filling.unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    """A file system of that size, mounted on a new folder below `folder`; skips the test where none can be had."""
    target = folder / "disk"
    target.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(target)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no small disk: {mounted.stderr.strip() or 'mount refused'}; run the tests as root, or {again()}")
    try:
        yield SmallDisk(target)
    finally:
        subprocess.run(["umount", "--lazy", str(target)], check=True)


def again() -> str:
    """How this run of the tests can be had with the right to mount, without being root."""
    if shutil.which(_UNSHARE[0]) is None:
        return "install util-linux"
    return " ".join((*_UNSHARE, sys.executable, "-m", "pytest"))
