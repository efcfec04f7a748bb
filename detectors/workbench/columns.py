"""A column as a library hands it over: numbers, times or texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.workbench.cells import NO_TIME


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One of the three.

    Attributes:
        numbers: float64[n], NaN = none.
        time: int64[n], ns, `NO_TIME` = none.
        texts: one a row, "" = none.
        zoned: the times are UTC; else what a clock showed.
    """

    numbers: NDArray[np.float64] | None = None
    time: NDArray[np.int64] | None = None
    texts: Sequence[str] | None = None
    zoned: bool = False

    def __len__(self) -> int:
        return next(len(part) for part in (self.numbers, self.time, self.texts) if part is not None)

    @classmethod
    def joined(cls, parts: Sequence[Column | None]) -> Column | None:
        """Return one column of parts of one type; None if there is none, or one of them is None."""
        found = [part for part in parts if part is not None]
        if not found or len(found) < len(parts):
            return None
        first = found[0]
        if first.numbers is not None:
            return cls(numbers=np.concatenate([part.numbers for part in found if part.numbers is not None]))
        if first.time is not None:
            whole = np.concatenate([part.time for part in found if part.time is not None])
            return cls(time=whole, zoned=first.zoned)
        return cls(texts=[text for part in found for text in part.texts or ()])


def numbers_column(values: NDArray[np.generic], known: NDArray[np.bool_]) -> Column:
    """Return a column of numbers (any type, [n]); `known`: bool[n]."""
    return Column(numbers=np.where(known, np.asarray(values, np.float64), np.nan))


def time_column(time: NDArray[np.int64], known: NDArray[np.bool_], *, zoned: bool) -> Column:
    """Return a column of times, ns."""
    return Column(time=np.where(known, time, NO_TIME), zoned=zoned)


def texts_column(texts: Sequence[str], known: NDArray[np.bool_]) -> Column:
    """Return a column of texts."""
    return Column(texts=[text if there else "" for text, there in zip(texts, known.tolist(), strict=True)])
