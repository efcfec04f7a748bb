"""A server that dies in the middle of something: what was committed is there once, and what was not is repeated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psycopg
import pytest
import sqlalchemy as sa

from ingest.domain.model.audit import Act
from ingest.storage.state.audit import AuditStore, append
from ingest.storage.state.config import StateConfig
from ingest.storage.state.database import Database
from ingest.storage.state.engine_store import EngineStore
from ingest.storage.state.errors import StateAway, StateInDoubt
from tests.conftest import at_server
from tests.ingest.storage.state.dying import until_available
from tests.servers import PostgreSQL, postgresql

ACT = Act(1, "张三", "operator", "commented", "alarm", "x", "p", {"comment": "检查中"})
OTHER = Act(2, "李四", "operator", "commented", "alarm", "y", "p", {"comment": "在路上"})


@pytest.fixture
def server() -> Iterator[PostgreSQL]:
    """A server of this test's own, to be killed."""
    with postgresql() as made:
        yield made


@contextmanager
def killed_at_commit(database: Database, server: PostgreSQL) -> Iterator[None]:
    """The server dies before the commit reaches its log, and is started again."""

    def die(connection: Any) -> None:
        server.kill()
        server.start()
        connection.dbapi_connection.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    with patch.object(database._writer.dialect, "do_commit", die):
        yield


@pytest.mark.parametrize("others", [0, 3])
def test_a_commit_whose_number_the_server_has_forgotten_is_repeated(
    server: PostgreSQL, tmp_path: Path, others: int
) -> None:
    """A server that dies before its log is written does not know the number any more, and gives it to the next."""
    database = Database(at_server(server, tmp_path))
    store = EngineStore(database)
    store.commit(6, [], [])
    with killed_at_commit(database, server), pytest.raises(StateInDoubt):
        store.commit(7, [], [], acts=[ACT])

    def write() -> None:
        with database.write() as connection:
            append(connection, [OTHER])

    for _ in range(others):
        until_available(write)
    until_available(lambda: store.commit(7, [], [], acts=[ACT]))
    assert store.load().cursor == 7
    assert [row.act for row in AuditStore(database.rows).acts(limit=9)][::-1] == [*[OTHER] * others, ACT]
    database.close()


DYING = (
    psycopg.OperationalError("server closed the connection unexpectedly"),
    psycopg.DatabaseError("SSL SYSCALL error: EOF detected"),  # a result that the library made: it has no code
    psycopg.InterfaceError("unexpected result 8 from command"),
    psycopg.InternalError("got no result from the query"),
    psycopg.errors.AdminShutdown("terminating connection due to administrator command"),
    psycopg.errors.CrashShutdown("terminating connection because of crash of another server process"),
    psycopg.errors.IdleInTransactionSessionTimeout("terminating connection due to idle-in-transaction timeout"),
)


@pytest.mark.parametrize("at", ["execute", "commit", "connect"])
def test_whatever_a_dying_connection_raises_is_a_server_that_is_away(migrated_at_server: StateConfig, at: str) -> None:
    """Of the statement, of the commit, or of the first questions of a new session; the next try finds it as it was."""
    database = Database(migrated_at_server)
    store = EngineStore(database)
    for number, error in enumerate(DYING, start=1):
        with broken_once(database, at, error), pytest.raises(StateAway):
            store.commit(number, [], [])
        assert database.trouble is not None
        until_available(partial(store.commit, number, [], []))
        with broken_once(database, "read", error):
            assert store.load().cursor == number, "a pool notices only in use that its sessions ended: it asks again"
    database.close()


@contextmanager
def broken_once(database: Database, at: str, error: psycopg.Error) -> Iterator[None]:
    """The next connection that does this ends, with that error."""
    pending = [error]

    def die(connection: Any) -> None:
        if pending:
            connection.close()
            raise pending.pop()

    def execute(cursor: Any, _statement: str, _parameters: Any, _context: Any = None) -> bool:
        die(cursor.connection)
        return False

    engine = database._reader if at == "read" else database._writer
    if at in {"execute", "read"}:
        sa.event.listen(engine, "do_execute", execute)
        yield
        sa.event.remove(engine, "do_execute", execute)
    elif at == "commit":
        with patch.object(engine.dialect, "do_commit", lambda connection: die(connection.dbapi_connection)):
            yield
    else:
        if database._held is not None:
            database._held.invalidate()  # as if the session had ended between two transactions
        with patch.object(database.backend, "_require_usable", die):
            yield
