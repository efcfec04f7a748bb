"""Rebuilds a state database from the readable rows of a damaged SQLite file, table by table, by row id.

Indexes are rebuilt, so damage to one costs nothing. Rows of which no record can be made are left out, too: the service
could not read them, and would report them for ever.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ingest.storage.state.config import StateConfig
from ingest.storage.state.database import Database
from ingest.storage.state.errors import StateUnavailable
from ingest.storage.state.integrity import unsound_rows
from ingest.storage.state.read_only import reading as open_reading
from ingest.storage.state.tables import METADATA

WITHOUT_END: Final = 1 << 62
_ROWS: Final = 500


@dataclass(slots=True)
class Salvaged:
    """The result for one table.

    Attributes:
        rows: copied.
        lost: unreadable ranges of row ids, in which rows may have been: (first, last); the last one of a table may
            have no end, which is `WITHOUT_END` or more.
    """

    rows: int = 0
    lost: list[tuple[int, int]] = field(default_factory=list)


def salvage(damaged: Path, target: Path, seen: Callable[[int], None] = lambda _rows: None) -> dict[str, Salvaged]:
    """Copy the readable rows of `damaged` into a new database at `target`; returns the result by table.

    Raises:
        StateUnavailable: nothing of it can be read, or `target` exists.
        OSError: owner and permissions of the new file cannot be set.
    """
    if target.exists():
        raise StateUnavailable(f"{target}: there is a file already; move it away first")
    with closing(sqlite3.connect(damaged)) as reading:
        try:
            tables = {str(name) for (name,) in reading.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        except sqlite3.DatabaseError as error:
            raise StateUnavailable(f"{damaged}: {error}: not even its tables are known; restore a backup") from error
    if tables.isdisjoint(METADATA.tables):
        raise StateUnavailable(f"{damaged}: there is nothing in it; restore a backup")
    Database(target).close()
    target.with_name(f"{target.name}.lock").unlink()
    _copy_access(damaged, target)
    found = {}
    with closing(sqlite3.connect(damaged)) as reading, closing(sqlite3.connect(target)) as writing:
        reading.text_factory = lambda text: text.decode(errors="replace")  # as the service reads it
        _require_same_version(reading, writing, damaged)
        writing.execute("PRAGMA foreign_keys = OFF")
        with writing:
            for table in METADATA.sorted_tables:
                found[table.name] = _copy(reading, writing, table.name, seen)
            _copy_counters(reading, writing)
        with open_reading(StateConfig(path=target)) as records:
            unsound = {table.name: unsound_rows(records, table) for table in METADATA.sorted_tables}
        with writing:
            for name, rows in unsound.items():
                writing.executemany(f'DELETE FROM "{name}" WHERE rowid = ?', [(row,) for row in rows])  # noqa: S608
                found[name].rows -= len(rows)
                found[name].lost += [(row, row) for row in rows]
    return found


def _copy_access(file: Path, target: Path) -> None:
    """Give the target the owner and permissions of the file."""
    mine = file.stat()
    target.chmod(mine.st_mode & 0o777)
    if (mine.st_uid, mine.st_gid) != (target.stat().st_uid, target.stat().st_gid):
        os.chown(target, mine.st_uid, mine.st_gid)


def _require_same_version(reading: sqlite3.Connection, writing: sqlite3.Connection, damaged: Path) -> None:
    query = "SELECT version_num FROM alembic_version"
    ((wanted,),) = writing.execute(query).fetchall()
    try:
        versions = [version for (version,) in reading.execute(query)]
    except sqlite3.DatabaseError:
        return  # not even that can be read: what fits is copied
    if versions and versions != [wanted]:
        raise StateUnavailable(
            f"{damaged}: of version {versions[0]}, not {wanted}: repair it with the yujing that wrote it"
        )


def _copy(
    reading: sqlite3.Connection, writing: sqlite3.Connection, table: str, seen: Callable[[int], None]
) -> Salvaged:
    done = Salvaged()
    names = [f'"{name}"' for _, name, *_ in writing.execute(f'PRAGMA table_info("{table}")')]
    insert = f'INSERT OR REPLACE INTO "{table}" ({", ".join(names)}) VALUES ({", ".join("?" * len(names))})'  # noqa: S608
    # By row number and without any index: those may be what is damaged.
    select = f'SELECT rowid, {", ".join(names)} FROM "{table}" NOT INDEXED WHERE rowid >= ? ORDER BY rowid LIMIT ?'  # noqa: S608
    at = 1
    while True:
        try:
            rows = reading.execute(select, (at, _ROWS)).fetchall()
        except sqlite3.DatabaseError:
            rows = [*_one_by_one(reading, select, at)]
            if not rows:
                behind = _next_readable(reading, select, at)
                done.lost.append((at, behind - 1))
                if behind > WITHOUT_END:
                    return done
                at = behind
                continue
        if not rows:
            return done
        for number, *values in rows:
            try:
                writing.execute(insert, values)
                done.rows += 1
            except sqlite3.IntegrityError:  # a NULL where none is allowed
                done.lost.append((number, number))
        seen(len(rows))
        at = rows[-1][0] + 1


def _one_by_one(reading: sqlite3.Connection, select: str, at: int) -> Iterator[tuple[object, ...]]:
    """The rows from there up to the first that cannot be read."""
    for _ in range(_ROWS):
        try:
            rows = reading.execute(select, (at, 1)).fetchall()
        except sqlite3.DatabaseError:
            return
        if not rows:
            return
        yield rows[0]
        at = rows[0][0] + 1


def _next_readable(reading: sqlite3.Connection, select: str, at: int) -> int:
    """The first row id from which rows can be read again, by exponential and then binary search."""
    bad, leap = at, 1
    while not _readable(reading, select, at + leap):
        bad, leap = at + leap, leap * 2
        if at + leap > WITHOUT_END:
            return WITHOUT_END + 1
    good = at + leap
    while good - bad > 1:
        middle = (bad + good) // 2
        bad, good = (bad, middle) if _readable(reading, select, middle) else (middle, good)
    return good


def _readable(reading: sqlite3.Connection, select: str, at: int) -> bool:
    try:
        reading.execute(select, (at, 1)).fetchall()
    except sqlite3.DatabaseError:
        return False
    return True


def _copy_counters(reading: sqlite3.Connection, writing: sqlite3.Connection) -> None:
    """Copy the counters, so that no number is given twice, deleted rows included."""
    try:
        counters = reading.execute("SELECT name, seq FROM sqlite_sequence").fetchall()
    except sqlite3.DatabaseError:
        return
    for name, number in counters:
        writing.execute("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", (number, name))
