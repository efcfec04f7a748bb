"""Reads a table by the DataFrame interchange protocol (`__dataframe__`), as pandas has it without Arrow.

https://data-apis.org/dataframe-protocol/latest/API.html
"""

from __future__ import annotations

import ctypes
import warnings
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from detectors.workbench.arrow import NUMBERS, UNITS
from detectors.workbench.columns import Column, numbers_column, texts_column, time_column

_NUMBERS: Final = (0, 1, 2)  # kinds of a column: integers, unsigned ones, floats
_BOOL: Final = 20
_STRING: Final = 21
_DATETIME: Final = 22
_NAN, _SENTINEL, _BITS, _BYTES = 1, 2, 3, 4  # how a column says that a value is missing


def columns_of(exporter: Any) -> dict[str, Column | None]:
    """Return the columns by name, None where the type is not one of those read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas 3 says that Arrow's protocol is the newer one; it needs pyarrow
        frame = exporter.__dataframe__(allow_copy=True)
        chunks = [list(frame.get_column_by_name(name).get_chunks()) for name in frame.column_names()]
        return {
            str(name): Column.joined([_column(part) for part in parts])
            for name, parts in zip(frame.column_names(), chunks, strict=True)
        }


def _column(part: Any) -> Column | None:
    try:
        kind, width, form, _ = part.dtype
        buffers = part.get_buffers()
    except NotImplementedError:  # a column of mixed objects
        return None
    begin, many = int(part.offset), int(part.size())
    data = buffers["data"][0]
    if kind == _STRING:
        edges = _view(buffers["offsets"][0], np.int64, begin, many + 1).tolist()
        whole = _view(data, np.uint8, 0, edges[-1] if many else 0).tobytes()
        known = _known(part, buffers, np.zeros(many), begin)
        return texts_column([whole[a:b].decode() for a, b in pairwise(edges)], known)
    if kind == _DATETIME and form.startswith("ts"):
        stamps = _view(data, np.int64, begin, many)
        unit, _, zone = form[2:].partition(":")
        known = _known(part, buffers, stamps, begin)
        return time_column(np.where(known, stamps, 0) * UNITS[unit], known, zoned=bool(zone))
    if kind == _BOOL and width == 8:
        values: NDArray[Any] = _view(data, np.uint8, begin, many)
    elif kind in _NUMBERS and form in NUMBERS:
        values = _view(data, NUMBERS[form], begin, many)
    else:
        return None
    return numbers_column(values, _known(part, buffers, values, begin))


def _known(part: Any, buffers: Any, values: NDArray[Any], begin: int) -> NDArray[np.bool_]:
    """bool[n], where there is a value."""
    how, missing = part.describe_null
    many = len(values)
    if how == _SENTINEL:
        return np.asarray(values != missing, np.bool_)
    if how == _BYTES and buffers["validity"] is not None:
        return np.asarray(_view(buffers["validity"][0], np.uint8, begin, many) != missing, np.bool_)
    if how == _BITS and buffers["validity"] is not None:
        whole = np.unpackbits(_view(buffers["validity"][0], np.uint8, 0, (begin + many + 7) // 8), bitorder="little")
        return np.asarray(whole[begin : begin + many] != missing, np.bool_)
    return np.ones(many, bool)  # none is missing, or NaN says so


def _view(buffer: Any, of: type[np.generic], begin: int, many: int) -> NDArray[Any]:
    size = np.dtype(of).itemsize
    return np.frombuffer(ctypes.string_at(buffer.ptr + begin * size, many * size), of)
