"""The marks by which the DuckDB file recognizes a repeated write, on disk and cached in memory.

The file is open in one process alone, so nobody else adds marks, and a write need not read them.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import duckdb

from ingest.storage.history.duck_rollups import mark_stale

KEPT: Final = 1_000
"""Marks kept at least: a cursor may fall back by a few writes, never by that many."""

_FORGET_EVERY: Final = KEPT // 10


class Mark(NamedTuple):
    """The identity of a write and its repetitions: its first entry, and when its first reading was received."""

    first_entry: int
    received: int


class Marks:
    """The marks stored in the file."""

    def __init__(self) -> None:
        self._writes: dict[Mark, int] = {}
        self._last = 0
        self._known = False  # whether the cache is valid: it is read, and no write is undecided

    def set(self, db: duckdb.DuckDBPyConnection, mark: Mark, rolled_to: int) -> int:
        """Store the mark of a write in this transaction; returns the write's number.

        A repeated write gets its former number, after it and all later ones are deleted. Call `keep` after the commit.
        """
        if not self._known:
            self._read(db)
        self._known = False
        repeated = self._writes.get(mark)
        if repeated is not None:
            mark_stale(db, "readings", "write >= ? AND time < ?", [repeated, rolled_to])
            db.execute("DELETE FROM readings WHERE write >= ?", [repeated])
            db.execute("DELETE FROM marks WHERE write >= ?", [repeated])
        number = repeated or self._last + 1
        db.execute("INSERT INTO marks VALUES (?, ?, ?)", [number, *mark])
        if number % _FORGET_EVERY == 0:
            db.execute("DELETE FROM marks WHERE write <= ?", [number - KEPT])
        return number

    def keep(self, mark: Mark, number: int) -> None:
        """Update the cache after the commit of that write, which replaces itself and all later ones."""
        if number <= self._last or number % _FORGET_EVERY == 0:
            self._writes = {known: write for known, write in self._writes.items() if number - KEPT < write < number}
        self._writes[mark] = self._last = number
        self._known = True

    def _read(self, db: duckdb.DuckDBPyConnection) -> None:
        found = db.execute("SELECT first_entry, received, write FROM marks ORDER BY write DESC").fetchall()
        self._writes = {Mark(first, received): write for first, received, write in found}  # the oldest of equal ones
        self._last = found[0][2] if found else 0
