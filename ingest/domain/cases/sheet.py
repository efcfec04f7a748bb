"""A sheet: columns and rows of plain values, written as CSV, XLSX, HTML or JSON by `written`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar

from ingest.domain.model.payload import PLANT_TIME
from ingest.domain.model.text import Text

Value = str | int | float | dt.date | dt.datetime | None
"""What a cell holds. Texts are texts, whatever they look like; `None` is unknown and stays empty."""

Language = Literal["zh", "en"]
Kind = Literal["text", "count", "share", "money", "day", "time"]

Row = tuple[Value, ...]

R = TypeVar("R")


class Rows(Protocol):
    """Rows whose number is known, to be gone through again and again; not all of them need be in memory."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Row]: ...


Keep = Callable[[Iterable[Row]], Rows]
"""Takes rows as they are made and keeps them: `tuple` in memory, `ingest.services.exports.spool` in a file."""


@dataclass(frozen=True, slots=True)
class Column(Generic[R]):
    """A column: its key in JSON, its heading, what kind of value, and how it is got from a record.

    Money is in yuan, a share from 0 to 1, a time is the plant's.
    """

    key: str
    heading: Text
    kind: Kind
    of: Callable[[R], Any]
    wide: bool = False  # long texts


@dataclass(frozen=True, slots=True)
class Sheet:
    """A finished sheet.

    Attributes:
        title, subtitle: what it is, and of what span and plants.
        columns: keys, headings and kinds; `of` is not needed any more.
        made: when its figures were true, ns since the epoch.
    """

    name: str
    title: Text
    subtitle: Text
    columns: tuple[Column[Any], ...]
    rows: Rows
    made: int


def fill(
    name: str,
    title: Text,
    subtitle: Text | Callable[[int], Text],
    columns: Sequence[Column[R]],
    records: Iterable[R],
    made: int,
    lang: Language = "zh",
    keep: Keep = tuple,
) -> Sheet:
    """Lay records out in columns; what has words in both languages is written in one.

    `subtitle`: itself, or what makes it of the number of rows.
    """
    rows = keep(tuple(_plain(column.kind, column.of(record), lang) for column in columns) for record in records)
    shown = subtitle if isinstance(subtitle, Text) else subtitle(len(rows))
    return Sheet(name, title, shown, tuple(columns), rows, made)


def local(time: int) -> dt.datetime:
    """A time of the plant's, to the second, without its zone: spreadsheets know none.

    >>> local(1_763_884_800 * 10**9)
    datetime.datetime(2025, 11, 23, 16, 0)
    """
    return dt.datetime.fromtimestamp(time // 10**9, PLANT_TIME).replace(tzinfo=None)


def shown(kind: Kind, value: Value) -> str:
    """A value as people read it.

    >>> shown("share", 0.925), shown("money", 1250.5), shown("time", None)
    ('92.5 %', '1250.50', '')
    """
    if value is None:
        return ""
    if kind == "share":
        return f"{float(value) * 100:.1f} %"  # type: ignore[arg-type]
    if kind == "money":
        return f"{value:.2f}"
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return str(value)


def _plain(kind: Kind, value: Any, lang: Language) -> Value:
    if isinstance(value, Text):
        return value.zh if lang == "zh" else value.en
    if value is None or kind != "time":
        return value  # type: ignore[no-any-return]
    return local(value)
