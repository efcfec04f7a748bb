"""Reads CSV files as people and historians export them, into a temporary file of numbers, so that memory stays small.

The separator, the encoding (UTF-8, UTF-16 by its mark, GB 18030), decimal commas, lines above the header and the column
of times are found; what cannot be read is counted and named.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, Protocol
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from detectors.workbench.cells import NO_TIME, times_of, zone_of
from detectors.workbench.csv_shape import all_values, distinct, has_commas, numbers, shape_of
from detectors.workbench.errors import InvalidData
from detectors.workbench.layout import Layout
from detectors.workbench.table import BadCells, Fact, Raw, Table, cleaned
from detectors.workbench.times import offset_of, regular, time_column_of

_HEAD: Final = 40  # lines that are looked at to find out how the file is written
_CHUNK: Final = 4_000  # lines read at once
_MARKS: Final = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def read_csv(file: Path, layout: Layout | None = None, progress: Callable[[int], None] = lambda _: None) -> Table:
    """Read a file; `progress` is called with the bytes read since it was called last.

    Raises:
        InvalidData: the file cannot be read, or nothing in it can be used; it names file, line, column and value.
    """
    layout = layout or Layout()
    zone = zone_of(layout.timezone)
    try:
        with file.open("rb") as stream:
            for encoding in _encodings(stream.read(2), layout.encoding):
                stream.seek(0)
                try:
                    return _Reading(file, stream, encoding, layout, zone, progress).table()
                except UnicodeError:
                    continue
    except OSError as error:
        raise InvalidData(f"{file}: {error.strerror}", "能读取的文件", "a file that can be read") from error
    except LookupError as error:
        raise InvalidData(f"{file}: {layout.encoding!r}", "一种文本编码，如 gbk", "an encoding such as gbk") from error
    wanted = layout.encoding
    raise InvalidData(f"{file}", f"{wanted or 'UTF-8 或 GBK'} 编码的文本", f"text in {wanted or 'UTF-8 or GBK'}")


def _encodings(mark: bytes, given: str | None) -> Sequence[str]:
    if given is not None:
        return (given,)
    return (_MARKS[mark],) if mark in _MARKS else ("utf-8-sig", "gb18030")


class _Reader(Iterator[list[str]], Protocol):
    """A reader of the csv module."""

    @property
    def line_num(self) -> int: ...


class _Reading:
    """One pass over a file in one encoding."""

    def __init__(
        self, file: Path, stream: BinaryIO, encoding: str, layout: Layout, zone: ZoneInfo,
        progress: Callable[[int], None],
    ) -> None:  # fmt: skip
        self._file, self._layout, self._zone, self._progress = file, layout, zone, progress
        self._stream, self._encoding = stream, encoding
        self._facts: list[Fact] = []
        self._misshapen = BadCells()

    def table(self) -> Table:
        """Read it. Raises InvalidData, UnicodeError."""
        text = io.TextIOWrapper(self._stream, self._encoding, newline="")
        try:
            head = list(islice(text, _HEAD))
            separator, above = shape_of(head, self._layout.separator)
            text.seek(0)
            reader = csv.reader(islice(text, above, None), delimiter=separator)
            names = distinct([name.strip() for name in next(reader, [])])
            if len(names) < 1 + (self._layout.every_s is None):
                where = f"{self._file}: line {above + 1}: {head[above].strip()[:80] if head else ''!r}"
                raise InvalidData(where, "一列时间和至少一列数字", "a column of times and at least one of numbers")
            sample = [cells for cells in csv.reader(head[above + 1 :], delimiter=separator) if cells]
            first = above + 1
            if all_values(names, self._zone):
                raise InvalidData(
                    f"{self._file}: line {first}: {separator.join(names)!r}",
                    "一行列名（表头）",
                    "a header line with the names of the columns",
                )
            if not sample:
                raise InvalidData(
                    f"{self._file}", "表头下至少一行读数", "at least one line of readings below the header"
                )
            if above:
                self._facts.append(Fact("preamble", above, None, 1, head[0].strip()))
            return self._numbers(reader, names, sample, above, comma=separator != "," and has_commas(sample))
        except csv.Error as error:
            raise InvalidData(f"{self._file}: {error}", "CSV 文件", "a CSV file") from error
        finally:
            text.detach()

    def _numbers(
        self, reader: _Reader, names: list[str], sample: Sequence[Sequence[str]], above: int, *, comma: bool
    ) -> Table:
        layout, timed = self._layout, None
        if layout.every_s is None:
            timed = time_column_of(str(self._file), names, sample, layout.time, self._zone, layout.time_form)
        others = [at for at in range(len(names)) if at != timed]
        bad = [BadCells()] * len(others)
        times: list[NDArray[np.int64]] = []
        lines: list[NDArray[np.int64]] = []
        untimed = ""
        with tempfile.TemporaryFile() as spool:
            for line, rows in self._chunks(reader, len(names), above):
                columns = list(zip(*rows, strict=True))
                if timed is not None:
                    times.append(times_of(columns[timed], self._zone, layout.time_form))
                    if not untimed and (times[-1] == NO_TIME).any():
                        untimed = columns[timed][int(np.argmax(times[-1] == NO_TIME))]
                lines.append(line)
                block = np.empty((len(rows), len(others)))
                for place, at in enumerate(others):
                    block[:, place], found = numbers(columns[at], line, comma=comma)
                    bad[place] += found
                _write(spool, block)
            many = sum(map(len, lines))
            self._require_shape(many, len(names))
            values = np.memmap(spool, np.float64, "r", shape=(many, len(others)))
        time = np.concatenate(times) if layout.every_s is None else regular(many, layout.every_s)
        raw = Raw(
            str(self._file), time, np.concatenate(lines), [names[at] for at in others], values, bad, untimed,
            None if timed is None else names[timed], self._facts,
        )  # fmt: skip
        return cleaned(raw, offset_of(time, self._zone))

    def _require_shape(self, rows: int, width: int) -> None:
        """Note lines of another width than the header's; refuse the file if they are most."""
        wrong = self._misshapen
        if wrong.many > rows:
            where = f"{self._file}: line {wrong.line}: {wrong.value} cells"
            raise InvalidData(where, f"{width} 个单元格，与表头相同", f"{width} cells, as many as the header has")
        if wrong.many:
            self._facts.append(Fact("misshapen", wrong.many, None, wrong.line, wrong.value))

    def _chunks(self, reader: _Reader, width: int, above: int) -> Iterator[tuple[NDArray[np.int64], list[list[str]]]]:
        """Yield rows as wide as the header, with their lines."""
        before = 0
        numbered = ((reader.line_num + above, row) for row in reader)
        while taken := list(islice(numbered, _CHUNK)):
            good: list[tuple[int, list[str]]] = []
            for line, row in taken:
                if len(row) == width:
                    good.append((line, row))
                elif len(row) == width + 1 and not row[-1]:  # a separator at the end of the line
                    good.append((line, row[:-1]))
                elif row and any(cell.strip() for cell in row):
                    self._misshapen += BadCells(1, line, str(len(row)))
            here = self._stream.tell()
            self._progress(here - before)
            before = here
            if good:
                lines, rows = zip(*good, strict=True)
                yield np.array(lines, np.int64), list(rows)


def _write(spool: BinaryIO, block: NDArray[np.float64]) -> None:
    """Append rows to the temporary file. Raises InvalidData if there is no room."""
    try:
        spool.write(block.tobytes())
    except OSError as error:
        raise InvalidData(
            f"{tempfile.gettempdir()}: {error.strerror}",
            "存放临时文件的目录有足够空间（TMPDIR 可另指一处）",
            "room in the folder of temporary files (TMPDIR names another one)",
        ) from error
