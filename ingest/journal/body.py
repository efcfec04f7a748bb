"""How a batch lies in the journal: its columns one after another, compressed, with a checksum."""

from __future__ import annotations

import struct
from typing import Final

import numpy as np
import zstandard

from ingest.model.batch import Batch

_VERSION: Final = 1
_HEAD: Final = struct.Struct("<BI")
_COLUMNS: Final = (("point", "<i4"), ("time", "<i8"), ("value", "<f8"), ("flags", "<u2"), ("received", "<i8"))


def pack(batch: Batch) -> bytes:
    """The batch as bytes."""
    columns = b"".join(getattr(batch, name).astype(kind, copy=False).tobytes() for name, kind in _COLUMNS)
    return _HEAD.pack(_VERSION, len(batch)) + zstandard.ZstdCompressor(level=1, write_checksum=True).compress(columns)


def unpack(body: bytes) -> Batch:
    """The batch that was packed. Raises ValueError if the bytes are damaged."""
    version, count = _HEAD.unpack_from(body)
    if version != _VERSION:
        raise ValueError(f"journal body of version {version}; expected {_VERSION}")
    try:
        columns = zstandard.ZstdDecompressor().decompress(body[_HEAD.size :])
    except zstandard.ZstdError as error:
        raise ValueError(f"journal body damaged: {error}") from error
    arrays, at = {}, 0
    for name, kind in _COLUMNS:
        arrays[name] = np.frombuffer(columns, kind, count, at)
        at += arrays[name].nbytes
    return Batch(**arrays)
