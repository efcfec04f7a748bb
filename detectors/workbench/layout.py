"""Where the times of a table are and what they mean, and how a file is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SEPARATORS: Final = (";", ",", "\t", "|")
AUTO: Final = "auto"
TIMEZONE: Final = "Asia/Shanghai"


@dataclass(frozen=True, slots=True)
class Layout:
    """How to read a table.

    Attributes:
        time: the column of times; None: found.
        every_s: there is no column of times, and rows are so many seconds apart.
        time_form: how times are written, as `strptime` has it; None: see `cells.TIMES`.
        timezone: of times that do not name one.
        separator: of a file, one character, or "auto".
        encoding: of a file; None: found.
    """

    time: str | None = None
    every_s: float | None = None
    time_form: str | None = None
    timezone: str = TIMEZONE
    separator: str = AUTO
    encoding: str | None = None
