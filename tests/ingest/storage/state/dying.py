"""A connection to a server that ends within a commit, and what its users do then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import psycopg

from ingest.storage.state.database import Database
from ingest.storage.state.errors import StateUnavailable

PATIENCE_S = 60.0


@contextmanager
def dying_at_commit(database: Database, *, kept: bool) -> Iterator[None]:
    """The connection ends with the commit, before or after it has reached the server."""
    dialect = database._writer.dialect
    commit: Callable[[Any], None] = dialect.do_commit

    def die(connection: Any) -> None:
        if kept:
            commit(connection)
        connection.dbapi_connection.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    with patch.object(dialect, "do_commit", die):
        yield


def until_available(call: Callable[[], object]) -> None:
    """Repeat it while the database is away, or its server has not noticed yet that the session before has ended."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            call()
        except StateUnavailable:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        else:
            return
