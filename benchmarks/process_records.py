"""Labelled recordings of processes, recognised by their columns and not by their names."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]

_STAMPS: Final = ("%Y-%m-%d %H:%M:%S", "%d/%m/%y %H")


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """One file.

    Attributes:
        name: of the file, without its ending.
        time_s: float64[n], increasing.
        rows: float64[n, d] readings; NaN = none.
        truth: bool[n], labelled as fault, attack or anomaly.
        labelled: bool[n], the file says which of both it is.
    """

    name: str
    time_s: Floats
    rows: Floats
    truth: Flags
    labelled: Flags


def recordings(data: Path, time: str, label: str) -> list[Recording]:
    """Every file of a folder that has both columns, by name. Raises FileNotFoundError where there is none."""
    found = [recording for path in sorted(data.glob("*.csv")) if (recording := _read(path, time, label)) is not None]
    if not found:
        raise FileNotFoundError(f"{data}: no recordings (*.csv with columns {time!r} and {label!r})")
    return found


def _read(path: Path, time: str, label: str) -> Recording | None:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        table = csv.reader(lines)
        header = [name.strip() for name in next(table, [])]
        if time not in header or label not in header:
            return None
        rows = [row for row in table if row]
    columns = {name: [row[at] for row in rows] for at, name in enumerate(header)}
    marks, stamps = _numbers(columns.pop(label)), columns.pop(time)
    return Recording(
        name=path.stem,
        time_s=_increasing(_seconds(stamps, path)),
        rows=np.array([_numbers(column) for column in columns.values()]).T.copy(),
        truth=marks > 0,
        labelled=~(marks < 0),  # nothing at all stands in a file without attacks
    )


def _numbers(cells: list[str]) -> Floats:
    return np.array([float(cell.strip() or "nan") for cell in cells])


def _seconds(stamps: list[str], path: Path) -> Floats:
    parsers: list[Callable[[str], float]] = [float, *(_by(form) for form in _STAMPS)]
    for parse in parsers:
        try:
            return np.array([parse(stamp) for stamp in stamps])
        except ValueError:
            continue
    raise ValueError(f"{path}: times such as {stamps[0]!r}: expected seconds or one of {', '.join(_STAMPS)}")


def _by(form: str) -> Callable[[str], float]:
    return lambda stamp: datetime.strptime(stamp, form).replace(tzinfo=UTC).timestamp()


def _increasing(time_s: Floats) -> Floats:
    """A row stands for a reading, also where its stamp repeats or goes back: it is then a millisecond later."""
    step = np.arange(len(time_s)) / 1000
    return np.asarray(np.maximum.accumulate(time_s - step) + step)
