"""A table of columns over time, cleaned: rows in the order of their times, and a count of everything left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.workbench.cells import NO_TIME, TIMES, TIMES_ZH
from detectors.workbench.errors import InvalidData, unknown

Floats = NDArray[np.float64]

MOST_BAD: Final = 0.5
"""Share of rows without a usable time, or of cells that are no number, beyond which the file or column is refused."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something of the data that was not used.

    Attributes:
        what: "bad cells", "text", "empty", "no time", "repeated time", "out of order", "misshapen", "preamble".
        many: cells or rows.
        column: None: it is about rows.
        line: of the first, counted as in the file; in data without lines the row, from 1.
        value: of the first.
    """

    what: str
    many: int
    column: str | None = None
    line: int | None = None
    value: str = ""


@dataclass(frozen=True, slots=True)
class BadCells:
    """The cells of a column that are neither a number nor empty; the first by line and value."""

    many: int = 0
    line: int = 0
    value: str = ""

    def __add__(self, other: BadCells) -> BadCells:
        first = self if self.many else other
        return BadCells(self.many + other.many, first.line, first.value)


@dataclass(frozen=True, slots=True, eq=False)
class Raw:
    """A table as read.

    Attributes:
        name: the file, or what else it is.
        time: int64[n], ns since the epoch, `NO_TIME` where unknown.
        line: int64[n], of each row.
        columns: their names.
        values: float64[n, d], NaN = none.
        bad: a column each.
        first_untimed: the first text that is no time.
        time_column: its name, None = there is none.
        facts: what is known to be left out already.
    """

    name: str
    time: NDArray[np.int64]
    line: NDArray[np.int64]
    columns: Sequence[str]
    values: Floats
    bad: Sequence[BadCells]
    first_untimed: str = ""
    time_column: str | None = None
    facts: Sequence[Fact] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Columns over time.

    Attributes:
        name: the file, or what else it is.
        columns: the columns with numbers.
        time: int64[n], ns since the epoch, strictly increasing.
        facts: what was left out.
        offset_s: what local time is ahead of UTC at the first row.
    """

    name: str
    columns: tuple[str, ...]
    time: NDArray[np.int64]
    facts: tuple[Fact, ...]
    offset_s: float
    time_column: str | None
    _values: Floats = field(repr=False)
    _row: NDArray[np.intp] = field(repr=False)
    _column: NDArray[np.intp] = field(repr=False)

    def __len__(self) -> int:
        return len(self.time)

    def rows(self, begin: int, end: int) -> Floats:
        """float64[m, d], the rows from `begin` up to before `end`."""
        return np.asarray(self._values[self._row[begin:end]][:, self._column], np.float64)

    def column(self, name: str) -> Floats:
        """float64[n], one column. Raises InvalidRule for an unknown name."""
        if name not in self.columns:
            raise unknown("column", name, self.columns)
        return np.asarray(self._values[:, self._column[self.columns.index(name)]][self._row], np.float64)

    def chosen(self, only: Sequence[str] = (), without: Sequence[str] = ()) -> Table:
        """Return the table of some columns. Raises InvalidRule for an unknown name."""
        only, without = ((names,) if isinstance(names, str) else names for names in (only, without))
        for name in (*only, *without):
            if name not in self.columns:
                raise unknown("column", name, self.columns)
        kept = [at for at, name in enumerate(self.columns) if (not only or name in only) and name not in without]
        columns = tuple(self.columns[at] for at in kept)
        if not columns:
            raise InvalidData(self.name, "至少留下一列", "at least one column to be left")
        return Table(
            self.name, columns, self.time, self.facts, self.offset_s, self.time_column,
            self._values, self._row, self._column[kept],
        )  # fmt: skip


def cleaned(raw: Raw, offset_s: float) -> Table:
    """Return the usable part of a table. Raises InvalidData if there is none."""
    facts = list(raw.facts)
    timed = raw.time != NO_TIME
    if lost := int((~timed).sum()):
        at = int(np.argmin(timed))
        line = int(raw.line[at])
        if lost > MOST_BAD * len(timed):
            where = f"{raw.name}: line {line}: column {raw.time_column!r} = {raw.first_untimed!r}"
            raise InvalidData(where, TIMES_ZH, TIMES)
        facts.append(Fact("no time", lost, raw.time_column, line, raw.first_untimed))
    row = np.flatnonzero(timed)
    if not len(row):
        raise InvalidData(raw.name, "表头下至少一行读数", "at least one line of readings below the header")
    row = _in_order(raw, row, facts)
    kept = [at for at in range(len(raw.columns)) if _usable(raw, at, facts)]
    if not kept:
        left_out = [f"column {fact.column!r} = {fact.value!r}" for fact in facts if fact.what in {"text", "empty"}]
        where = ": ".join([raw.name, *left_out[:1]])
        raise InvalidData(where, "除时间外至少一列数字", "at least one column of numbers beside the time")
    columns = tuple(raw.columns[at] for at in kept)
    return Table(
        raw.name, columns, raw.time[row], tuple(facts), offset_s, raw.time_column, raw.values, row,
        np.array(kept, np.intp),
    )  # fmt: skip


def _in_order(raw: Raw, row: NDArray[np.intp], facts: list[Fact]) -> NDArray[np.intp]:
    """Return the rows in the order of their times, of those with one time the first."""
    early = np.flatnonzero(np.diff(raw.time[row]) < 0)
    if len(early):
        facts.append(Fact("out of order", len(early), raw.time_column, int(raw.line[row[early[0] + 1]])))
        row = row[np.argsort(raw.time[row], kind="stable")]
    again = np.flatnonzero(np.diff(raw.time[row]) == 0) + 1
    if len(again):
        facts.append(Fact("repeated time", len(again), raw.time_column, int(raw.line[row[again]].min())))
        row = np.delete(row, again)
    return row


def _usable(raw: Raw, at: int, facts: list[Fact]) -> bool:
    """Whether a column holds numbers; what is wrong with it is added to the facts."""
    bad = raw.bad[at]
    numbers = int(np.count_nonzero(~np.isnan(raw.values[:, at])))
    if bad.many > MOST_BAD * (bad.many + numbers):
        facts.append(Fact("text", bad.many, raw.columns[at], bad.line, bad.value))
        return False
    if not numbers:
        facts.append(Fact("empty", len(raw.time), raw.columns[at]))
        return False
    if bad.many:
        facts.append(Fact("bad cells", bad.many, raw.columns[at], bad.line, bad.value))
    return True
