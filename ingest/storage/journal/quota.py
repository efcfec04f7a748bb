"""Limits the quarantine to a size per gateway and in all; the oldest messages make room for new ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import apsw

from ingest.base.telemetry import Event
from ingest.storage.journal.records import Quarantined

GATEWAY_MB: Final = 64.0
TOTAL_MB: Final = 1024.0

_MB: Final = 1 << 20
_AT_ONCE: Final = 8  # this part of a quota is freed when it is exceeded, so that room is made seldom


@dataclass(frozen=True, slots=True)
class QuarantineOverflowed(Event, level="error", amount="messages"):
    """Messages were deleted from quarantine unseen, the oldest of their sender first: there was no room for newer ones.

    Attributes:
        sender: `yujing/v1/{plant}/{gateway}/`, or `*` for gateways that no plant file has.
    """

    sender: str
    messages: int
    readings: int


class Quota:
    """Writes messages into quarantine within limits. What the history refused is never deleted to make room.

    Columns `quarantine.sender` and `quarantine.size` are generated (`schema.py`). The size in memory of a sender is
    never less than the stored one: another process may have deleted some, which is noticed when a limit is reached.
    """

    def __init__(self, gateway_mb: float = GATEWAY_MB, total_mb: float = TOTAL_MB) -> None:
        """`gateway_mb`, `total_mb`: limits in MiB; a message counts for its bytes and 1 KiB."""
        self._each = int(gateway_mb * _MB)
        self._total = int(total_mb * _MB)
        self._held: dict[str, int] = {}
        self._sum: int | None = None
        self.overflowed = 0  # messages that had to make room since the start

    def quarantine(
        self, cursor: apsw.Cursor, items: Sequence[Quarantined], retried: Sequence[int]
    ) -> list[QuarantineOverflowed]:
        """Quarantine messages in the current transaction and make room; returns the events to emit after commit.

        Retried ones are deleted first, so that the same bytes may return with another reason.
        """
        if retried:
            cursor.executemany("DELETE FROM quarantine WHERE id = ?", ((number,) for number in retried))
        if not items:
            return []
        newest = _scalar(cursor, "SELECT coalesce(max(id), 0) FROM quarantine")
        cursor.executemany(
            # The same bytes on the same topic are stored once, however often a gateway sends them again.
            "INSERT OR IGNORE INTO quarantine (received, topic, reason, detail, readings, payload, digest)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (q.received, q.topic, q.reason, q.detail, q.readings, q.payload, sha256(q.payload).digest())
                for q in items
            ),
        )
        new = _sums(cursor, "id > ? AND sender != ''", newest)
        return [
            *filter(None, [self._add(cursor, sender, size) for sender, size in new.items()]),
            *self._bound_all(cursor),
        ]

    def committed(self, overflowed: Sequence[QuarantineOverflowed]) -> None:
        """Count the deleted messages; the transaction is committed."""
        self.overflowed += sum(event.messages for event in overflowed)

    def reset(self) -> None:
        """Discard the sizes in memory: a transaction was rolled back."""
        self._held.clear()
        self._sum = None

    def _add(self, cursor: apsw.Cursor, sender: str, size: int) -> QuarantineOverflowed | None:
        if self._sum is not None:
            self._sum += size
        self._held[sender] = self._held[sender] + size if sender in self._held else _stored_bytes(cursor, sender)
        if self._held[sender] <= self._each:
            return None
        self._held[sender] = _stored_bytes(cursor, sender)
        excess = self._held[sender] - self._each
        return self._delete(cursor, sender, excess + self._each // _AT_ONCE) if excess > 0 else None

    def _bound_all(self, cursor: apsw.Cursor) -> list[QuarantineOverflowed]:
        """Delete from the senders with most until the total is within its limit, bringing them to one level."""
        if self._sum is not None and self._sum <= self._total:
            return []
        held = self._held = _sums(cursor, "sender != ?", "")
        self._sum = sum(self._held.values())
        if self._sum <= self._total:
            return []
        limit = _common_limit(sorted(held.values()), self._total - self._total // _AT_ONCE)
        deleted = [self._delete(cursor, sender, size - limit) for sender, size in [*held.items()] if size > limit]
        return [event for event in deleted if event is not None]

    def _delete(self, cursor: apsw.Cursor, sender: str, size: int) -> QuarantineOverflowed | None:
        """Delete at least so many bytes of a sender, oldest first; messages marked for retry last."""
        freed, readings = 0, 0
        deleted: list[tuple[int]] = []
        rows: Iterable[tuple[Any, ...]] = cursor.execute(
            "SELECT id, size, readings FROM quarantine WHERE sender = ? ORDER BY retry, id", (sender,)
        )
        for number, stored, carried in rows:
            if freed >= size:
                break
            deleted.append((number,))
            freed += stored
            readings += carried
        cursor.executemany("DELETE FROM quarantine WHERE id = ?", deleted)
        self._held[sender] -= freed
        if self._sum is not None:
            self._sum -= freed
        return QuarantineOverflowed(sender, len(deleted), readings) if deleted else None


def _stored_bytes(cursor: apsw.Cursor, sender: str) -> int:
    return _scalar(cursor, "SELECT coalesce(sum(size), 0) FROM quarantine WHERE sender = ?", sender)


def _sums(cursor: apsw.Cursor, condition: str, value: int | str) -> dict[str, int]:
    """Bytes by sender."""
    query = f"SELECT sender, sum(size) FROM quarantine WHERE {condition} GROUP BY sender"  # noqa: S608  constants
    rows: list[tuple[Any, ...]] = cursor.execute(query, (value,)).fetchall()
    return dict(rows)


def _scalar(cursor: apsw.Cursor, query: str, *values: str) -> int:
    rows: list[tuple[Any, ...]] = cursor.execute(query, values).fetchall()
    return int(rows[0][0])


def _common_limit(sizes: Sequence[int], total: int) -> int:
    """The most each sender may have so that all of them, in ascending order of size, have `total` together.

    >>> _common_limit([1, 5, 9], 11)
    5
    """
    left = total
    for place, size in enumerate(sizes):
        share = left // (len(sizes) - place)
        if size > share:
            return share
        left -= size
    return max(sizes, default=0)
