"""The SQLite backend of the state database.

SQLite before 3.51.3 can corrupt a WAL database when two connections write or checkpoint at once (sqlite.org/wal.html);
Python ships whatever the system has. So all writes share one connection of one process, and readers may neither write
nor checkpoint.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final
from weakref import finalize

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from ingest.storage.state.backend import json_text
from ingest.storage.state.errors import StateBroken, StateUnavailable

_FATAL: Final = ("SQLITE_IOERR", "SQLITE_CORRUPT", "SQLITE_NOTADB")
"""After a failed sync the system may have dropped the pages and report the next sync as good (fsyncgate, 2018)."""

_PASSING: Final = frozenset({"SQLITE_IOERR_NOMEM", "SQLITE_IOERR_SHMSIZE", "SQLITE_IOERR_BLOCKED"})
"""Of these: no memory or no room for the index of the write-ahead log; nothing of the database is in doubt."""


_TEXT: Final = partial(str, encoding="utf-8", errors="replace")
"""A byte that is no text costs its own letter (U+FFFD), not the start of the service."""


class Sqlite:
    """The SQLite implementation of `ingest.storage.state.backend.Backend`."""

    def __init__(self, path: Path) -> None:
        """Lock the file for this process. Raises StateUnavailable if another has it."""
        self._path = path
        self._url = sa.URL.create("sqlite", database=str(path))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StateUnavailable(f"{path}: {error.strerror or error}") from error
        self._durable = True
        self._release = finalize(self, os.close, _hold(path))  # at the latest when this object is collected

    @property
    def name(self) -> str:
        """The path of the file."""
        return str(self._path)

    @property
    def turn_s(self) -> float:
        """See `Backend`: for ever; a disk that does not answer is found by the watchdog."""
        return -1.0

    def writer(self) -> sa.Engine:
        """See `Backend`."""
        engine = sa.create_engine(
            self._url,
            poolclass=StaticPool,
            connect_args={"check_same_thread": False},
            json_serializer=json_text,
        )
        sa.event.listen(engine, "connect", _writes_durably)
        return engine

    def reader(self) -> sa.Engine:
        """See `Backend`."""
        engine = sa.create_engine(
            self._url,
            pool_size=4,
            max_overflow=12,
            pool_use_lifo=True,  # the one used last has warm caches
            connect_args={"check_same_thread": False},
        )
        sa.event.listen(engine, "connect", _only_reads)
        return engine

    def opened(self, connection: sa.Connection) -> None:
        """Do nothing: the process holds the file."""

    def set_durable(self, connection: sa.Connection, durable: bool) -> None:  # noqa: FBT001  as `Backend`
        """See `Backend`: the log is synced with the next durable commit, and before it is copied into the file."""
        if durable is not self._durable:
            raw: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]  # the only driver
            raw.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._durable = durable

    def set_patient(self, connection: sa.Connection, patient: bool) -> None:  # noqa: FBT001  as `Backend`
        """Nothing: a file answers, or fails."""

    def transaction(self, connection: sa.Connection) -> int | None:
        """None: the outcome of a commit is always known here."""

    def wrote_last(self, connection: sa.Connection, transaction: int, table: sa.Table) -> bool:
        """Never called."""
        raise NotImplementedError

    def error_type(self, error: sa.exc.DBAPIError) -> type[Exception] | None:
        """See `Backend`."""
        name = getattr(error.orig, "sqlite_errorname", "")
        if name.startswith(_FATAL) and name not in _PASSING:
            return StateBroken
        return StateUnavailable if isinstance(error, sa.exc.OperationalError) else None

    def error_text(self, error: sa.exc.DBAPIError) -> str:
        """See `Backend`."""
        name = getattr(error.orig, "sqlite_errorname", None)
        return f"{error.orig} ({name})" if name else str(error.orig)

    def last_number(self, connection: sa.Connection, column: sa.Column[Any]) -> int:
        """See `Backend`."""
        given = connection.execute(sa.select(_SEQUENCE.c.seq).where(_SEQUENCE.c.name == column.table.name)).scalar()
        return int(given or 0)

    def continue_after(self, connection: sa.Connection, column: sa.Column[Any], number: int) -> None:
        """See `Backend`."""
        name = column.table.name
        connection.execute(sa.delete(_SEQUENCE).where(_SEQUENCE.c.name == name))
        connection.execute(sa.insert(_SEQUENCE), {"name": name, "seq": number})

    def settle(self, connection: sa.Connection, tables: Sequence[str]) -> None:
        """Do nothing: the planner needs no statistics."""

    def close(self) -> None:
        """Release the file for other writers."""
        self._release()


_SEQUENCE: Final = sa.table("sqlite_sequence", sa.column("name", sa.Text), sa.column("seq", sa.Integer))


def require_unused(path: Path) -> None:
    """Raise StateUnavailable if another process writes there; creates nothing."""
    if _lock_of(path).exists():
        os.close(_hold(path))


def _lock_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")


def _hold(path: Path) -> int:
    """Lock the file until the process ends, however it ends. Raises StateUnavailable if another has it."""
    try:
        held = os.open(_lock_of(path), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.lockf(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(held)
            raise
    except BlockingIOError:
        raise StateUnavailable(f"{path}: another process writes here; stop it first") from None
    except OSError as error:
        raise StateUnavailable(f"{path}: {error.strerror or error}") from error
    return held


def _writes_durably(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.text_factory = _TEXT


def _only_reads(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA query_only = ON")
    connection.text_factory = _TEXT
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("PRAGMA busy_timeout = 5000")
