"""Takes data as people have it: a DataFrame of pandas or polars, an Arrow table, a dict of arrays, a CSV file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from detectors.workbench import arrow, interchange
from detectors.workbench.cells import NO_TIME, local_ns, times_of, zone_of
from detectors.workbench.columns import Column, numbers_column, texts_column, time_column
from detectors.workbench.csv_files import read_csv
from detectors.workbench.csv_shape import distinct, numbers
from detectors.workbench.errors import InvalidData, unknown
from detectors.workbench.layout import Layout
from detectors.workbench.table import BadCells, Fact, Raw, Table, cleaned
from detectors.workbench.times import NAMES, offset_of, regular, time_column_of

_NAME = "the data"
_SAMPLE = 40


def table_of(data: Any, layout: Layout | None = None) -> Table:
    """Return the data as a table.

    Args:
        data: what offers `__arrow_c_stream__` or `__dataframe__` (pandas, polars, pyarrow, duckdb), a mapping of
            arrays by name, the path of a CSV file, or a table.
        layout: where the times are and what they mean; separator and encoding are of CSV files only.

    Raises:
        InvalidData: nothing in it can be used.
    """
    layout = layout or Layout()
    if isinstance(data, Table):
        return data
    if isinstance(data, str | Path):
        return read_csv(Path(data), layout)
    return _from_columns(_columns_of(data), layout)


def _columns_of(data: Any) -> dict[str, Column | None]:
    if hasattr(data, "__arrow_c_stream__"):
        try:
            return arrow.columns_of(data)
        except ImportError:  # pandas without pyarrow
            if not hasattr(data, "__dataframe__"):
                raise
    if hasattr(data, "__dataframe__"):
        return interchange.columns_of(data)
    if isinstance(data, Mapping):
        found = [_array_column(np.asarray(values)) for values in data.values()]
        return dict(zip(distinct([str(name) for name in data]), found, strict=True))
    raise InvalidData(
        f"{_NAME}: {type(data).__name__}",
        "DataFrame、Arrow 表、数组字典或 CSV 文件路径",
        "a DataFrame, an Arrow table, a dict of arrays or the path of a CSV file",
    )


def _array_column(values: NDArray[Any]) -> Column | None:
    if values.ndim != 1:
        return None
    if values.dtype.kind in "fiub":
        return numbers_column(values, np.ones(len(values), bool))
    if values.dtype.kind == "M":
        known = ~np.isnat(values)
        return time_column(values.astype("datetime64[ns]").astype(np.int64), known, zoned=False)
    if values.dtype.kind in "UO":
        missing = np.array([value is None or value != value for value in values.tolist()], bool)  # noqa: PLR0124  NaN
        return texts_column([str(value) for value in values.tolist()], ~missing)
    return None


def _from_columns(columns: Mapping[str, Column | None], layout: Layout) -> Table:
    zone = zone_of(layout.timezone)
    known = {name: column for name, column in columns.items() if column is not None}
    lengths = {name: len(column) for name, column in known.items()}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{name} {many}" for name, many in lengths.items())
        raise InvalidData(f"{_NAME}: {shown}", "各列一样长", "columns of one length")
    if columns and not known:
        raise InvalidData(
            f"{_NAME}: {', '.join(columns)}",
            "由数字、时间或文本组成的一维列",
            "flat columns of numbers, times or texts",
        )
    rows = next(iter(lengths.values()), 0)
    if not rows:
        raise InvalidData(_NAME, "至少一行", "at least one row")
    line = np.arange(1, rows + 1)
    name, untimed = None, ""
    if layout.every_s is not None:
        time = regular(rows, layout.every_s)
    else:
        name = _time_name(known, layout, zone)
        time, untimed = _times(known[name], layout, zone)
    facts = [Fact("text", rows, other, None, "(type)") for other, column in columns.items() if column is None]
    rest = {other: column for other, column in known.items() if other != name}
    values, bad = np.full((rows, len(rest)), np.nan), [BadCells()] * len(rest)
    for at, column in enumerate(rest.values()):
        if column.numbers is not None:
            values[:, at] = np.where(np.isinf(column.numbers), np.nan, column.numbers)
            infinite = np.flatnonzero(np.isinf(column.numbers))
            bad[at] = BadCells(len(infinite), int(infinite[0]) + 1, "inf") if len(infinite) else BadCells()
        elif column.texts is not None:
            values[:, at], bad[at] = numbers(column.texts, line)
        else:
            bad[at] = BadCells(rows, 1, "(time)")
    return cleaned(Raw(_NAME, time, line, [*rest], values, bad, untimed, name, facts), offset_of(time, zone))


def _time_name(columns: Mapping[str, Column], layout: Layout, zone: ZoneInfo) -> str:
    """Return the column of times."""
    if layout.time is not None:
        if layout.time not in columns:
            raise unknown("time column", layout.time, columns)
        return layout.time
    times = [name for name, column in columns.items() if column.time is not None]
    if times:
        return next((name for name in times if NAMES.fullmatch(name)), times[0])
    names = [*columns]
    shown = [_shown(columns[name])[:_SAMPLE] for name in names]
    sample = [list(row) for row in zip(*shown, strict=True)]
    return names[time_column_of(_NAME, names, sample, None, zone, layout.time_form)]


def _shown(column: Column) -> Sequence[str]:
    """Return the column as texts."""
    if column.texts is not None:
        return column.texts
    values = column.numbers if column.numbers is not None else np.empty(0)
    return ["" if value != value else repr(value) for value in values.tolist()]  # noqa: PLR0124  NaN


def _times(column: Column, layout: Layout, zone: ZoneInfo) -> tuple[NDArray[np.int64], str]:
    """Return the times, ns since the epoch, and the first text that is none."""
    if column.time is not None:
        there = column.time != NO_TIME
        time = (
            column.time if column.zoned else np.where(there, local_ns(np.where(there, column.time, 0), zone), NO_TIME)
        )
        return time, ""
    texts = _shown(column)
    time = times_of(texts, zone, layout.time_form)
    wrong = np.flatnonzero(time == NO_TIME)
    return time, texts[int(wrong[0])] if len(wrong) else ""
