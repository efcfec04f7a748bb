"""The Retry-After header (RFC 9110, 10.2.3): how long a server wants to be left alone."""

from __future__ import annotations

import datetime as dt
from email.utils import parsedate_to_datetime


def retry_after_s(header: str | None, now_s: float) -> float | None:
    """Seconds to wait from `now_s` (s since the epoch); None without the header, or when it makes no sense.

    >>> retry_after_s("120", 0), retry_after_s("Thu, 01 Jan 1970 00:01:00 GMT", 20), retry_after_s("soon", 0)
    (120.0, 40.0, None)
    """
    wish = (header or "").strip()
    if wish.isascii() and wish.isdigit():
        return float(wish)
    try:
        date = parsedate_to_datetime(wish)
    except ValueError:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=dt.UTC)
    return max(0.0, date.timestamp() - now_s)
