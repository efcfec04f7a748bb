"""Connections to the state database: one that writes, others that only ever read.

SQLite before 3.51.3 can corrupt a WAL database when two connections write or checkpoint at once (sqlite.org/wal.html);
Python ships whatever the system has. So all writes share one connection behind a lock, and readers may neither write
nor checkpoint.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy.pool import StaticPool

from ingest.state.errors import StateBroken, StateUnavailable

_MIGRATIONS = Path(__file__).parent / "migrations"

_FATAL: Final = ("SQLITE_IOERR", "SQLITE_CORRUPT", "SQLITE_NOTADB")
"""After a failed sync the system may have dropped the pages and report the next sync as good (fsyncgate, 2018)."""

_PASSING: Final = frozenset({"SQLITE_IOERR_NOMEM", "SQLITE_IOERR_SHMSIZE", "SQLITE_IOERR_BLOCKED"})
"""Of these: no memory or no room for the index of the write-ahead log; nothing of the database is in doubt."""


class Database:
    """The state database file, migrated to the newest schema when opened."""

    def __init__(self, path: Path) -> None:
        """Open or create. Raises StateUnavailable, StateBroken."""
        self._path = path
        self._lock = threading.Lock()
        self.broken: StateBroken | None = None
        path.parent.mkdir(parents=True, exist_ok=True)
        url = sa.URL.create("sqlite", database=str(path))
        self._writer = sa.create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
        self._reader = sa.create_engine(url, pool_size=4, max_overflow=12, connect_args={"check_same_thread": False})
        sa.event.listen(self._writer, "connect", _writes_durably)
        sa.event.listen(self._reader, "connect", _only_reads)
        with self.write() as connection:
            migrate(connection)

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One transaction on the one writing connection.

        Raises:
            StateUnavailable: nothing of it is kept.
            StateBroken: now or before; nothing is written any more.
        """
        with self._lock:
            if self.broken is not None:
                raise self.broken
            with self._told(), self._writer.begin() as connection:
                yield connection

    def rows(self, query: sa.Select[Any]) -> list[dict[str, Any]]:
        """What is committed. Raises StateUnavailable, StateBroken."""
        with self._told(), self._reader.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def scalar(self, query: sa.Select[Any]) -> Any:
        """The first column of the first row, or None. Raises StateUnavailable."""
        return next((next(iter(row.values())) for row in self.rows(query.limit(1))), None)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Give the database's errors our names: those to wait for, and those after which nothing may be written."""
        try:
            yield
        except sa.exc.DatabaseError as error:
            name = getattr(error.orig, "sqlite_errorname", "")
            if name.startswith(_FATAL) and name not in _PASSING:
                self.broken = StateBroken(f"{self._path}: {error.orig} ({name})")
                raise self.broken from error
            if isinstance(error, sa.exc.OperationalError):
                raise StateUnavailable(f"{self._path}: {error.orig}") from error
            raise

    def close(self) -> None:
        """Close every connection."""
        self._reader.dispose()
        self._writer.dispose()


def migrate(connection: sa.Connection) -> None:
    """Bring the schema up to date."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _writes_durably(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _only_reads(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("PRAGMA busy_timeout = 5000")
