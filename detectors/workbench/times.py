"""Finds the column of times of a table."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from detectors.workbench.cells import NO_TIME, TIMES, TIMES_ZH, YEARS, is_number, number_of, time_of
from detectors.workbench.errors import InvalidData, unknown

NAMES: Final = re.compile(r"(?i).*(time|date|timestamp|时间|日期|时刻).*|ts|t|_time")
"""What columns of times are usually called."""

LEAST_STEP_S: Final = 1e-3
"""The smallest distance of rows in a table without times, s."""

BEGIN_NS: Final = 1_704_067_200 * 10**9
"""2024-01-01T00:00:00Z, where time begins in a table without times."""


def time_column_of(
    source: str,
    names: Sequence[str],
    sample: Sequence[Sequence[str]],
    given: str | None,
    zone: ZoneInfo,
    form: str | None = None,
) -> int:
    """Return which column holds the times.

    Args:
        source: what the table is.
        names: of its columns.
        sample: some rows.
        given: the column that a person named; else of those that hold times in the sample the first one with a usual
            name, or the first one whose cells are no plain numbers.
        zone: of times that do not name one.
        form: see `cells.time_of`.

    Raises:
        InvalidData: no column holds times.
        InvalidRule: the column named does not exist.
    """
    if given is not None:
        if given not in names:
            raise unknown("time column", given, names)
        return list(names).index(given)
    columns = {at: [row[at] for row in sample if at < len(row) and row[at].strip()] for at in range(len(names))}
    times = [
        at for at, cells in columns.items()
        if cells and sum(time_of(cell, zone, form) is not None for cell in cells) > len(cells) / 2
    ]  # fmt: skip
    named = [at for at in times if NAMES.fullmatch(names[at])]
    written = [at for at in times if all(number_of(cell) is None for cell in columns[at])]
    if found := [*named, *written]:
        return found[0]
    near = next((at for at in columns if NAMES.fullmatch(names[at]) and columns[at]), 0)
    cell = f": column {names[near]!r} = {columns[near][0]!r}" if columns.get(near) else ""
    raise InvalidData(
        f"{source}{cell}",
        f"一列时间（{TIMES_ZH}）；或指明时间列、时间写法，或各行相隔的秒数",
        f"a column of times ({TIMES}); or name the column, its format, or the seconds between rows",
    )


def regular(rows: int, every_s: float) -> NDArray[np.int64]:
    """Return int64[rows], ns since the epoch, so many seconds apart. Raises InvalidData unless all lie before 2100."""
    most = (YEARS[1] - BEGIN_NS) / 1e9 / max(rows, 1)
    if not is_number(every_s) or not LEAST_STEP_S <= every_s < most:
        raise InvalidData(
            f"every_s = {every_s!r}",
            f"{LEAST_STEP_S} 至 {most:.0f} 之间的秒数（{rows} 行都在 2100 年以前）",
            f"seconds from {LEAST_STEP_S} to {most:.0f}, so that all {rows} rows lie before 2100",
        )
    return BEGIN_NS + (np.arange(rows) * (every_s * 1e9)).astype(np.int64)


def offset_of(time: NDArray[np.int64], zone: ZoneInfo) -> float:
    """Return by how many seconds local time is ahead of UTC at the first time."""
    known = time[time != NO_TIME]
    if not len(known):
        return 0.0
    ahead = dt.datetime.fromtimestamp(int(known[0]) / 1e9, zone).utcoffset()
    return (ahead or dt.timedelta()).total_seconds()
