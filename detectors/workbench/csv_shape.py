"""How a CSV file is written: its separator, its header, its decimals; and columns of cells as numbers."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from detectors.workbench.cells import number_of, time_of
from detectors.workbench.layout import AUTO, SEPARATORS
from detectors.workbench.table import BadCells


def numbers(
    texts: Sequence[str], line: NDArray[np.int64], *, comma: bool = False
) -> tuple[NDArray[np.float64], BadCells]:
    """Return float64[n], NaN where a cell is no number, and the cells that say something else; `line`: of each."""
    if not comma:
        try:
            values = np.fromiter(map(float, texts), np.float64, len(texts))
        except ValueError:
            pass
        else:
            if not np.isinf(values).any():
                return values, BadCells()
    read = [number_of(text, comma=comma) for text in texts]
    wrong = [at for at, value in enumerate(read) if value is None]
    values = np.array([np.nan if value is None else value for value in read])
    return values, BadCells(len(wrong), int(line[wrong[0]]), texts[wrong[0]]) if wrong else BadCells()


def _usual(counts: Sequence[int]) -> tuple[int, int]:
    """Return how many lines have the most usual number of cells, and this number; (0, 0) if that is one cell."""
    cells, lines = max(Counter(counts).items(), key=lambda pair: (pair[0] > 1, pair[1]), default=(0, 0))
    return (lines, cells) if cells > 1 else (0, cells)


def shape_of(head: Sequence[str], given: str) -> tuple[str, int]:
    """Return the separator, by which most lines have equally many cells, and how many lines stand above these.

    `given`: see `Layout.separator`.
    """
    counts = {
        separator: [len(next(csv.reader([line], delimiter=separator), [])) for line in head]
        for separator in (SEPARATORS if given == AUTO else (given,))
    }
    usual = {separator: _usual(count) for separator, count in counts.items()}
    best = max(usual, key=lambda separator: usual[separator])
    width = usual[best][1]
    header = (at for at, count in enumerate(counts[best]) if count > 1 and width - 1 <= count <= width)
    return best, next(header, 0)


def distinct(names: Sequence[str]) -> list[str]:
    """Return the names, those of columns without one or with one that is taken being told apart."""
    found: list[str] = []
    for at, name in enumerate(names, 1):
        wanted, again = name or f"column {at}", 2
        while wanted in found:
            wanted, again = f"{name or f'column {at}'} ({again})", again + 1
        found.append(wanted)
    return found


def all_values(names: Sequence[str], zone: ZoneInfo) -> bool:
    """Whether a line holds nothing but numbers and times: it is no header."""
    return all(number_of(name) is not None or time_of(name, zone) is not None for name in names)


def has_commas(sample: Sequence[Sequence[str]]) -> bool:
    """Whether decimals are parted by commas: some number has one, and none has a point."""
    cells = [cell.strip() for row in sample for cell in row]
    with_comma = any(number_of(cell) is None and number_of(cell, comma=True) is not None for cell in cells)
    return with_comma and not any("." in cell and number_of(cell) is not None for cell in cells)
