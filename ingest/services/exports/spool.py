"""Keeps the rows of a sheet in a temporary file, so that a long register takes no more memory than a short one."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from ingest.base.closing import closed_on_failure
from ingest.domain.cases.sheet import Row

_AT_ONCE: Final = 500  # rows in memory
_SMALL: Final = 1 << 20  # bytes that need no file


class Spool:
    """The rows it was given, in their order; they may be gone through again and again until it is closed."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_SMALL)  # noqa: SIM115  closed by `close`
        self._count = 0
        left = iter(rows)
        with closed_on_failure(self.close):
            while part := list(islice(left, _AT_ONCE)):
                pickle.dump(part, self._file)
                self._count += len(part)
        self._end = self._file.tell()

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Row]:
        at = 0
        while at < self._end:
            self._file.seek(at)
            part: list[Row] = pickle.load(self._file)  # noqa: S301  written above
            at = self._file.tell()
            yield from part

    def close(self) -> None:
        """Delete the file."""
        self._file.close()
