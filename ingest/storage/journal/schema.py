"""The journal's tables, and the migration of files of earlier versions. The version is stored in the file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import apsw

from ingest.storage.journal.errors import JournalUnavailable

VERSION: Final = 5

_MARKS: Final = 5
"""Since this version the checksums of frames are computed as today; older ones are dropped."""

QUARANTINED: Final = "id, received, topic, reason, detail, readings, payload"
"""The columns of a quarantined message, in the order of `Quarantined`'s fields."""

TABLES: Final = """
CREATE TABLE IF NOT EXISTS entry (id INTEGER PRIMARY KEY AUTOINCREMENT, received INTEGER NOT NULL,
    readings INTEGER NOT NULL, size INTEGER NOT NULL, body BLOB NOT NULL, step INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE IF NOT EXISTS point (id INTEGER PRIMARY KEY, plant TEXT NOT NULL, name TEXT NOT NULL,
    UNIQUE (plant, name)) STRICT;
CREATE TABLE IF NOT EXISTS position (plant TEXT NOT NULL, gateway TEXT NOT NULL, boot TEXT NOT NULL,
    committed INTEGER NOT NULL, missing TEXT NOT NULL, lost TEXT NOT NULL DEFAULT '[]',
    clock TEXT NOT NULL DEFAULT 'null', began INTEGER NOT NULL DEFAULT 0, received INTEGER NOT NULL,
    frames INTEGER NOT NULL, duplicates INTEGER NOT NULL, recent BLOB NOT NULL DEFAULT x'',
    PRIMARY KEY (plant, gateway, boot)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS status (plant TEXT NOT NULL, gateway TEXT NOT NULL, online INTEGER NOT NULL,
    received INTEGER NOT NULL, PRIMARY KEY (plant, gateway)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS quarantine (id INTEGER PRIMARY KEY AUTOINCREMENT, received INTEGER NOT NULL,
    topic TEXT NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL, readings INTEGER NOT NULL,
    payload BLOB NOT NULL, digest BLOB NOT NULL, retry INTEGER NOT NULL DEFAULT 0, UNIQUE (topic, digest)) STRICT;
CREATE TABLE IF NOT EXISTS backfill (id INTEGER PRIMARY KEY AUTOINCREMENT, received INTEGER NOT NULL,
    size INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS installation (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cursor (reader TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""

_SENDER: Final = """sender TEXT AS (CASE WHEN reason IN ('history-rejected', 'damaged') THEN ''
    WHEN reason IN ('topic', 'unknown-gateway') THEN '*' ELSE rtrim(topic, replace(topic, '/', '')) END)"""
"""The quota a quarantined message counts for: its gateway's (by topic), that of unknown gateways, or none."""

_COLUMNS: Final = {
    "entry": ("step INTEGER NOT NULL DEFAULT 0",),
    "position": (
        "lost TEXT NOT NULL DEFAULT '[]'",
        "clock TEXT NOT NULL DEFAULT 'null'",
        "began INTEGER NOT NULL DEFAULT 0",
        "recent BLOB NOT NULL DEFAULT x''",
    ),
    "quarantine": (
        "retry INTEGER NOT NULL DEFAULT 0",
        _SENDER,
        "size INTEGER AS (length(payload) + length(topic) + length(detail) + 1024)",
    ),
}
"""Columns that tables of earlier versions may lack."""

_INDEXES: Final = """
CREATE INDEX IF NOT EXISTS quarantine_retry ON quarantine (id) WHERE retry = 1;
CREATE INDEX IF NOT EXISTS quarantine_sender ON quarantine (sender, retry, id, size);
"""


def prepare(connection: apsw.Connection, path: Path) -> None:
    """Create the tables, or migrate them to today's version.

    Raises:
        JournalUnavailable: a newer version of the service wrote it.
        apsw.Error: it cannot be read or written.
    """
    found = int(connection.pragma("user_version"))
    if found > VERSION:
        raise JournalUnavailable(
            f"{path}: a journal of version {found}; this yujing reads up to {VERSION}. Run the version that wrote it"
        )
    if not connection.pragma("page_count"):
        # Only possible before the first page is written: then trimming can give disk space back bit by bit.
        connection.pragma("auto_vacuum", "incremental")
    connection.pragma("journal_mode", "wal")
    if found == VERSION:
        return
    with connection:
        connection.execute(TABLES)
        for table, columns in _COLUMNS.items():
            known = {name for _, name, *_ in connection.execute(f"PRAGMA table_xinfo({table})")}
            for column in columns:
                if column.split()[0] not in known:
                    connection.execute(f"ALTER TABLE {table} ADD COLUMN {column}")
        connection.execute("UPDATE position SET began = received WHERE began = 0")
        if found < _MARKS:
            connection.execute("UPDATE position SET recent = x''")
        connection.execute(_INDEXES)
        connection.pragma("user_version", VERSION)
