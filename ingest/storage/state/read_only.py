"""Reads the state database from outside, beside a running service, without writing, migrating or locking."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from ingest.base.extras import needing
from ingest.storage.state import sqlite
from ingest.storage.state.config import SERVER_EXTRA, StateConfig
from ingest.storage.state.errors import StateUnavailable
from ingest.storage.state.unreadable import Rows, Unreadable
from ingest.storage.state.version import require_known

T = TypeVar("T")

ENGINE_AT = "SELECT cursor, snapshot_cursor FROM engine_state"


@dataclass(frozen=True, slots=True)
class EngineProgress:
    """The newest journal entry the engine has committed, and the newest it no longer needs for a restart."""

    cursor: int
    snapshot_cursor: int


def engine_at(config: StateConfig) -> EngineProgress:
    """The engine's progress; 0 if it never ran.

    Raises:
        StateUnavailable: the database exists and cannot be read.
    """
    row = _in_file(config.path) if config.server is None else _at_server(config)
    return EngineProgress(*row) if row else EngineProgress(0, 0)


def never_used(config: StateConfig) -> bool:
    """Whether no engine ever committed anything there; an unreadable database counts as used."""
    try:
        return (_in_file(config.path) if config.server is None else _at_server(config)) is None
    except StateUnavailable:
        return False


def require_unused(config: StateConfig) -> None:
    """Raise StateUnavailable if another process writes there, or a server cannot be queried.

    Not for the process that writes there itself: the check would release its lock.
    """
    if config.server is None:
        sqlite.require_unused(config.path)
    else:
        with needing(SERVER_EXTRA, f"state.url = {config.server}"):
            from ingest.storage.state import postgresql  # noqa: PLC0415  only the driver in use is loaded

        postgresql.require_unused(config)


@contextmanager
def reading(config: StateConfig) -> Iterator[sa.Connection]:
    """A read-only connection to what is committed; on a server, to the state at the first read.

    Raises:
        StateNewer: a newer version of the service wrote it.
        StateUnavailable: it does not exist, or cannot be read.
    """
    engine = _file_reader(config.path) if config.server is None else _server_reader(config)
    try:
        with engine.connect() as connection:
            if config.server is not None:  # rows are streamed only within a transaction
                connection.execution_options(isolation_level="REPEATABLE READ")
            _require_known(connection, str(config.server or config.path))
            yield connection
    except sa.exc.DBAPIError as error:
        raise StateUnavailable(f"{config.server or config.path}: {error.orig}") from error
    finally:
        engine.dispose()


def _require_known(connection: sa.Connection, name: str) -> None:
    """Raise StateNewer if the schema is newer; a damaged version is left to the checks."""
    try:
        require_known(connection, name)
    except sa.exc.DBAPIError:
        connection.rollback()


class ReadOnly:
    """The state database for a process that only reads, beside the service that writes it."""

    def __init__(self, config: StateConfig) -> None:
        """Prepare a connection, opened with the first query."""
        self._name = str(config.server or config.path)
        self._file = config.path if config.server is None else None
        self._unreadable = Unreadable()
        self._engine = _file_reader(config.path) if config.server is None else _server_reader(config)

    def rows(self, query: sa.Select[Any]) -> Rows:
        """The committed rows of a query. Raises StateUnavailable."""
        try:
            with self._engine.connect() as connection:
                return self._unreadable.rows(connection, query)
        except sa.exc.DBAPIError as error:
            if self._file is not None and not self._file.exists():
                raise StateUnavailable(f"{self._name}: no such file; it is made by the first start") from error
            raise StateUnavailable(f"{self._name}: {error.orig}") from error

    def records(self, query: sa.Select[Any], make: Callable[[Mapping[str, Any]], T]) -> list[T]:
        """The committed records of a query; an unreadable row is reported and left out. Raises StateUnavailable."""
        return self._unreadable.records(query, self.rows(query), make)

    def page(self, query: sa.Select[Any], limit: int, make: Callable[[Mapping[str, Any]], T]) -> list[T]:
        """The first `limit` records; fewer only if there are no more, whichever are unreadable. Raises as `rows`."""
        return self._unreadable.page(query, limit, lambda most: self.rows(query.limit(most)), make)

    def write(self) -> AbstractContextManager[sa.Connection]:
        """Always raises StateUnavailable: nothing is written here."""
        raise StateUnavailable(f"{self._name}: opened to be read only")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.dispose()


def open_file(path: Path, *, isolation: Literal["DEFERRED"] | None = None) -> sqlite3.Connection:
    """Open a SQLite state database read-only. `isolation`: None = transactions are begun explicitly.

    Raises:
        sqlite3.Error: it does not exist, or cannot be opened.
    """
    uri = f"{path.resolve().as_uri()}?mode=ro"
    return sqlite3.connect(uri, uri=True, timeout=5, isolation_level=isolation)


def _file_reader(path: Path) -> sa.Engine:
    return sa.create_engine("sqlite://", creator=lambda: open_file(path, isolation="DEFERRED"), poolclass=NullPool)


def _server_reader(config: StateConfig) -> sa.Engine:
    with needing(SERVER_EXTRA, f"state.url = {config.server}"):
        from ingest.storage.state.postgresql import Postgresql  # noqa: PLC0415  only the driver in use is loaded

    return Postgresql(config).reader()


def _in_file(path: Path) -> tuple[int, ...] | None:
    if not path.exists():
        return None
    try:
        with closing(open_file(path)) as connection:
            row: tuple[int, ...] | None = connection.execute(ENGINE_AT).fetchone()
    except sqlite3.Error as error:
        if str(error).startswith("no such table"):  # left by a start that was cut off or refused
            return None
        raise StateUnavailable(f"{path}: {error}") from error
    return row


def _at_server(config: StateConfig) -> tuple[int, ...] | None:
    with needing(SERVER_EXTRA, f"state.url = {config.server}"):
        from ingest.storage.state.postgresql import peek  # noqa: PLC0415  only the driver in use is loaded

    return peek(config, ENGINE_AT)
