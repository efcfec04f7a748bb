"""A DataFrame of nothing but the interchange protocol, as pandas hands one over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Buffer:
    array: NDArray[Any]

    @property
    def ptr(self) -> int:
        return int(self.array.ctypes.data)

    @property
    def bufsize(self) -> int:
        return self.array.nbytes


@dataclass(frozen=True)
class Part:
    """A column: int64, float64, bool, datetime64[ns] or texts with None."""

    values: NDArray[Any]
    offset: int = 0

    @property
    def dtype(self) -> tuple[int, int, str, str]:
        return {
            "i": (0, 64, "l", "="), "f": (2, 64, "g", "="), "b": (20, 8, "b", "|"),
            "M": (22, 64, "tsn:", "="), "O": (21, 8, "u", "="),
        }[self.values.dtype.kind]  # fmt: skip

    @property
    def describe_null(self) -> tuple[int, int | None]:
        null: tuple[int, int | None] = (0, None)
        return {"f": (1, None), "M": (2, np.iinfo(np.int64).min), "O": (4, 0)}.get(self.values.dtype.kind, null)

    def size(self) -> int:
        return len(self.values)

    def get_chunks(self) -> Iterator[Part]:
        half = len(self.values) // 2
        yield Part(self.values[:half].copy())
        yield Part(self.values[half:].copy())

    def get_buffers(self) -> dict[str, Any]:
        if self.values.dtype.kind != "O":
            return {"data": (Buffer(self.values), self.dtype), "validity": None, "offsets": None}
        texts = [(text or "").encode() for text in self.values]
        data = np.frombuffer(b"".join(texts) or b"\0", np.uint8)
        edges = np.cumsum([0, *map(len, texts)]).astype(np.int64)
        known = np.array([text is not None for text in self.values], np.uint8)
        return {
            "data": (Buffer(data), (1, 8, "C", "=")),
            "validity": (Buffer(known), (20, 8, "b", "=")),
            "offsets": (Buffer(edges), (0, 64, "l", "=")),
        }


class Frame:
    """What `__dataframe__` returns, and what offers it."""

    def __init__(self, columns: Mapping[str, NDArray[Any]]) -> None:
        self._columns = columns

    def __dataframe__(self, *, allow_copy: bool = True) -> Frame:
        return self

    def column_names(self) -> list[str]:
        return [*self._columns]

    def get_column_by_name(self, name: str) -> Part:
        return Part(self._columns[name])
