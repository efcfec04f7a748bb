"""A server that holds its sessions and answers nothing is a server that is away, as it is for everybody at once."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import sqlalchemy as sa

from ingest.domain.model.audit import Act
from ingest.storage.state import silence
from ingest.storage.state.audit import AuditStore, append
from ingest.storage.state.database import Database
from ingest.storage.state.engine_store import EngineStore
from ingest.storage.state.errors import StateAway, StateInDoubt, StateUnavailable
from tests.conftest import at_server
from tests.hanging import hanging
from tests.ingest.storage.state.dying import until_available
from tests.servers import PostgreSQL, postgresql

ACT = Act(1, "张三", "operator", "commented", "alarm", "x", "p", {"comment": "检查中"})


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQL]:
    """A server of these tests' own, to be stopped."""
    with postgresql() as made:
        yield made


@pytest.fixture
def database(server: PostgreSQL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A database on it, which is less patient than ours, so that the test is."""
    for module in ("silence", "postgresql"):
        monkeypatch.setattr(f"ingest.storage.state.{module}.ANSWER_S", 1.0)
    opened = Database(at_server(server, tmp_path))
    yield opened
    opened.close()


def writer(server: PostgreSQL) -> int:
    """The process of the session that writes."""
    ((pid,),) = server.ask("SELECT pid FROM pg_locks WHERE locktype = 'advisory'")
    return int(str(pid))


def test_what_is_not_answered_fails_and_is_done_once_when_the_server_wakes(
    server: PostgreSQL, database: Database
) -> None:
    """Twice: the session that was there fails, a new one fails, and then the same is written as if nothing was."""
    store = EngineStore(database)
    for number in (1, 2):
        store.commit(number * 10, [], [])
        with hanging(server):
            with pytest.raises(StateAway, match="no answer within 1 s"):
                store.commit(number * 10 + 1, [], [], acts=[ACT])
            with pytest.raises(StateAway, match="no answer within 5 s"):
                store.commit(number * 10 + 1, [], [], acts=[ACT])
            assert "no answer" in str(database.trouble)
            assert database.unusable_s() > 5
        until_available(partial(store.commit, number * 10 + 1, [], [], acts=[ACT]))
        assert (store.load().cursor, database.unusable_s()) == (number * 10 + 1, 0)
        assert len(AuditStore(database.rows).acts(limit=9)) == number


@pytest.mark.parametrize("wakes", [True, False])
def test_a_commit_that_is_not_answered_is_in_doubt_until_its_session_has_ended(
    server: PostgreSQL, database: Database, wakes: bool
) -> None:
    """The process carries it out when it wakes, or dies; who repeats it waits for that, and it is there once."""
    store = EngineStore(database)
    store.commit(6, [], [])
    dialect, stopped = database._writer.dialect, writer(server)
    commit = dialect.do_commit

    def stop(connection: Any) -> None:
        os.kill(stopped, signal.SIGSTOP)
        commit(connection)

    with patch.object(dialect, "do_commit", stop), pytest.raises(StateInDoubt):
        store.commit(7, [], [], acts=[ACT])
    with pytest.raises(StateUnavailable, match="the server has not ended our earlier session yet"):
        store.commit(7, [], [], acts=[ACT])
    if wakes:
        os.kill(stopped, signal.SIGCONT)
    else:
        server.kill_process(stopped)
    until_available(lambda: store.commit(7, [], [], acts=[ACT]))
    assert store.load().cursor == 7
    assert [row.act for row in AuditStore(database.rows).acts(limit=9)] == [ACT]


def test_while_it_is_silent_nobody_waits_but_who_tries_it(server: PostgreSQL, database: Database) -> None:
    """Sixteen threads that read: a few wait for what they asked before it was known, the rest is refused at once."""
    query = sa.text("SELECT 1")
    database.rows(query)  # type: ignore[arg-type]  # as good as a Select
    with hanging(server):
        with pytest.raises(StateAway), database.write():
            pass
        refused: list[float] = []

        def read() -> None:
            began = time.monotonic()
            with pytest.raises(StateAway):
                database.rows(query)  # type: ignore[arg-type]
            refused.append(time.monotonic() - began)

        with pytest.raises(StateAway):
            database.rows(query)  # type: ignore[arg-type]  # on the session that was open
        threads = [threading.Thread(target=read) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(waited < silence.CONNECT_S / 2 for waited in refused) >= 15
    until_available(lambda: database.rows(query))  # type: ignore[arg-type]
    assert database.rows(query)  # type: ignore[arg-type]


def test_a_write_does_not_wait_for_ever_for_another_one(
    server: PostgreSQL, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(database.backend), "turn_s", 0.2)
    with database.write() as connection:
        append(connection, [ACT])
        failed: list[Exception] = []

        def write() -> None:
            try:
                with database.write():
                    pass
            except StateUnavailable as error:
                failed.append(error)

        other = threading.Thread(target=write)
        other.start()
        other.join()
    assert "another write has not ended within 0.2 s" in str(failed[0])
    with database.write():
        pass
    assert database.trouble is None


def test_a_statement_that_is_only_slow_is_ended_by_the_server_unless_it_may_take_long(
    state_at_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So its lock is free again; a migration takes as long as it does."""
    monkeypatch.setattr(
        "ingest.storage.state.postgresql._WRITES", {"synchronous_commit": "on", "statement_timeout": "500ms"}
    )
    database = Database(state_at_server)
    slow = sa.text("SELECT pg_sleep(1)")
    with pytest.raises(StateUnavailable, match="statement timeout"), database.write() as connection:
        connection.execute(slow)
    with database.write(patient=True) as connection:
        connection.execute(slow)
    with pytest.raises(StateUnavailable, match="statement timeout"), database.write() as connection:
        connection.execute(slow)
    database.close()
