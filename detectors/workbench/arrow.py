"""Reads a table that any library hands over by the Arrow PyCapsule protocol (`__arrow_c_stream__`), without Arrow.

The structures are those of the Arrow C data and stream interfaces: https://arrow.apache.org/docs/format/CDataInterface.html.
Numbers, decimals of 128 bits, booleans, dates, times and texts are read; columns of other types are left out.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from detectors.workbench.columns import Column, numbers_column, texts_column, time_column
from detectors.workbench.csv_shape import distinct
from detectors.workbench.errors import InvalidData


class _Schema(ctypes.Structure):
    pass


class _Array(ctypes.Structure):
    pass


class _Stream(ctypes.Structure):
    pass


_Schema._fields_ = [
    ("format", ctypes.c_char_p), ("name", ctypes.c_char_p), ("metadata", ctypes.c_void_p), ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64), ("children", ctypes.POINTER(ctypes.POINTER(_Schema))),
    ("dictionary", ctypes.POINTER(_Schema)), ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Schema))),
    ("private_data", ctypes.c_void_p),
]  # fmt: skip
_Array._fields_ = [
    ("length", ctypes.c_int64), ("null_count", ctypes.c_int64), ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64), ("n_children", ctypes.c_int64), ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(_Array))), ("dictionary", ctypes.POINTER(_Array)),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Array))), ("private_data", ctypes.c_void_p),
]  # fmt: skip
_Stream._fields_ = [
    ("get_schema", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Stream), ctypes.POINTER(_Schema))),
    ("get_next", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Stream), ctypes.POINTER(_Array))),
    ("get_last_error", ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.POINTER(_Stream))),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Stream))), ("private_data", ctypes.c_void_p),
]  # fmt: skip

NUMBERS: Final[Mapping[str, type[np.generic]]] = {
    "c": np.int8, "C": np.uint8, "s": np.int16, "S": np.uint16, "i": np.int32, "I": np.uint32, "l": np.int64,
    "L": np.uint64, "e": np.float16, "f": np.float32, "g": np.float64,
}  # fmt: skip
"""Types of numbers by their Arrow format, which the interchange protocol of DataFrames uses, too."""

UNITS: Final = {"s": 10**9, "m": 10**6, "u": 10**3, "n": 1}
"""ns in the units of Arrow's timestamps, `ts` + unit + ":" + zone."""

_DECIMAL: Final = re.compile(r"d:\d+,(\d+)(?:,128)?")
_DAY: Final = 86_400 * 10**9
_IN_PLACE: Final = 12  # a view of a text has its bytes within itself up to so many


def columns_of(exporter: Any) -> dict[str, Column | None]:
    """Return the columns by name, None where the type is not one of those read.

    Raises:
        InvalidData: the library cannot hand the table over.
        ImportError: it needs another library for that.
    """
    capsule = exporter.__arrow_c_stream__()
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    stream = ctypes.cast(pointer(capsule, b"arrow_array_stream"), ctypes.POINTER(_Stream))
    schema = _Schema()
    _ask(stream, stream.contents.get_schema, schema)
    try:
        if schema.format != b"+s":
            raise InvalidData("the data", "由列组成的表", "a table of columns")
        fields = [schema.children[at].contents for at in range(schema.n_children)]
        formats = [f"{'dictionary ' if field.dictionary else ''}{field.format.decode()}" for field in fields]
        names = distinct([(field.name or b"").decode() for field in fields])
        parts: list[list[Column | None]] = [[] for _ in fields]
        for batch in _batches(stream):
            for at, form in enumerate(formats):
                whole = slice(batch.offset, batch.offset + batch.length)
                parts[at].append(_column(form, batch.children[at].contents, whole))
    finally:
        schema.release(ctypes.byref(schema))
    return {name: Column.joined(found) for name, found in zip(names, parts, strict=True)}


def _ask(stream: Any, function: Callable[..., int], into: ctypes.Structure) -> None:
    if function(stream, ctypes.byref(into)):
        why = (stream.contents.get_last_error(stream) or b"").decode(errors="replace")
        raise InvalidData("the data", f"能读取的表：{why}", f"a table that can be read: {why}")


def _batches(stream: Any) -> Iterator[Any]:
    while True:
        batch = _Array()
        _ask(stream, stream.contents.get_next, batch)
        if not batch.release:
            return
        try:
            yield batch
        finally:
            batch.release(ctypes.byref(batch))


def _column(form: str, array: Any, rows: slice) -> Column | None:
    """Copy some rows of an array; None for a type that is not read."""
    begin, many = array.offset + rows.start, rows.stop - rows.start
    known = _bits(array.buffers[0], begin, many) if array.buffers[0] else np.ones(many, bool)
    numbers = _numbers(form, array, begin, many)
    if numbers is not None:
        return numbers_column(numbers, known)
    if form.startswith("ts"):
        unit, _, zone = form[2:].partition(":")
        return time_column(_copied(array.buffers[1], np.int64, begin, many) * UNITS[unit], known, zoned=bool(zone))
    if form == "tdD":
        return time_column(_copied(array.buffers[1], np.int32, begin, many).astype(np.int64) * _DAY, known, zoned=False)
    if form in {"u", "U"}:
        edges = _copied(array.buffers[1], np.int32 if form == "u" else np.int64, begin, many + 1).tolist()
        data = _copied(array.buffers[2], np.uint8, 0, edges[-1] if many else 0).tobytes()
        return texts_column([data[a:b].decode() for a, b in pairwise(edges)], known)
    return texts_column(list(_views(array, begin, many)), known) if form == "vu" else None


def _numbers(form: str, array: Any, begin: int, many: int) -> NDArray[Any] | None:
    """Copy numbers, decimals or booleans; None for any other type."""
    if form in NUMBERS:
        return _copied(array.buffers[1], NUMBERS[form], begin, many)
    if decimal := _DECIMAL.fullmatch(form):
        return _decimals(array.buffers[1], int(decimal[1]), begin, many)
    return _bits(array.buffers[1], begin, many) if form == "b" else None


def _copied(address: int | None, of: type[np.generic], begin: int, many: int) -> NDArray[Any]:
    size = np.dtype(of).itemsize
    if not address or not many:
        return np.zeros(many, of)
    return np.frombuffer(ctypes.string_at(address + begin * size, many * size), of)


def _decimals(address: int | None, scale: int, begin: int, many: int) -> NDArray[np.float64]:
    """Return float64[n] of whole numbers of 128 bits, low half first, of which `scale` digits are decimals."""
    low = _copied(address, np.uint64, 2 * begin, 2 * many)[::2]
    high = _copied(address, np.int64, 2 * begin, 2 * many)[1::2]
    narrow = low.astype(np.int64)
    whole = np.where(narrow >> 63 == high, narrow.astype(np.float64), high * 2.0**64 + low)
    return np.asarray(whole / 10.0**scale, np.float64)


def _bits(address: int | None, begin: int, many: int) -> NDArray[np.bool_]:
    if not address or not many:
        return np.zeros(many, bool)
    whole = np.frombuffer(ctypes.string_at(address, (begin + many + 7) // 8), np.uint8)
    return np.unpackbits(whole, bitorder="little")[begin : begin + many].astype(bool)


def _views(array: Any, begin: int, many: int) -> Iterator[str]:
    """Yield texts that are views: length, then the text itself, or four bytes of it, the buffer and the place there."""
    views = _copied(array.buffers[1], np.uint8, 16 * begin, 16 * many).tobytes()
    for at in range(0, 16 * many, 16):
        length = int.from_bytes(views[at : at + 4], "little")
        if length <= _IN_PLACE:
            yield views[at + 4 : at + 4 + length].decode()
        else:
            buffer, place = (int.from_bytes(views[at + k : at + k + 4], "little") for k in (8, 12))
            yield ctypes.string_at(array.buffers[2 + buffer] + place, length).decode()
