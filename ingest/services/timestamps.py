"""Parses the API's times: RFC 3339 with a zone, to ns since the epoch."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Final

from pydantic import BeforeValidator, WithJsonSchema

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_YEARS: Final = range(1970, 2200)  # as they are written; well inside what int64 ns can hold
_PATTERN: Final = (
    r"^(19[7-9]|2[01][0-9])[0-9]-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)
EXPECTED: Final = "an RFC 3339 time with its zone, such as 2026-11-23T06:00:00Z (in a URL write + as %2B)"


def parse_instant(text: object) -> int:
    """Return an RFC 3339 time as ns since the epoch; times before the epoch become the epoch.

    Raises:
        ValueError: not such a time, no zone, or its year is not 1970 to 2199.

    >>> parse_instant("2026-11-23T14:00:00+08:00") == parse_instant("2026-11-23T06:00:00Z")
    True
    >>> parse_instant("1970-01-01T00:00:00+08:00")
    0
    """
    try:
        # a bare date or a week date is ISO 8601 but no RFC 3339 time
        time = dt.datetime.fromisoformat(text) if isinstance(text, str) and len(text) >= 19 else None
    except ValueError:
        time = None
    if time is None or time.tzinfo is None or time.year not in _YEARS:
        raise ValueError(EXPECTED)
    return max(0, (time - _EPOCH) // dt.timedelta(microseconds=1) * 1000)


Instant = Annotated[
    int,
    BeforeValidator(parse_instant),
    WithJsonSchema(
        {"type": "string", "format": "date-time", "pattern": _PATTERN, "examples": ["2026-11-23T06:00:00Z"]}
    ),
]
"""A query parameter: RFC 3339 outside, int ns inside."""
