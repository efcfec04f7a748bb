"""Copies the DuckDB file as of one moment, also while a service has it open and writes to it.

DuckDB lets one process open a file. Between two checkpoints it changes nothing the file's head refers to: new data go
into the log beside it, or into free blocks. So whoever copies locks a file beside the history, the *hold*; a service
that finds it locked makes a checkpoint, writes into it that it makes no others, and goes on until the lock is gone. The
copy needs no log. If a checkpoint was made all the same (the service ended, or its log grew too long), the head differs
afterwards, and the copy is refused.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb

from ingest.storage.history.errors import HistoryUnavailable

WAIT_S: Final = 90.0
"""A service checks after its writes, at least every half a minute, when it writes readings of its own."""

MOST_LOG: Final = 4 << 30  # bytes the log may reach meanwhile
_HELD: Final = b"held"
_POLL_S: Final = 0.2
_HEAD: Final = 3 * 4096  # the file's head and its two data headers, of which the newer counts
_CHUNK: Final = 8 << 20


class FileSnapshot:
    """The service's side of a copy: whether somebody wants one now. The hold file stays once it exists."""

    def __init__(self, path: Path) -> None:
        self._file = _hold_file(path)

    def wanted(self) -> bool:
        """Whether somebody waits to copy, or copies. Raises OSError."""
        try:
            with self._file.open("rb") as file:
                return not _locked(file.fileno())
        except FileNotFoundError:
            return False

    def announced(self) -> bool:
        """Whether it was announced that the file does not change. Raises OSError."""
        return self._file.read_bytes() == _HELD

    def announce(self) -> None:
        """Announce that the file does not change from now on. Raises OSError."""
        self._file.write_bytes(_HELD)


def copy_held(path: Path, to: Path, advance: Callable[[int], None], *, wait_s: float = WAIT_S) -> None:
    """Copy the file as of one moment.

    Args:
        path: the DuckDB file.
        to: a new file; incomplete after an error.
        advance: called with the number of bytes just copied.
        wait_s: how long to wait for a service that has the file open.

    Raises:
        HistoryUnavailable: it cannot be read, or changed meanwhile.
        OSError: the copy cannot be written.
    """
    with _held(path, wait_s), path.open("rb") as source:
        head = source.read(_HEAD)
        source.seek(0)
        with to.open("xb") as copy:
            while chunk := source.read(_CHUNK):
                copy.write(chunk)
                advance(len(chunk))
            copy.flush()
            os.fsync(copy.fileno())
        source.seek(0)
        if source.read(_HEAD) != head:
            raise HistoryUnavailable(
                f"{path}: 复制期间服务重启或日志过长,请重试 the service ended meanwhile, or its log grew too long;"
                " try again, or with the service stopped"
            )


def count_stored(copy: Path) -> int:
    """Count the readings in a copy. Raises HistoryUnavailable: it cannot be read."""
    try:
        with duckdb.connect(str(copy), read_only=True) as file:
            [(count,)] = file.execute("SELECT count(*) FROM readings").fetchall()
    except duckdb.Error as error:
        raise HistoryUnavailable(f"{copy}: {error}") from error
    return int(count)


@contextmanager
def _held(path: Path, wait_s: float) -> Iterator[None]:
    """Hold the file unchanged, unless a service starts or ends."""
    hold, until = _hold_file(path), time.monotonic() + wait_s
    with hold.open("a+b") as file:
        while not _locked(file.fileno()):
            _wait(until, f"{path}: 另一备份正在进行 another copy is under way")
        file.truncate(0)
        if not _at_rest(path):
            while hold.read_bytes() != _HELD:
                _wait(until, f"{path}: 服务未应答 the service that has it open does not answer; stop it, or try again")
        yield


def _at_rest(path: Path) -> bool:
    """Whether nobody has the file open; if so, its log is written into it."""
    try:
        with duckdb.connect(str(path)) as file:
            file.execute("CHECKPOINT")
    except duckdb.Error as error:
        if "lock" in str(error):
            return False
        raise HistoryUnavailable(f"{path}: {error}") from error
    return True


def _wait(until: float, otherwise: str) -> None:
    if time.monotonic() > until:
        raise HistoryUnavailable(otherwise)
    time.sleep(_POLL_S)


def _locked(file: int) -> bool:
    """Lock an open file unless somebody else has; returns whether that succeeded."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _hold_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.hold")
