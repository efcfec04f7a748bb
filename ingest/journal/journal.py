"""The journal on disk: SQLite in WAL mode, every commit synced before it returns. One connection writes."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import apsw

from ingest.journal import body
from ingest.journal.errors import JournalUnavailable
from ingest.journal.position import Position
from ingest.journal.records import Entry, GatewayPosition, Quarantined
from ingest.model.batch import Batch

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS entry (id INTEGER PRIMARY KEY AUTOINCREMENT, received INTEGER NOT NULL,
    readings INTEGER NOT NULL, size INTEGER NOT NULL, body BLOB NOT NULL, step INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE IF NOT EXISTS point (id INTEGER PRIMARY KEY, plant TEXT NOT NULL, name TEXT NOT NULL,
    UNIQUE (plant, name)) STRICT;
CREATE TABLE IF NOT EXISTS position (plant TEXT NOT NULL, gateway TEXT NOT NULL, boot TEXT NOT NULL,
    committed INTEGER NOT NULL, missing TEXT NOT NULL, received INTEGER NOT NULL, frames INTEGER NOT NULL,
    duplicates INTEGER NOT NULL, PRIMARY KEY (plant, gateway, boot)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS status (plant TEXT NOT NULL, gateway TEXT NOT NULL, online INTEGER NOT NULL,
    received INTEGER NOT NULL, PRIMARY KEY (plant, gateway)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS quarantine (id INTEGER PRIMARY KEY AUTOINCREMENT, received INTEGER NOT NULL,
    topic TEXT NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL, readings INTEGER NOT NULL,
    payload BLOB NOT NULL, digest BLOB NOT NULL, UNIQUE (topic, digest)) STRICT;
CREATE TABLE IF NOT EXISTS cursor (reader TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""

BootKey = tuple[str, str, str]
"""(plant, gateway, boot)"""


@dataclass(frozen=True, slots=True)
class Progress:
    """A boot's new position, and what was added to get there."""

    position: Position
    received: int
    frames: int
    duplicates: int


@dataclass(frozen=True, slots=True, eq=False)
class Commit:
    """Everything one group of messages leaves behind: written whole, or not at all.

    Attributes:
        batch: readings, and gateways' online states as readings of their device points.
        readings: how many of them came in frames.
        positions: new positions, by (plant, gateway, boot).
        statuses: (plant, gateway) -> (online, received).
        quarantined: messages put aside; their ids are ignored.
        step: ns by which the service's clock was set just before; see `Entry`.
    """

    batch: Batch
    readings: int
    positions: Mapping[BootKey, Progress] = field(default_factory=dict)
    statuses: Mapping[tuple[str, str], tuple[bool, int]] = field(default_factory=dict)
    quarantined: Sequence[Quarantined] = ()
    step: int = 0


@dataclass(frozen=True, slots=True)
class Totals:
    """How much the journal holds now."""

    readings: int
    quarantined: int
    quarantined_readings: int


class Journal:
    """The durable log. Safe to use from any thread."""

    def __init__(self, path: Path) -> None:
        """Open or create the file. Raises JournalUnavailable."""
        self._path = path
        self._lock = threading.Lock()
        self._grown = threading.Condition()
        self._local = threading.local()
        self._readers: list[apsw.Connection] = []
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = apsw.Connection(str(path))
            self._writer.set_busy_timeout(5000)
            self._writer.pragma("journal_mode", "wal")
            self._writer.pragma("synchronous", "full")
            self._writer.execute(_SCHEMA)
        except (apsw.Error, OSError) as error:
            raise JournalUnavailable(f"{path}: {error}") from error
        # Not max(id): entries that were trimmed have been, too, and their numbers are not given again.
        self._last = int(self._one("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'entry'"))

    def append(self, commit: Commit) -> int:
        """Write one commit and sync it to disk; returns the id of the newest entry.

        Raises:
            JournalUnavailable: nothing was written.
        """
        with self._transaction() as cursor:
            if len(commit.batch):
                cursor.execute(
                    "INSERT INTO entry (received, readings, size, body, step) VALUES (?, ?, ?, ?, ?)",
                    (
                        int(commit.batch.received.max()),
                        commit.readings,
                        len(commit.batch),
                        body.pack(commit.batch),
                        commit.step,
                    ),
                )
            cursor.executemany(
                "INSERT INTO position VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                " committed = excluded.committed, missing = excluded.missing, received = excluded.received,"
                " frames = frames + excluded.frames, duplicates = duplicates + excluded.duplicates",
                (
                    (*key, p.position.committed, json.dumps(p.position.missing), p.received, p.frames, p.duplicates)
                    for key, p in commit.positions.items()
                ),
            )
            cursor.executemany(
                "INSERT INTO status VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                " online = excluded.online, received = excluded.received",
                ((*key, int(online), received) for key, (online, received) in commit.statuses.items()),
            )
            cursor.executemany(
                # The same bytes on the same topic are put aside once, however often a gateway sends them again.
                "INSERT OR IGNORE INTO quarantine (received, topic, reason, detail, readings, payload, digest)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    (q.received, q.topic, q.reason, q.detail, q.readings, q.payload, sha256(q.payload).digest())
                    for q in commit.quarantined
                ),
            )
        if len(commit.batch):
            with self._grown:
                self._last += 1
                self._grown.notify_all()
        return self._last

    def read(self, after: int, limit: int) -> list[Entry]:
        """Entries with a greater id, oldest first: at least one if there is any, then up to about `limit` readings."""
        entries: list[Entry] = []
        size = 0
        query = "SELECT id, size, body, step FROM entry WHERE id > ? ORDER BY id"
        for number, count, blob, step in self._rows(query, (after,)):
            if entries and size + count > limit:
                break
            entries.append(Entry(number, body.unpack(blob), step))
            size += count
        return entries

    def wait(self, after: int, timeout_s: float) -> bool:
        """Return once there is an entry with a greater id, on `wake`, or after the timeout; True if there is one."""
        with self._grown:
            if self._last <= after:
                self._grown.wait(timeout_s)
            return self._last > after

    def wake(self) -> None:
        """Let everyone who waits look up: there is something else to do."""
        with self._grown:
            self._grown.notify_all()

    def last(self) -> int:
        """Id of the newest entry, 0 if there is none."""
        return self._last

    def number_points(self, points: Sequence[tuple[str, str]]) -> list[int]:
        """The permanent index of each (plant, point id); new ones are numbered on."""
        with self._transaction() as cursor:
            known = {(plant, name): number for number, plant, name in cursor.execute("SELECT * FROM point")}
            for key in points:
                if key not in known:
                    known[key] = len(known)
                    cursor.execute("INSERT INTO point VALUES (?, ?, ?)", (known[key], *key))
        return [known[key] for key in points]

    def cursor(self, reader: str) -> int:
        """How far that reader has come; 0 if it never read."""
        return int(self._one("SELECT coalesce(max(position), 0) FROM cursor WHERE reader = ?", (reader,)))

    def save_cursor(self, reader: str, position: int) -> None:
        """Remember how far that reader has come."""
        with self._transaction() as cursor:
            cursor.execute("INSERT OR REPLACE INTO cursor VALUES (?, ?)", (reader, position))

    def positions(self) -> dict[BootKey, Position]:
        """Every boot's position."""
        rows = self._rows("SELECT plant, gateway, boot, committed, missing FROM position")
        return {(plant, gateway, boot): Position(seq, _ranges(missing)) for plant, gateway, boot, seq, missing in rows}

    def gateways(self) -> list[GatewayPosition]:
        """Where every gateway stands, by its newest boot."""
        rows = self._rows(
            "SELECT p.plant, p.gateway, p.boot, committed, missing, s.online, max(p.received, coalesce(s.received, 0)),"
            " frames, duplicates FROM position p LEFT JOIN status s ON s.plant = p.plant AND s.gateway = p.gateway"
            " WHERE p.received = (SELECT max(received) FROM position WHERE plant = p.plant AND gateway = p.gateway)"
            " ORDER BY p.plant, p.gateway"
        )
        return [
            GatewayPosition(plant, gateway, boot, seq, _ranges(missing), {0: False, 1: True}.get(online), *rest)
            for plant, gateway, boot, seq, missing, online, *rest in rows
        ]

    def quarantined(self, *, limit: int, before: int | None = None) -> list[Quarantined]:
        """Messages put aside, newest first."""
        rows = self._rows(
            "SELECT id, received, topic, reason, detail, readings, payload FROM quarantine WHERE id < ?"
            " ORDER BY id DESC LIMIT ?",
            (before if before is not None else 1 << 62, limit),
        )
        return [Quarantined(*row) for row in rows]

    def totals(self) -> Totals:
        """How much there is."""
        readings = self._one("SELECT coalesce(sum(readings), 0) FROM entry")
        aside = next(self._rows("SELECT count(*), coalesce(sum(readings), 0) FROM quarantine"))
        return Totals(readings, *aside)

    def trim(self, upto: int, older_than: int) -> int:
        """Delete entries every reader has passed (id <= `upto`) that were received before `older_than` (ns)."""
        with self._transaction() as cursor:
            cursor.execute("DELETE FROM entry WHERE id <= ? AND received < ?", (upto, older_than))
            return int(self._writer.changes())

    def close(self) -> None:
        """Close every connection; the log stays."""
        for connection in (*self._readers, self._writer):
            connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[apsw.Cursor]:
        with self._lock:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                try:
                    yield self._writer.cursor()
                    self._writer.execute("COMMIT")
                except BaseException:
                    if self._writer.in_transaction:
                        self._writer.execute("ROLLBACK")
                    raise
            except apsw.Error as error:
                raise JournalUnavailable(f"{self._path}: {error}") from error

    def _rows(self, query: str, values: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        """Query on this thread's own read-only connection."""
        connection: apsw.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = apsw.Connection(str(self._path), flags=apsw.SQLITE_OPEN_READONLY)
            connection.set_busy_timeout(5000)
            self._local.connection = connection
            self._readers.append(connection)
        return iter(connection.execute(query, values))

    def _one(self, query: str, values: tuple[Any, ...] = ()) -> Any:
        return next(self._rows(query, values))[0]


def _ranges(missing: str) -> tuple[tuple[int, int], ...]:
    return tuple((first, last) for first, last in json.loads(missing))
