"""Encodes a batch as the body of a journal entry: its columns, compressed, with a checksum over the whole row.

Version 2: version, count, CRC-32 of everything else of the row but its id. Version 1, still read: version, count, and
the checksum of zstd, which does not know the row.
"""

from __future__ import annotations

import struct
import threading
from typing import Final
from zlib import crc32

import numpy as np
import zstandard

from ingest.domain.model.batch import Batch

_V1: Final = struct.Struct("<BI")
_V2: Final = struct.Struct("<BII")
_ROW: Final = struct.Struct("<BI3q")
_COLUMNS: Final = {
    name: np.dtype(kind)
    for name, kind in (("point", "<i4"), ("time", "<i8"), ("value", "<f8"), ("flags", "<u2"), ("received", "<i8"))
}
"""In the order in which a batch declares them."""

_READING: Final = sum(kind.itemsize for kind in _COLUMNS.values())


class _Zstd(threading.local):
    """Compression contexts of one thread: a context serves one thread at a time and is costly to create."""

    def __init__(self) -> None:
        self.compress = zstandard.ZstdCompressor(level=1).compress
        self.decompress = zstandard.ZstdDecompressor().decompress


_zstd: Final = _Zstd()


def pack(batch: Batch, *, received: int = 0, readings: int = 0, step: int = 0) -> bytes:
    """Encode the batch. The checksum also covers the other columns of its row, which are not in the body."""
    columns = b"".join(
        np.ascontiguousarray(column, kind).data for column, kind in zip(batch.columns(), _COLUMNS.values(), strict=True)
    )
    squeezed = _zstd.compress(columns)
    seal = crc32(squeezed, crc32(_ROW.pack(2, len(batch), received, readings, step)))
    return _V2.pack(2, len(batch), seal) + squeezed


def unpack(body: bytes, *, size: int, received: int = 0, readings: int = 0, step: int = 0) -> Batch:
    """Decode a batch. Raises ValueError if it or the columns of its row are not as they were written."""
    try:
        version, count = _V1.unpack_from(body)
        if version == 1:
            squeezed = body[_V1.size :]
        elif version == 2:
            seal, squeezed = _V2.unpack_from(body)[2], body[_V2.size :]
            if seal != crc32(squeezed, crc32(_ROW.pack(2, count, received, readings, step))):
                raise ValueError("journal entry damaged: its checksum differs")
        else:
            raise ValueError(f"journal entry damaged: body of version {version}; expected 1 or 2")
        # Checked first: a damaged length must not make us allocate all memory.
        if count != size or zstandard.frame_content_size(squeezed) != count * _READING:
            raise ValueError(f"journal entry damaged: {count} readings in its body, {size} in its row")
        columns = _zstd.decompress(squeezed)
    except (
        zstandard.ZstdError,
        struct.error,
        TypeError,
    ) as error:  # the last: SQLite read another type than was written
        raise ValueError(f"journal entry damaged: {error}") from error
    arrays, at = {}, 0
    for name, kind in _COLUMNS.items():
        arrays[name] = np.frombuffer(columns, kind, count, at)
        at += arrays[name].nbytes
    return Batch(**arrays)
