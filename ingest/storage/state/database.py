"""Connections to the state database: one that writes, and a pool of read-only ones."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from ingest.base.closing import closed_on_failure
from ingest.storage.state.backend import Backend, open_backend
from ingest.storage.state.config import StateConfig
from ingest.storage.state.errors import StateBroken, StateInDoubt, StateUnavailable
from ingest.storage.state.unreadable import Rows, Unreadable
from ingest.storage.state.version import require_known

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Why it cannot be used, and since when, by `time.monotonic`."""

    why: str
    since: float


class Database:
    """The state database, migrated to the newest schema when opened. No other service writes to it meanwhile."""

    def __init__(self, place: StateConfig | Path) -> None:
        """Open or create it.

        Raises:
            StateUnavailable, StateBroken: it cannot be used, or another service writes there.
        """
        config = StateConfig(path=place) if isinstance(place, Path) else place
        self.unreadable = Unreadable()
        self.backend: Backend = open_backend(config)
        self._lock = threading.Lock()
        self._closed = False
        self.broken: StateBroken | None = None
        self._trouble: dict[bool, _Trouble] = {}  # by whether it was met reading
        self._held: sa.Connection | None = None  # the writing connection, between transactions
        with closed_on_failure(self.backend.close):
            self._writer, self._reader = self.backend.writer(), self.backend.reader()
        with closed_on_failure(self.close), self.write() as connection:
            migrate(connection, self.backend)
            self.backend.opened(connection)

    @property
    def trouble(self) -> str | None:
        """Why the newest use of it failed, for people; None if it did not."""
        newest = next(iter(self._trouble.copy().values()), None)
        return newest.why if newest is not None else str(self.unreadable) or None

    def unusable_s(self) -> float:
        """For how many seconds every write has failed; 0 if the newest did not. The engine writes every few seconds."""
        trouble = self._trouble.get(False)
        return 0.0 if trouble is None else time.monotonic() - trouble.since

    @contextmanager
    def write(self, *, durable: bool = True, patient: bool = False) -> Iterator[sa.Connection]:
        """Run one transaction on the writing connection.

        A transaction that is not `durable` survives the process, but not a loss of power right after: for work that is
        repeated then, since a sync costs several times what a small transaction does. The next durable one syncs it.
        Statements of a `patient` one may take as long as they do; others are given up once a server takes too long.

        Raises:
            StateUnavailable: nothing of it was committed.
            StateInDoubt: it may be committed; ask `wrote_last`.
            StateBroken: now or before; nothing is written any more.
        """
        with self._translated_errors(), self._writing_alone():
            if self.broken is not None:
                raise self.broken
            with self._writing() as connection, connection.begin() as transaction:
                self.backend.set_durable(connection, durable)
                self.backend.set_patient(connection, patient)
                yield connection
                self._commit(transaction, self.backend.transaction(connection))

    def wrote_last(self, transaction: int, table: sa.Table) -> bool:
        """Whether a transaction in doubt was committed: it wrote the one row of a table, which nobody has since.

        Raises:
            StateUnavailable: that is not known yet; call again.
        """
        # The session of before has ended, and so has its transaction: a new one gets the lock only then.
        with self._translated_errors(), self._writing_alone(), self._writing() as connection, connection.begin():
            self.backend.set_patient(connection, False)
            return self.backend.wrote_last(connection, transaction, table)

    @contextmanager
    def _writing_alone(self) -> Iterator[None]:
        """Hold the writing connection. Raises StateUnavailable if another thread does not give it back in time."""
        if not self._lock.acquire(timeout=self.backend.turn_s):
            raise StateUnavailable(f"{self.backend.name}: another write has not ended within {self.backend.turn_s:g} s")
        try:
            yield
        finally:
            self._lock.release()

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A read-only connection that sees what is committed. Raises StateUnavailable, StateBroken."""
        with self._translated_errors(reading=True), self._reader.connect() as connection:
            yield connection

    def rows(self, query: sa.Select[Any], **given: Any) -> Rows:
        """The committed rows of a query; `given`: parameters of a prepared one, which costs a quarter of a new one.

        Raises:
            StateUnavailable, StateBroken.
        """
        try:
            return self._rows(query, given)
        except StateUnavailable as error:
            # A pool notices only in use that its sessions died with their server; it has dropped them all now.
            if not isinstance(error.__cause__, sa.exc.DBAPIError) or not error.__cause__.connection_invalidated:
                raise
            return self._rows(query, given)

    def records(self, query: sa.Select[Any], make: Callable[[Mapping[str, Any]], T], **given: Any) -> list[T]:
        """The committed records of a query; a row that cannot be read is reported and left out.

        Raises:
            StateUnavailable, StateBroken: as `rows`.
        """
        return self.unreadable.records(query, self.rows(query, **given), make)

    def page(self, query: sa.Select[Any], limit: int, make: Callable[[Mapping[str, Any]], T], **given: Any) -> list[T]:
        """The first `limit` records; fewer only if there are no more, whichever rows are unreadable. Raises as `rows`.

        The limit of a prepared query is its parameter `most`.
        """

        def rows(most: int) -> Rows:
            return self.rows(query, **given, most=most) if given else self.rows(query.limit(most))

        return self.unreadable.page(query, limit, rows, make)

    def record(self, query: sa.Select[Any], make: Callable[[Mapping[str, Any]], T]) -> T | None:
        """The first record, or None; see `records`."""
        return next(iter(self.records(query, make)), None)

    def scalar(self, query: sa.Select[Any], **given: Any) -> Any:
        """The first column of the first row, or None. Raises StateUnavailable."""
        return next((next(iter(row.values())) for row in self.rows(query, **given)), None)

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """The writing connection, which is held as long as nothing fails: taking it costs as much as a transaction."""
        if self._closed:  # another service may write there by now
            raise StateUnavailable(f"{self.backend.name}: closed")
        connection, self._held = self._held or self._writer.connect(), None
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        self._held = connection

    def _rows(self, query: sa.Select[Any], given: Mapping[str, Any]) -> Rows:
        with self.read() as connection:
            return self.unreadable.rows(connection, query, given)

    def _commit(self, transaction: sa.RootTransaction, number: int | None) -> None:
        try:
            transaction.commit()
        except sa.exc.DBAPIError as error:
            if number is not None and error.connection_invalidated:
                raise StateInDoubt(f"{self.backend.name}: {self.backend.error_text(error)}", number) from error
            raise

    @contextmanager
    def _translated_errors(self, *, reading: bool = False) -> Iterator[None]:
        """Translate the database's errors into ours: those to retry after, and those that end all writing."""
        try:
            yield
        except StateUnavailable as error:
            self._note(reading, str(error))
            raise
        except StateBroken as error:
            self.broken = error
            raise
        except sqlite3.DatabaseError as error:  # while connecting, before SQLAlchemy wraps errors
            self.broken = StateBroken(f"{self.backend.name}: {error}")
            raise self.broken from error
        except sa.exc.DBAPIError as error:
            kind, text = self.backend.error_type(error), f"{self.backend.name}: {self.backend.error_text(error)}"
            if kind is StateBroken:
                self.broken = StateBroken(text)
                raise self.broken from error
            if kind is not None and issubclass(kind, StateUnavailable):
                self._note(reading, text)
                raise kind(text) from error
            raise
        except sa.exc.TimeoutError as error:
            text = f"{self.backend.name}: all connections are in use"
            self._note(reading, text)
            raise StateUnavailable(text) from error
        else:
            self._trouble.pop(reading, None)

    def _note(self, reading: bool, why: str) -> None:  # noqa: FBT001  a key, not a mode
        before = self._trouble.get(reading)
        self._trouble[reading] = _Trouble(why, time.monotonic() if before is None else before.since)

    def close(self) -> None:
        """Wait for a transaction under way, close every connection and release the database for other writers.

        Threads may still work when the service stops: what they write from now on is refused as unavailable.
        """
        with self._lock:
            self._closed = True
            self._reader.dispose()
            if self._held is not None:
                self._held.close()
                self._held = None
            self._writer.dispose()
            self.backend.close()


def migrate(connection: sa.Connection, backend: Backend) -> None:
    """Migrate the schema to this version's, however long that takes.

    Raises:
        StateNewer: a newer version of the service wrote it.
    """
    if require_known(connection, connection.engine.url.render_as_string()):
        return
    from ingest.storage.state.upgrade import upgrade  # noqa: PLC0415  a schema that is up to date needs no Alembic

    backend.set_patient(connection, True)
    upgrade(connection)
