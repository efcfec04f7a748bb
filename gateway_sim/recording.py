"""Recorded CSV files as frames of a gateway: read, checked, and every fault named with file, line, column and value."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from detectors.workbench.cells import TIMES, number_of, time_of, zone_of
from detectors.workbench.errors import InvalidData
from detectors.workbench.layout import AUTO, SEPARATORS, TIMEZONE


class InvalidRecording(Exception):
    """A recording that cannot be replayed; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How to read a file.

    Attributes:
        columns: column of the file -> point of the plant.
        time_column: where the time stands; see `TIMES`.
        separator: one character, or "auto".
        timezone: of times that do not name one.
    """

    columns: Mapping[str, str]
    time_column: str = "datetime"
    separator: str = AUTO
    timezone: str = TIMEZONE


@dataclass(frozen=True, slots=True)
class Recording:
    """A file, read whole: `time_ms` strictly increasing, one column a point, None = no value."""

    time_ms: list[int]
    values: dict[str, list[float | None]]

    def __len__(self) -> int:
        return len(self.time_ms)

    @property
    def readings(self) -> int:
        """Cells, empty ones included."""
        return len(self.time_ms) * len(self.values)

    def shifted_to_end_at(self, end_ms: int) -> Recording:
        """The same with the last row at `end_ms`."""
        by = end_ms - self.time_ms[-1]
        return Recording([time + by for time in self.time_ms], self.values)

    def rows(self, start: int, end: int) -> tuple[list[int], dict[str, list[float | None]]]:
        """Times and columns of the rows `start` up to before `end`."""
        return self.time_ms[start:end], {point: column[start:end] for point, column in self.values.items()}


def read_recording(file: Path, layout: Layout) -> Recording:
    """Read a recording.

    Raises:
        InvalidRecording: the file cannot be read, a column is missing, a cell is not what it must be, or time does not
            increase.
    """
    zone = _zone(layout.timezone)
    time_ms: list[int] = []
    values: dict[str, list[float | None]] = {point: [] for point in layout.columns.values()}
    for line, row in _rows(file, layout):
        text = row[layout.time_column]
        time_ns = time_of(text, zone)
        if time_ns is None:
            raise _fault(file, line, layout.time_column, text, TIMES)
        time = round(time_ns / 1_000_000)
        if time_ms and time <= time_ms[-1]:
            raise _fault(file, line, layout.time_column, text, "a time later than the line before")
        time_ms.append(time)
        for column, point in layout.columns.items():
            values[point].append(_value(file, line, column, row[column]))
    if not time_ms:
        raise InvalidRecording(f"{file}: expected at least one line of readings below the header")
    return Recording(time_ms, values)


def _rows(file: Path, layout: Layout) -> Iterator[tuple[int, dict[str, str]]]:
    """Every line that is not empty, with its number, as column -> text."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            head = stream.readline().rstrip("\r\n")
            separator = max(SEPARATORS, key=head.count) if layout.separator == AUTO else layout.separator
            header = next(csv.reader([head], delimiter=separator), [])
            for wanted in (layout.time_column, *layout.columns):
                if wanted not in header:
                    raise InvalidRecording(f"{file}: line 1: no column {wanted!r}; it has: {', '.join(header)}")
            reader = csv.reader(stream, delimiter=separator)
            for cells in reader:
                line = reader.line_num + 1
                if cells and len(cells) != len(header):
                    raise InvalidRecording(f"{file}: line {line}: {len(cells)} cells; expected {len(header)}")
                if cells:
                    yield line, dict(zip(header, cells, strict=True))
    except OSError as error:
        raise InvalidRecording(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidRecording(f"{file}: byte {error.start}: expected UTF-8 text") from error
    except csv.Error as error:
        raise InvalidRecording(f"{file}: not a CSV file: {error}") from error


def _zone(name: str) -> ZoneInfo:
    try:
        return zone_of(name)
    except InvalidData as error:
        raise InvalidRecording(str(error)) from error


def _value(file: Path, line: int, column: str, text: str) -> float | None:
    value = number_of(text)
    if value is None:
        raise _fault(file, line, column, text, "a finite number or nothing")
    return None if math.isnan(value) else value


def _fault(file: Path, line: int, column: str, value: str, expected: str) -> InvalidRecording:
    return InvalidRecording(f"{file}: line {line}: column {column!r} = {value!r}: expected {expected}")
