"""What is put into quarantine, and what makes room for it: so much of each gateway, so much in all."""

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
    """Puts aside, within bounds. What the service itself puts aside (what the history refused) is never deleted here.

    `quarantine.sender` and `quarantine.size` are told by the table itself (`schema.py`). What is remembered here of a
    sender is never less than what lies there: another process may have deleted some, and that is seen when it matters.
    """

    def __init__(self, gateway_mb: float = GATEWAY_MB, total_mb: float = TOTAL_MB) -> None:
        """MiB of each gateway, and of all together; a message counts for its bytes and 1 KiB."""
        self._each = int(gateway_mb * _MB)
        self._total = int(total_mb * _MB)
        self._held: dict[str, int] = {}
        self._sum: int | None = None
        self.overflowed = 0  # messages that had to make room since the start

    def put_aside(
        self, cursor: apsw.Cursor, items: Sequence[Quarantined], retried: Sequence[int]
    ) -> list[QuarantineOverflowed]:
        """Write these in the transaction under way, and make room; returns what to tell once it is on disk.

        What was tried again goes first, so that the same bytes may return with another reason.
        """
        if retried:
            cursor.executemany("DELETE FROM quarantine WHERE id = ?", ((number,) for number in retried))
        if not items:
            return []
        newest = _one(cursor, "SELECT coalesce(max(id), 0) FROM quarantine")
        cursor.executemany(
            # The same bytes on the same topic are put aside once, however often a gateway sends them again.
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

    def told(self, overflowed: Sequence[QuarantineOverflowed]) -> None:
        """It is on disk."""
        self.overflowed += sum(event.messages for event in overflowed)

    def forget(self) -> None:
        """A transaction was rolled back: look anew."""
        self._held.clear()
        self._sum = None

    def _add(self, cursor: apsw.Cursor, sender: str, size: int) -> QuarantineOverflowed | None:
        if self._sum is not None:
            self._sum += size
        self._held[sender] = self._held[sender] + size if sender in self._held else _lying(cursor, sender)
        if self._held[sender] <= self._each:
            return None
        self._held[sender] = _lying(cursor, sender)
        excess = self._held[sender] - self._each
        return self._delete(cursor, sender, excess + self._each // _AT_ONCE) if excess > 0 else None

    def _bound_all(self, cursor: apsw.Cursor) -> list[QuarantineOverflowed]:
        """Whoever has most makes room, until it has no more than the others."""
        if self._sum is not None and self._sum <= self._total:
            return []
        held = self._held = _sums(cursor, "sender != ?", "")
        self._sum = sum(self._held.values())
        if self._sum <= self._total:
            return []
        level = _level(sorted(held.values()), self._total - self._total // _AT_ONCE)
        deleted = [self._delete(cursor, sender, size - level) for sender, size in [*held.items()] if size > level]
        return [event for event in deleted if event is not None]

    def _delete(self, cursor: apsw.Cursor, sender: str, size: int) -> QuarantineOverflowed | None:
        """Delete so many bytes or a little more, oldest first, and last what a person wants to be tried again."""
        freed, readings = 0, 0
        gone: list[tuple[int]] = []
        rows: Iterable[tuple[Any, ...]] = cursor.execute(
            "SELECT id, size, readings FROM quarantine WHERE sender = ? ORDER BY retry, id", (sender,)
        )
        for number, lying, carried in rows:
            if freed >= size:
                break
            gone.append((number,))
            freed += lying
            readings += carried
        cursor.executemany("DELETE FROM quarantine WHERE id = ?", gone)
        self._held[sender] -= freed
        if self._sum is not None:
            self._sum -= freed
        return QuarantineOverflowed(sender, len(gone), readings) if gone else None


def _lying(cursor: apsw.Cursor, sender: str) -> int:
    return _one(cursor, "SELECT coalesce(sum(size), 0) FROM quarantine WHERE sender = ?", sender)


def _sums(cursor: apsw.Cursor, condition: str, value: int | str) -> dict[str, int]:
    """Bytes by sender."""
    query = f"SELECT sender, sum(size) FROM quarantine WHERE {condition} GROUP BY sender"  # noqa: S608  constants
    rows: list[tuple[Any, ...]] = cursor.execute(query, (value,)).fetchall()
    return dict(rows)


def _one(cursor: apsw.Cursor, query: str, *values: str) -> int:
    rows: list[tuple[Any, ...]] = cursor.execute(query, values).fetchall()
    return int(rows[0][0])


def _level(sizes: Sequence[int], total: int) -> int:
    """What each may have at most, so that all of them, given in order, have so much in all.

    >>> _level([1, 5, 9], 11)
    5
    """
    left = total
    for place, size in enumerate(sizes):
        share = left // (len(sizes) - place)
        if size > share:
            return share
        left -= size
    return max(sizes, default=0)
