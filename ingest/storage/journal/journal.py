"""The durable log: a SQLite file in WAL mode with one writing connection; every commit is synced before it returns."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import apsw
import msgspec

from ingest.base.closing import closed_on_failure
from ingest.base.durations import Durations
from ingest.base.telemetry import emit
from ingest.domain.quality.clock import GatewayClock
from ingest.plants.numbering import NONE_RENAMED, Numbered, PointKey
from ingest.storage.journal import body
from ingest.storage.journal.commit import Commit, Progress
from ingest.storage.journal.damage import COLUMNS, Damage
from ingest.storage.journal.errors import JournalBroken
from ingest.storage.journal.file import JournalFile
from ingest.storage.journal.points import number_points
from ingest.storage.journal.quota import QuarantineOverflowed, Quota
from ingest.storage.journal.recent_frames import RecentFrames
from ingest.storage.journal.records import Entry, GatewaySequence, Quarantined, Staged
from ingest.storage.journal.schema import QUARANTINED
from ingest.storage.journal.sequence_state import BootKey, SequenceState, Who, gaps_text
from ingest.storage.journal.sequence_table import SequenceTable
from ingest.storage.journal.staging import Staging
from ingest.storage.journal.tail import Tail

HISTORY_REJECTED: Final = "history-rejected"
"""The reason of readings in quarantine that the history store refused; the history writer retries them, not intake."""

MOST_COUNTED: Final = 10_000
_REFUSED: Final = f"sender = '' AND reason = '{HISTORY_REJECTED}'"  # by the index of senders

_commit_seconds = Durations("yujing_journal_commit_seconds", "How long a commit takes until it is synced")


@dataclass(frozen=True, slots=True)
class Totals:
    """The amount of data in the journal now."""

    readings: int
    quarantined: int
    quarantined_readings: int


class Journal:
    """The durable log of everything received. Safe to use from any thread."""

    def __init__(self, path: Path, quota: Quota | None = None) -> None:
        """Open or create the file. `quota`: the limits of the quarantine.

        Raises:
            JournalUnavailable: it cannot be opened or written now.
            JournalBroken: it is no journal, damaged, or written by a newer version.
        """
        self._appending = threading.Lock()
        self._grown = threading.Condition()
        self._damage = Damage()
        self._quota = quota or Quota()
        self._file = JournalFile(path, self._quota.reset)
        with closed_on_failure(self._file.close):
            # Not max(id): the ids of trimmed entries are not given again.
            self._last = int(
                self._file.scalar("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'entry'")
            )
            self._tail = Tail(self._last)
            self._staging = Staging(self._file)
            self._sequences = SequenceTable(self._file)

    @property
    def broken(self) -> JournalBroken | None:
        """Why nothing can be written any more; None while the journal is writable."""
        return self._file.broken

    def append(self, commit: Commit) -> int:
        """Write one commit and sync it to disk; returns the id of the newest entry.

        Raises:
            JournalUnavailable: nothing was written.
            JournalBroken: it may be written or not, which the next start finds out; this process writes no more.
        """
        with self._appending:
            return self._append(commit)

    def _append(self, commit: Commit) -> int:
        began = time.monotonic()
        with self._file.transaction() as cursor:
            if len(commit.batch):
                received = int(commit.batch.received.max())
                packed = body.pack(commit.batch, received=received, readings=commit.readings, step=commit.step)
                cursor.execute(
                    "INSERT INTO entry (received, readings, size, body, step) VALUES (?, ?, ?, ?, ?)",
                    (received, commit.readings, len(commit.batch), packed, commit.step),
                )
            self._staging.write(cursor, commit.backfill, commit.fed)
            cursor.executemany(
                "INSERT INTO position (plant, gateway, boot, committed, missing, lost, clock, began, received, frames,"
                " duplicates, recent) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                " committed = excluded.committed, missing = excluded.missing, lost = excluded.lost,"
                " clock = excluded.clock, received = excluded.received, recent = excluded.recent,"
                " frames = frames + excluded.frames, duplicates = duplicates + excluded.duplicates",
                (_sequence_row(key, progress) for key, progress in commit.sequences.items()),
            )
            if commit.left:
                where = "WHERE plant = ? AND gateway = ? AND boot = ?"
                cursor.executemany(f"UPDATE position SET clock = 'null' {where}", commit.left)  # noqa: S608  constant
            if commit.statuses:
                cursor.executemany(
                    "INSERT INTO status VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                    " online = excluded.online, received = excluded.received",
                    ((*key, int(online), received) for key, (online, received) in commit.statuses.items()),
                )
            overflowed = self._quota.quarantine(cursor, commit.quarantined, commit.retried)
        _commit_seconds.add(time.monotonic() - began)
        self._report(overflowed)
        self._staging.written(commit.backfill, commit.fed)
        if len(commit.batch):
            self._tail.append(Entry(self._last + 1, commit.batch, commit.step))
            with self._grown:
                self._last += 1
                self._grown.notify_all()
        return self._last

    def staged(self, limit: int) -> list[Staged]:
        """Staged back-fill, oldest first: at least one piece if there is any, up to about `limit` readings."""
        return self._staging.read(limit)

    def waiting(self) -> int:
        """The number of readings in staged back-fill."""
        return self._staging.waiting

    def read(self, after: int, limit: int) -> list[Entry]:
        """Entries with a greater id, oldest first: at least one if there is any, up to about `limit` readings.

        A damaged entry is reported, counted and returned empty, so no reader stops at it. The newest entries come from
        memory, with read-only columns.
        """
        kept = self._tail.after(after, limit)
        return self._read(after, limit) if kept is None else kept

    def _read(self, after: int, limit: int) -> list[Entry]:
        """Entries as `read` returns them, read from disk."""
        entries: list[Entry] = []
        size = 0
        with self._file.reading() as cursor:
            try:
                for row in cursor.execute(f"SELECT {COLUMNS} FROM entry WHERE id > ? ORDER BY id", (after,)):  # noqa: S608
                    if entries and isinstance(row[3], int) and size + row[3] > limit:
                        break
                    entries.append(self._damage.entry(row))
                    size += len(entries[-1].batch)
            except apsw.CorruptError:
                if not entries:  # else they are returned, and the next read begins where the damage does
                    return self._read_one_by_one(after)
        return entries

    def wait(self, after: int, timeout_s: float) -> bool:
        """Wait for an entry with a greater id, for `wake` or for the timeout; True if there is such an entry."""
        with self._grown:
            if self._last <= after:
                self._grown.wait(timeout_s)
            return self._last > after

    def wake(self) -> None:
        """Wake all waiting readers: there is something else to do."""
        with self._grown:
            self._grown.notify_all()

    def steps(self, after: int) -> int:
        """The sum of the steps of the service's clock in entries with a greater id, ns."""
        return int(self._file.scalar("SELECT coalesce(sum(step), 0) FROM entry WHERE id > ?", (after,)))

    def received_after(self, entry: int) -> int | None:
        """When the first entry with a greater id was received, ns; None if there is none."""
        rows = self._file.rows("SELECT received FROM entry WHERE id > ? ORDER BY id LIMIT 1", (entry,))
        return int(rows[0][0]) if rows else None

    def newest(self) -> int:
        """When the newest entry was received, ns; 0 if there is none."""
        return next((int(row[0]) for row in self._file.rows("SELECT received FROM entry ORDER BY id DESC LIMIT 1")), 0)

    def last(self) -> int:
        """The id of the newest entry, 0 if there is none."""
        return self._last

    def number_points(self, points: Sequence[PointKey], was: Mapping[PointKey, str] = NONE_RENAMED, /) -> Numbered:
        """The permanent index of each (plant, point id); renamed points keep theirs, new ones get the next."""
        return number_points(self._file, points, was)

    def installation(self) -> str | None:
        """The id of the installation the journal belongs to; None if it has none."""
        return next((str(row[0]) for row in self._file.rows("SELECT id FROM installation")), None)

    def mark(self, installation: str) -> None:
        """Assign a journal without an installation id to that installation."""
        with self._file.transaction() as cursor:
            cursor.execute("INSERT INTO installation VALUES (?)", (installation,))

    def empty(self) -> bool:
        """Whether no point was ever numbered and no entry written."""
        return not self._file.scalar("SELECT EXISTS (SELECT 1 FROM point) OR EXISTS (SELECT 1 FROM entry)", ())

    def cursor(self, reader: str) -> int:
        """The cursor of that reader; 0 if it never read."""
        return int(self._file.scalar("SELECT coalesce(max(position), 0) FROM cursor WHERE reader = ?", (reader,)))

    def save_cursor(self, reader: str, position: int) -> None:
        """Store the cursor of that reader."""
        with self._file.transaction() as cursor:
            cursor.execute("INSERT OR REPLACE INTO cursor VALUES (?, ?)", (reader, position))

    def save_sequence_state(self, key: BootKey, state: SequenceState) -> None:
        """Store the changed gaps of a known boot."""
        self._sequences.save(key, state)

    def forget(self, boots: Sequence[BootKey]) -> None:
        """Delete the sequence states of these boots, in steps."""
        self._sequences.forget(boots)

    def sequence_states(self) -> dict[BootKey, SequenceState]:
        """The sequence state of every boot, the one received longest ago first."""
        return self._sequences.all()

    def boots(self) -> dict[Who, tuple[str, GatewayClock | None]]:
        """Each gateway's current boot and its clock: the boot with a clock, else the newest."""
        return self._sequences.boots()

    def recent(self) -> dict[Who, RecentFrames]:
        """The last frames of each gateway; only their newest time where an earlier version wrote them."""
        return self._sequences.recent()

    def gateways(self) -> list[GatewaySequence]:
        """What is on disk of each gateway's current boot."""
        return self._sequences.gateways()

    def overflowed(self) -> int:
        """How many quarantined messages were deleted for newer ones since the start."""
        return self._quota.overflowed

    def damaged(self) -> int:
        """How many entries and sequence states were found damaged since the start."""
        return len(self._damage) + self._sequences.damaged

    def quarantined(self, *, limit: int, before: int | None = None) -> list[Quarantined]:
        """Quarantined messages, newest first."""
        rows = self._file.rows(
            f"SELECT {QUARANTINED} FROM quarantine WHERE id < ? ORDER BY id DESC LIMIT ?",  # noqa: S608
            (before if before is not None else 1 << 62, limit),
        )
        return [Quarantined(*row) for row in rows]

    def to_retry(self, limit: int, *, history: bool = False) -> list[Quarantined]:
        """Messages marked for retry, oldest first: intake's, or with `history` what the history store refused."""
        rows = self._file.rows(
            f"SELECT {QUARANTINED} FROM quarantine WHERE retry = 1 AND (reason = ?) = ? ORDER BY id LIMIT ?",  # noqa: S608
            (HISTORY_REJECTED, int(history), limit),
        )
        return [Quarantined(*row) for row in rows]

    def refused_after(self, after: int) -> Quarantined | None:
        """The oldest item with a greater id that the history store refused and that is not marked for retry."""
        rows = self._file.rows(
            f"SELECT {QUARANTINED} FROM quarantine WHERE {_REFUSED} AND retry = 0 AND id > ? ORDER BY id LIMIT 1",  # noqa: S608
            (after,),
        )
        return Quarantined(*rows[0]) if rows else None

    def retry_refused(self) -> int:
        """Mark everything the history store refused for retry; returns the number of rows."""
        with self._file.transaction() as cursor:
            cursor.execute(f"UPDATE quarantine SET retry = 1 WHERE {_REFUSED} AND retry = 0 RETURNING 1")  # noqa: S608
            return len(cursor.fetchall())

    def refused(self) -> int:
        """The number of quarantined readings and events the history store refused, in `MOST_COUNTED` rows at most."""
        rows = self._file.rows(f"SELECT max(readings, 1) FROM quarantine WHERE {_REFUSED} LIMIT ?", (MOST_COUNTED,))  # noqa: S608
        return sum(int(waiting) for (waiting,) in rows)

    def quarantine(self, items: Sequence[Quarantined], *, retried: Sequence[int] = ()) -> None:
        """Quarantine messages or readings, and delete the retried ones. Raises as `append`."""
        with self._file.transaction() as cursor:
            overflowed = self._quota.quarantine(cursor, items, retried)
        self._report(overflowed)

    def totals(self) -> Totals:
        """Count the readings and the quarantined messages."""
        readings = self._file.scalar("SELECT coalesce(sum(readings), 0) FROM entry")
        (quarantined,) = self._file.rows("SELECT count(*), coalesce(sum(readings), 0) FROM quarantine")
        return Totals(readings, *quarantined)

    def trim(self, upto: int, older_than: int) -> int:
        """Delete entries every reader has passed (id <= `upto`), from the oldest up to one received after `older_than`.

        Only ever from the oldest on, so an id missing between two others was not trimmed. In steps: a commit waits for
        one of them at most.
        """
        kept = self._file.scalar(
            "SELECT coalesce((SELECT id FROM entry WHERE received >= ? ORDER BY id LIMIT 1), ?)", (older_than, upto + 1)
        )
        before = min(kept, upto + 1)
        self._tail.trim(before)
        return self._file.delete("entry", "id < ?", before)

    def trim_quarantine(self, older_than: int) -> int:
        """Delete messages quarantined before `older_than` (ns) that are not marked for retry."""
        return self._file.delete("quarantine", "retry = 0 AND received < ?", older_than)

    def give_back(self, *, keep: float = 0.5) -> None:
        """Release unused space of the file to the disk, except for a share `keep` that is soon needed again."""
        self._file.give_back(keep=keep)

    def checkpoint(self) -> None:
        """Copy the write-ahead log into the file as far as no reader blocks it."""
        self._file.checkpoint()

    def rebuild(self) -> None:
        """Rewrite the file without unused space; needs as much free space again, and blocks all writers meanwhile."""
        self._file.rebuild()

    def close(self) -> None:
        """Close every connection; the log stays."""
        self._file.close()

    def _report(self, overflowed: Sequence[QuarantineOverflowed]) -> None:
        self._quota.committed(overflowed)
        for event in overflowed:
            emit(event)

    def _read_one_by_one(self, after: int) -> list[Entry]:
        """The next entry of a file with damaged pages, where each id is read by itself."""
        for number in range(after + 1, self._last + 1):
            with self._file.reading() as cursor:
                try:
                    row = cursor.execute(f"SELECT {COLUMNS} FROM entry WHERE id = ?", (number,)).fetchone()  # noqa: S608
                except apsw.CorruptError as error:
                    return [self._damage.report(number, None, None, str(error))]
                if row is not None:
                    return [self._damage.entry(row)]
        return []


def _sequence_row(key: BootKey, progress: Progress) -> tuple[Any, ...]:
    state, p = progress.state, progress
    clock = msgspec.json.encode(msgspec.structs.astuple(p.clock) if p.clock is not None else None).decode()
    return (
        *(*key, state.committed, gaps_text(state.missing), gaps_text(state.lost), clock),
        *(p.received, p.received, p.frames, p.duplicates, p.recent.packed() if p.recent is not None else b""),
    )
