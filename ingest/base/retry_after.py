"""Parses the Retry-After header (RFC 9110, 10.2.3)."""

from __future__ import annotations

import datetime as dt
from email.utils import parsedate_to_datetime


def retry_after_s(header: str | None, now_s: float) -> float | None:
    """Return seconds to wait from `now_s` (s since the epoch); None without the header or if it is invalid.

    >>> retry_after_s("120", 0), retry_after_s("Thu, 01 Jan 1970 00:01:00 GMT", 20), retry_after_s("soon", 0)
    (120.0, 40.0, None)
    """
    value = (header or "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=dt.UTC)
    return max(0.0, date.timestamp() - now_s)
