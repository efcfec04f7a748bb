"""Classifies a server's answer: accepted, refused for good, or to be retried."""

from __future__ import annotations

import json
import re
from typing import Final

from ingest.base.retry_after import retry_after_s
from ingest.storage.history.errors import (
    HistoryError,
    HistoryExpired,
    HistoryRejected,
    HistoryTooLarge,
    HistoryUnavailable,
)

_REFUSED: Final = frozenset({400, 422})
_TOO_LARGE: Final = 413
_DROPPED: Final = re.compile(r"partial write: .* dropped=(\d+)", re.DOTALL)  # InfluxDB 1.x: all others are stored
_EXPIRED: Final = re.compile(
    r"(?:failure writing points to database: )?partial write: "
    r"(?:points beyond retention policy dropped=(\d+)"  # InfluxDB 1.x, and 2.x before 2.7.12
    r"|dropped (\d+) points outside retention policy)"  # without or with `dropped=` behind it
)
"""The beginning of such an answer; the rest has names that anybody may have chosen."""

_TOO_NEW: Final = re.compile(r"violates a (?!Retention Policy Lower Bound)")  # in a name, a space follows a backslash
_HINTS: Final = {
    401: "check the user and password, or the token",
    403: "the user or token may not do this: grant it read and write",
    404: "the database or bucket is missing: create it, and check the name and the address",
}
_MOST_TEXT: Final = 500  # characters of a server's answer that are quoted


def error_of(status: int, body: str, retry_after: str | None, now_s: float) -> HistoryError | None:
    """The error an HTTP answer stands for, or None if the data were accepted.

    Only 400, 413 and 422 are about the data themselves. A wrong password or a missing database is fixed by people and
    must not cost a reading, so it counts as unavailable, as does anything unknown.

    An InfluxDB reports points older than its retention only once it has written all others: any other fault of a write
    is reported first. 1.x then does not report lines it cannot parse; ours all can be.

    Args:
        status: HTTP status.
        body: the answer's text; InfluxDB's own message is taken out of its JSON.
        retry_after: the Retry-After header, seconds or an HTTP date.
        now_s: seconds since the epoch, for an HTTP date.
    """
    if 200 <= status < 300:
        return None
    message = message_of(body)
    text = f"HTTP {status}: {message[:_MOST_TEXT]}"
    if status == _TOO_LARGE:
        return HistoryTooLarge(text)
    if status in _REFUSED:
        if (expired := _expired(message)) is not None:
            return HistoryExpired(text, expired)
        dropped = _DROPPED.search(body)
        return HistoryRejected(text, dropped=int(dropped[1]) if dropped else None)
    if status in _HINTS:
        text = f"{text} ({_HINTS[status]})"
    return HistoryUnavailable(text, retry_after_s=retry_after_s(retry_after, now_s))


def _expired(message: str) -> int | None:
    """How many points were older than the store's retention, if that is its only objection to the write."""
    found = _EXPIRED.match(message)
    if found is None or _TOO_NEW.search(message):  # some were too far in the future or the past
        return None
    return int(found[1] or found[2])


def message_of(body: str) -> str:
    """InfluxDB's own message in a JSON answer; the whole text of any other answer."""
    try:
        answer = json.loads(body)
    except ValueError:
        return body.strip()
    if isinstance(answer, dict):
        answer = answer.get("error") or answer.get("message") or answer  # 1.x and 3.x, 2.x
    return str(answer)
