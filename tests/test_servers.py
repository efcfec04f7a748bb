"""The servers tests stand on: they start, answer, survive a kill, and say what to install when they are missing."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx
import psycopg
import pytest

from ingest.storage.state.database import Database
from ingest.storage.state.engine_store import EngineStore
from tests import programs
from tests.conftest import settings_of
from tests.ingest.storage.state.test_store import event
from tests.migrated import Emptied
from tests.servers import (
    HTTP,
    PostgreSQL,
    influxd_server,
    mosquitto,
    mosquitto_server,
    postgresql,
    victoria_metrics_server,
)


def test_a_killed_server_comes_back_on_the_same_address(tmp_path: Path) -> None:
    """With its data: a database created before the kill is there after it."""
    with influxd_server(tmp_path) as server:
        HTTP.post(f"{server.url}/query", params={"q": "CREATE DATABASE kept"}).raise_for_status()
        server.kill()
        with pytest.raises(httpx.TransportError):
            HTTP.get(f"{server.url}/ping")
        server.start()
        answer = HTTP.get(f"{server.url}/query", params={"q": "SHOW DATABASES"})
        assert answer.json()["results"][0]["series"][0]["values"] == [["kept"]]


def test_a_killed_postgresql_comes_back_with_what_it_has_committed() -> None:
    with postgresql() as server:
        server.ask("CREATE TABLE kept AS SELECT 7 AS number")
        server.kill()
        with pytest.raises(psycopg.OperationalError):
            server.ask("SELECT 1")
        server.start()
        assert server.ask("SELECT number FROM kept") == [(7,)]
        home = server.home
    assert not home.exists(), "its data go with it"


def test_two_servers_of_a_kind_run_side_by_side(tmp_path: Path) -> None:
    with victoria_metrics_server(tmp_path / "a") as server, victoria_metrics_server(tmp_path / "b") as other:
        assert server.url != other.url


def test_mosquitto_listens(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as address:
        socket.create_connection(address, timeout=5).close()


def test_a_setting_of_the_test_replaces_the_default(tmp_path: Path) -> None:
    server = mosquitto_server(tmp_path, ["allow_anonymous false", "max_queued_messages 10"])
    lines = (tmp_path / "mosquitto" / "mosquitto.conf").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("allow_anonymous")] == ["allow_anonymous false"]
    assert "max_queued_messages 10" in lines
    with server:
        pass


def test_a_server_that_cannot_start_shows_its_log(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no_such_setting"), mosquitto(tmp_path, ["no_such_setting true"]):
        pass


def test_a_missing_program_is_named_with_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(programs, "_SBIN", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="apt-get install -y influxdb"):
        influxd_server(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        "DROP TABLE outbox",
        "ALTER TABLE alarm DROP COLUMN phase",
        "ALTER TABLE audit DISABLE TRIGGER USER",
        "DROP FUNCTION alarm_event_append_only() CASCADE",
        "UPDATE alembic_version SET version_num = '0011'",
        "CREATE INDEX another ON alarm (point)",
        "ALTER TABLE alarm DROP CONSTRAINT alarm_pkey CASCADE",
    ],
)
def test_the_next_test_gets_no_database_whose_schema_was_changed(
    databases_at_server: Emptied, postgresql_server: PostgreSQL, change: str
) -> None:
    url = databases_at_server.take()
    postgresql_server.ask(change, url.rpartition("/")[2])
    databases_at_server.give_back(url)
    assert databases_at_server.take() != url


def test_the_next_test_gets_an_empty_database_whatever_was_written(
    databases_at_server: Emptied, postgresql_server: PostgreSQL, tmp_path: Path
) -> None:
    """Append-only tables too, the numbers given to their rows, and a service that still holds it."""
    url = databases_at_server.take()
    for _ in range(3):
        database = Database(settings_of(url, tmp_path))
        EngineStore(database).commit(7, [event()], [])
        assert postgresql_server.ask("SELECT seq FROM alarm_event", url.rpartition("/")[2]) == [(1,)]
        databases_at_server.give_back(url)
        assert databases_at_server.take() == url
        database.close()


def test_no_two_tests_have_the_same_database_at_once(databases_at_server: Emptied) -> None:
    taken = [databases_at_server.take() for _ in range(3)]
    assert len({*taken}) == 3
    for url in taken:
        databases_at_server.give_back(url)
    assert {databases_at_server.take() for _ in range(3)} == {*taken}
