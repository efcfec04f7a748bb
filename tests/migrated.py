"""State databases as the migrations leave them: made once, copied for whoever asks.

Migrations take longer than most tests of what is in a database afterwards. The first database of a run is made
by them, on SQLite and on PostgreSQL, as is each that a process of its own opens. On PostgreSQL a copy, too, takes
longer than most tests: there one test after another has the same database, emptied in between.
"""

from __future__ import annotations

import atexit
import shutil
import sqlite3
import tempfile
import weakref
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Final

from ingest.storage.state.config import StateConfig
from ingest.storage.state.database import Database
from tests.servers import PostgreSQL, Session

_END_OTHER_SESSIONS: Final = """SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()"""

_WRITTEN: Final = """SELECT quote_ident(relname) FROM pg_class WHERE relkind = 'r' AND pg_relation_size(oid) > 0
AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'"""
"""Tables that rows were written to since they were made or truncated."""

_SEQUENCES: Final = """SELECT setval(seqrelid::regclass, seqstart, false) FROM pg_sequence"""

_SCHEMA: Final = (
    """SELECT relname, relkind, relowner, relacl::text, pg_get_indexdef(oid) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace ORDER BY 1""",
    """SELECT attrelid::regclass::text, attname, atttypid, attnotnull, attisdropped FROM pg_attribute
    JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace = 'public'::regnamespace ORDER BY 1, attnum""",
    "SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2",
    "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1",
    """SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2""",
    "SELECT version_num FROM alembic_version",
    """SELECT setconfig::text FROM pg_db_role_setting
    WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY 1""",
)
"""What a test may change besides rows, so that its database is of no use to the next."""


def opened(path: Path) -> Database:
    """The state database in that file; a new one where there is none. It is closed with whoever holds it.

    Python 3.13 reports connections that are left to the garbage collector.
    """
    database = Database(laid(path))
    for engine in (database._reader, database._writer):
        weakref.finalize(database, engine.dispose)
    return database


def laid(path: Path) -> Path:
    """The same file, with an empty state database of the newest schema in it where there was none."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_blank(), path)
    return path


@cache
def _blank() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="yujing-migrated-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    Database(folder / "state.db").close()
    return folder / "state.db"


class EmptiedFiles:
    """Open databases in files for one test after another, each as the migrations leave it.

    To open one takes as long as most that is asked of it, and an open one knows the statements that were asked before.
    """

    def __init__(self) -> None:
        self._free: list[Database] = []

    def take(self) -> Database:
        """An empty database, which nobody else has until it is given back."""
        if self._free:
            database = self._free.pop()
            _empty(database)
            return database
        folder = Path(tempfile.mkdtemp(prefix="yujing-emptied-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return opened(folder / "state.db")

    def give_back(self, database: Database) -> None:
        """It may be another test's now, unless something is wrong with it."""
        if database.trouble is None:
            self._free.append(database)


def _empty(database: Database) -> None:
    """Write the pages of the blank database over all of its own."""
    with closing(sqlite3.connect(_blank())) as blank, database.write(durable=False) as connection:
        own = connection.connection.driver_connection
        assert isinstance(own, sqlite3.Connection)
        own.rollback()
        blank.backup(own)


class Emptied:
    """Databases on a server for one test after another, each as the migrations leave it."""

    def __init__(self, server: PostgreSQL, migrated: StateConfig) -> None:
        """Make the one that all are copies of, in the empty database of that configuration."""
        self._server = server
        Database(migrated).close()
        self._like = _name(str(migrated.url))
        self._free: list[str] = []
        with server.admin(self._like) as session:
            self._schema = _schema(session)
        self._emptied(self._like)

    def take(self) -> str:
        """The address of an empty database, which nobody else has until it is given back."""
        while self._free:
            url = self._free.pop()
            if self._emptied(_name(url)):
                return url
        return self._server.database(self._like)

    def give_back(self, url: str) -> None:
        """It may be another test's now, unless its schema was changed."""
        self._free.append(url)

    def _emptied(self, name: str) -> bool:
        with self._server.admin(name) as session:
            session.execute(_END_OTHER_SESSIONS)
            if _schema(session) != self._schema:
                return False
            with session.transaction():
                session.execute("SET LOCAL session_replication_role = replica")  # no trigger refuses it
                if written := ", ".join(str(table) for (table,) in _rows(session, _WRITTEN)):
                    session.execute(f"TRUNCATE {written} CASCADE".encode())
                session.execute(_SEQUENCES)
        return True


def _name(url: str) -> str:
    return url.rpartition("/")[2]


def _schema(session: Session) -> list[list[tuple[object, ...]]]:
    return [_rows(session, query) for query in _SCHEMA]


def _rows(session: Session, query: str) -> list[tuple[object, ...]]:
    return session.execute(query.encode()).fetchall()
