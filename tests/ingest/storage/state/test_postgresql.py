"""On a server one service writes, durably; what the server loses or refuses is waited out or reported."""

from __future__ import annotations

import math
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from ingest.base.config import Secret
from ingest.domain.model.audit import Act
from ingest.storage.state import postgresql as module
from ingest.storage.state.audit import AuditStore
from ingest.storage.state.config import StateConfig
from ingest.storage.state.database import Database
from ingest.storage.state.engine_store import EngineCheckpoint, EngineStore
from ingest.storage.state.errors import StateAway, StateBroken, StateInDoubt, StateUnavailable
from ingest.storage.state.read_only import EngineProgress, engine_at, reading
from ingest.storage.state.tables import engine_state, outbox
from tests.conftest import at_server
from tests.ingest.storage.state.dying import dying_at_commit, until_available
from tests.servers import PostgreSQL, postgresql

ACT = Act(1, "张三", "operator", "commented", "alarm", "x", "p", {"comment": "检查中"})

_ALSO_WRITES = """
import sys
from pathlib import Path
from ingest.storage.state.database import Database
from ingest.storage.state.errors import StateUnavailable
try:
    Database(Path(sys.argv[1]))
except StateUnavailable as error:
    print(error)
"""


@contextmanager
def opened(config: StateConfig) -> Iterator[Database]:
    """The database, closed in the end."""
    database = Database(config)
    try:
        yield database
    finally:
        database.close()


def name_of(config: StateConfig) -> str:
    """The database's name at its server."""
    assert config.server is not None
    return config.server.name


def end_sessions(server: PostgreSQL, config: StateConfig) -> None:
    """End every session of that database, as a restart of the server does."""
    server.ask(
        f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name_of(config)}'"  # noqa: S608
    )


def test_a_second_service_is_refused_with_the_holder_of_the_lock(
    migrated_at_server: StateConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LINGER_S", 0.2)
    with opened(migrated_at_server), pytest.raises(StateUnavailable, match=r"another session writes here \(from 127"):
        Database(migrated_at_server)
    with opened(migrated_at_server):
        pass


def test_a_second_service_on_a_file_is_refused(tmp_path: Path) -> None:
    with opened(StateConfig(path=tmp_path / "state.db")):
        result = subprocess.run(
            [sys.executable, "-c", _ALSO_WRITES, str(tmp_path / "state.db")], capture_output=True, text=True, check=True
        )
    assert "another process writes here" in result.stdout


def test_who_comes_after_a_killed_service_waits_for_the_server_to_notice(migrated_at_server: StateConfig) -> None:
    before = Database(migrated_at_server)
    later = threading.Timer(0.5, before.close)
    later.start()
    with opened(migrated_at_server) as database:
        assert EngineStore(database).load() == EngineCheckpoint(0, 0, None)
    later.join()


def test_a_session_that_ended_is_made_anew(postgresql_server: PostgreSQL, migrated_at_server: StateConfig) -> None:
    """What is read notices nothing; the commit under way fails, and its repetition does not."""
    with opened(migrated_at_server) as database:
        store = EngineStore(database)
        store.commit(1, [], [])
        assert store.load().cursor == 1
        end_sessions(postgresql_server, migrated_at_server)
        assert store.load().cursor == 1
        with pytest.raises(StateUnavailable):
            store.commit(2, [], [])
        assert database.trouble is not None
        until_available(lambda: store.commit(2, [], []))
        assert store.load().cursor == 2
        assert database.trouble is None


def test_who_comes_back_to_what_another_has_written_writes_no_more(
    postgresql_server: PostgreSQL, migrated_at_server: StateConfig
) -> None:
    first = Database(migrated_at_server)
    EngineStore(first).commit(1, [], [])
    end_sessions(postgresql_server, migrated_at_server)
    with opened(migrated_at_server) as second:
        EngineStore(second).commit(5, [], [])
        with pytest.raises(StateUnavailable):  # the session that ended
            EngineStore(first).commit(2, [], [])
        with pytest.raises(StateBroken, match="another service has written here"):
            EngineStore(first).commit(2, [], [])
    with pytest.raises(StateBroken):
        EngineStore(first).commit(2, [], [])
    with opened(migrated_at_server) as third:
        assert EngineStore(third).load().cursor == 5
    first.close()


@pytest.mark.parametrize("kept", [True, False])
def test_a_commit_in_doubt_is_done_once(migrated_at_server: StateConfig, kept: bool) -> None:
    """The server goes away while it commits: the repetition asks it what became of that, and goes by the answer."""
    with opened(migrated_at_server) as database:
        store = EngineStore(database)
        with dying_at_commit(database, kept=kept), pytest.raises(StateInDoubt):
            store.commit(7, [], [], acts=[ACT])
        assert store.load().cursor == (7 if kept else 0)
        until_available(lambda: store.commit(7, [], [], acts=[ACT]))
        assert store.load().cursor == 7
        assert [row.seq for row in AuditStore(database.rows).acts(limit=9)] == [1]


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        ("53100", StateUnavailable),  # disk full
        ("53300", StateUnavailable),  # too many connections
        ("57P01", StateAway),  # shut down
        ("08006", StateAway),  # connection failure
        ("40001", StateUnavailable),  # serialization
        ("55P03", StateUnavailable),  # lock not available
        ("57014", StateUnavailable),  # cancelled
        ("58030", StateUnavailable),  # I/O error: the server gave the transaction up
        ("25006", StateUnavailable),  # read-only: a standby
        ("42501", StateUnavailable),  # no privilege
        ("XX001", StateBroken),  # data corrupted
        ("XX002", StateBroken),  # index corrupted
        ("23505", sa.exc.DBAPIError),  # a fault of ours
        ("42P01", sa.exc.DBAPIError),
    ],
)
def test_what_the_servers_errors_mean(migrated_at_server: StateConfig, code: str, meaning: type[Exception]) -> None:
    with opened(migrated_at_server) as database:
        with pytest.raises(meaning, match="made up"), database.write() as connection:
            connection.exec_driver_sql(f"DO $$ BEGIN RAISE EXCEPTION 'made up' USING ERRCODE = '{code}'; END $$")
        if meaning is StateBroken:
            with pytest.raises(StateBroken):
                EngineStore(database).commit(1, [], [])
        else:
            EngineStore(database).commit(1, [], [])


def test_a_commit_is_on_the_disk_whatever_the_roles_default(
    postgresql_server: PostgreSQL, state_at_server: StateConfig
) -> None:
    postgresql_server.ask(f"ALTER DATABASE {name_of(state_at_server)} SET synchronous_commit = off")
    with opened(state_at_server) as database, database.write() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "on"


def test_a_server_that_does_not_sync_is_refused(tmp_path: Path) -> None:
    with postgresql(["fsync=off"]) as server, pytest.raises(StateUnavailable, match="fsync off at the server"):
        Database(at_server(server, tmp_path))


def test_a_database_that_cannot_hold_chinese_is_refused(
    postgresql_server: PostgreSQL, state_at_server: StateConfig
) -> None:
    name = f"{name_of(state_at_server)}_ascii"
    postgresql_server.ask(
        f"CREATE DATABASE {name} OWNER {PostgreSQL.ROLE} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'"
    )
    with pytest.raises(StateUnavailable, match="SQL_ASCII; UTF8 is needed"):
        Database(state_at_server.model_copy(update={"url": f"{state_at_server.url}_ascii"}))


def test_a_refused_password_is_reported_without_quoting_it(state_at_server: StateConfig, tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("hunter2")
    wrong = state_at_server.model_copy(update={"password": Secret(file=tmp_path / "wrong")})
    for use in (Database, engine_at):
        with pytest.raises(StateUnavailable, match="password authentication failed") as caught:
            use(wrong)
        assert "hunter2" not in str(caught.value)


def test_a_replaced_password_is_used_by_the_next_connection(
    postgresql_server: PostgreSQL, migrated_at_server: StateConfig, tmp_path: Path
) -> None:
    """Those that are open stay good; the next one reads the file again, without a restart."""
    secret = tmp_path / "replaced"
    secret.write_text(PostgreSQL.PASSWORD)
    try:
        with opened(migrated_at_server.model_copy(update={"password": Secret(file=secret)})) as database:
            postgresql_server.ask(f"ALTER ROLE {PostgreSQL.ROLE} PASSWORD 'another one'")
            with database.write() as connection:
                assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1
            secret.write_text("another one")
            with database.read() as first, database.read() as second, database.read() as third:
                for each in (first, second, third):
                    assert each.exec_driver_sql("SELECT 1").scalar_one() == 1
        with pytest.raises(StateUnavailable, match="password authentication failed"):
            Database(migrated_at_server)
    finally:
        postgresql_server.ask(f"ALTER ROLE {PostgreSQL.ROLE} PASSWORD $${PostgreSQL.PASSWORD}$$")


def test_the_server_must_be_who_it_says(migrated_at_server: StateConfig, postgresql_server: PostgreSQL) -> None:
    """Under verify-full: the right authority opens, another one's certificate does not."""
    sure = migrated_at_server.model_copy(update={"sslmode": "verify-full", "ca_file": postgresql_server.ca})
    with opened(sure) as database, database.read() as connection:
        query = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        assert connection.exec_driver_sql(query).scalar_one() is True
    other = postgresql_server.home / "server.pem"
    with pytest.raises(StateUnavailable, match="certificate verify failed"):
        Database(sure.model_copy(update={"ca_file": other}))


def test_how_far_the_engine_is_can_be_read_beside_it(state_at_server: StateConfig) -> None:
    assert engine_at(state_at_server) == EngineProgress(0, 0), "before there is a table"
    with opened(state_at_server) as database:
        EngineStore(database).commit(9, [], [], b"memory")
        EngineStore(database).commit(11, [], [])
        assert engine_at(state_at_server) == EngineProgress(11, 9)
        with reading(state_at_server) as connection:
            assert connection.execute(sa.select(engine_state.c.cursor)).scalar_one() == 11
            with pytest.raises(sa.exc.DBAPIError, match="read-only"):
                connection.execute(sa.delete(engine_state))


def test_what_is_no_json_and_what_no_text_holds_is_kept_as_far_as_it_can_be(database: Database) -> None:
    """NaN, Infinity and NUL, on both systems; a machine on the wire must not be able to stop the engine with them."""
    row = {
        "connector": "inspector",
        "id": uuid4(),
        "kind": "alarm",
        "plant": "p",
        "body": {"limit": math.nan, "at": [math.inf]},
        "received": 1,
        "created": 1,
        "last_error": "a\0b",
    }
    with database.write() as connection:
        connection.execute(sa.insert(outbox), row)
    (found,) = database.rows(sa.select(outbox.c.body, outbox.c.last_error))
    assert found["body"] == {"limit": None, "at": [None]}
    assert found["last_error"] in {"a\0b", "a\N{REPLACEMENT CHARACTER}b"}
