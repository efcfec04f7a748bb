"""Times and numbers as people and instruments write them, in the cells of a table."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from numbers import Real
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from detectors.workbench.errors import InvalidData

TIMES: Final = "ISO 8601, YYYYMMDDHHMMSS, or s, ms, µs or ns since the epoch; a time from 2000 to 2099"
TIMES_ZH: Final = "ISO 8601、YYYYMMDDHHMMSS，或自 1970 年起的 s、ms、µs、ns；2000 年至 2099 年之间"
NO_TIME: Final = np.iinfo(np.int64).min
"""In arrays of times: the cell was no time."""
YEARS: Final = (946_684_800 * 10**9, 4_102_444_800 * 10**9)
"""2000 up to before 2100, ns since the epoch."""
EMPTY: Final = frozenset({"", "nan", "null", "none", "na", "n/a", "#n/a", "-", "--"})
"""Cells that say there is no value, in small letters."""

_A_SECOND: Final = (1, 10**3, 10**6, 10**9)  # s, ms, µs, ns: of a time from 2000 to 2099 its size says which
_COMPACT: Final = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d{3})?")
_UNPADDED: Final = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?[ T]*"
    r"(\d{1,2})[:时](\d{1,2})(?:[:分](\d{1,2})(?:[.,](\d{1,6})\d*)?)?[秒分]?"
)
_SWITCHES: Final = {"true": 1.0, "false": 0.0}


def zone_of(name: str) -> ZoneInfo:
    """Return a time zone. Raises InvalidData."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError) as error:
        raise InvalidData(
            f"timezone {name!r}", "IANA 时区名，如 Asia/Shanghai", "an IANA name such as Asia/Shanghai"
        ) from error


def time_of(text: str, zone: ZoneInfo, form: str | None = None) -> int | None:
    """Return ns since the epoch, or None if the text is no time from 2000 to 2099.

    Args:
        text: see `TIMES`.
        zone: of times that do not name one.
        form: how it is written, as `strptime` has it; None: see `TIMES`.

    >>> time_of("2024/1/3 8:05", ZoneInfo("Asia/Shanghai")) == time_of("2024-01-03T00:05:00Z", ZoneInfo("UTC"))
    True
    """
    text = text.strip()
    try:
        found = _ns(dt.datetime.strptime(text, form), zone) if form else _any_time(text, zone)  # noqa: DTZ007  zoned there
    except (ValueError, OverflowError):
        return None
    return found if YEARS[0] <= found < YEARS[1] else None


def times_of(texts: Iterable[str], zone: ZoneInfo, form: str | None = None) -> NDArray[np.int64]:
    """Return int64[n], ns since the epoch, `NO_TIME` where a text is no time."""
    found = (time_of(text, zone, form) for text in texts)
    return np.array([NO_TIME if time is None else time for time in found], np.int64)


def local_ns(naive_ns: NDArray[np.int64], zone: ZoneInfo) -> NDArray[np.int64]:
    """Return ns since the epoch of times that a clock of that zone showed (int64[n], ns as if it were UTC)."""
    hour = 3600 * 10**9
    hours, place = np.unique(naive_ns // hour, return_inverse=True)
    begins = [dt.datetime.fromtimestamp(each * 3600, dt.UTC).replace(tzinfo=zone) for each in hours.tolist()]
    ahead = np.array([(moment.utcoffset() or dt.timedelta()).total_seconds() for moment in begins])
    return naive_ns - (ahead * 1e9).astype(np.int64)[place]


def is_number(value: object) -> bool:
    """Whether it is a number of Python or NumPy, and not a text of one."""
    return isinstance(value, Real)


def number_of(text: str, *, comma: bool = False) -> float | None:
    """Return the number, NaN for a cell without one, None for anything else; `comma`: it parts the decimals.

    >>> number_of("12,5", comma=True), number_of("--"), number_of("ERR")
    (12.5, nan, None)
    """
    text = text.strip()
    if text.lower() in EMPTY:
        return math.nan
    if text.lower() in _SWITCHES:
        return _SWITCHES[text.lower()]
    try:
        value = float(text.replace(",", ".") if comma and text.count(",") == 1 and "." not in text else text)
    except ValueError:
        return None
    return None if math.isinf(value) or "_" in text else value


def _any_time(text: str, zone: ZoneInfo) -> int:
    """Return ns since the epoch. Raises ValueError, OverflowError."""
    if text[4:5] not in {"-", "/", ".", "年"}:
        if compact := _COMPACT.fullmatch(text):
            *date, ms = (int(part or 0) for part in compact.groups())
            return _ns(dt.datetime(*date, ms * 1000), zone)  # type: ignore[call-arg,arg-type]  # noqa: DTZ001  zoned there
        number = _number(text)
        sizes = (number * 10**9 / unit for unit in _A_SECOND) if number is not None else ()
        return next((round(size) for size in sizes if YEARS[0] <= size < YEARS[1]), 0)
    try:
        return _ns(dt.datetime.fromisoformat(text.replace("/", "-")), zone)
    except ValueError:
        found = _UNPADDED.fullmatch(text)
        if found is None:
            raise
        *parts, fraction = found.groups()
        micro = int((fraction or "0").ljust(6, "0"))
        return _ns(dt.datetime(*(int(part or 0) for part in parts), micro), zone)  # type: ignore[call-arg,arg-type]  # noqa: DTZ001


def _number(text: str) -> Decimal | None:
    """Return the number that the text is, in decimal: ns since the epoch are more than a float holds."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _ns(time: dt.datetime, zone: ZoneInfo) -> int:
    return round((time if time.tzinfo else time.replace(tzinfo=zone)).timestamp() * 1_000_000) * 1000
