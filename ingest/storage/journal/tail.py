"""Keeps the newest entries in memory, so that a reader that keeps up need not read and decode them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from operator import attrgetter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.storage.journal.records import Entry

KEPT: Final = 4 << 20
"""Bytes kept: some seconds of a county, so that a history writer that writes seldom finds its entries here as well."""

_bytes: Final[Callable[[NDArray[np.generic]], int]] = attrgetter("nbytes")
_ENTRY: Final = 1_000  # bytes of an entry beside its columns: its objects and its arrays' heads


class Tail:
    """The newest entries without a gap, up to a size. Safe to use from any thread."""

    def __init__(self, last: int) -> None:
        """`last`: the newest entry that is only on disk; 0 = there is none."""
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque()
        self._before = last  # what is newer than this is here
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def append(self, entry: Entry) -> None:
        """Add the next entry, which is on disk now. Its columns become read-only."""
        for column in entry.batch.columns():
            column.flags.writeable = False  # every reader is handed the same arrays
        with self._lock:
            self._entries.append(entry)
            self._bytes += _size(entry)
            while self._bytes > KEPT:
                self._drop_oldest()

    def after(self, number: int, limit: int) -> list[Entry] | None:
        """Entries as `Journal.read` returns them; None if one may be on disk only, being older or another process's."""
        with self._lock:
            if not self._entries or number < self._before:
                return None
            found, size = list[Entry](), 0
            for at in range(number - self._before, len(self._entries)):
                entry = self._entries[at]
                size += len(entry.batch)
                if found and size > limit:
                    break
                found.append(entry)
            return found

    def trim(self, before: int) -> None:
        """Drop entries with a smaller id: they are no longer on disk."""
        with self._lock:
            while self._entries and self._entries[0].id < before:
                self._drop_oldest()

    def _drop_oldest(self) -> None:
        entry = self._entries.popleft()
        self._before = entry.id
        self._bytes -= _size(entry)


def _size(entry: Entry) -> int:
    return _ENTRY + sum(map(_bytes, entry.batch.columns()))
