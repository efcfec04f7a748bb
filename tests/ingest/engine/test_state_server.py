"""An engine whose PostgreSQL is killed again and again, within commits too, records what an undisturbed one records."""

from __future__ import annotations

import random
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psycopg
import pytest
import sqlalchemy as sa

from ingest.domain.model.audit import Act
from ingest.engine.commands import Comment, Person
from ingest.storage.state.audit import AuditRow, AuditStore, append
from ingest.storage.state.database import Database
from ingest.storage.state.errors import StateUnavailable
from ingest.storage.state.tables import outbox
from tests.conftest import at_server
from tests.ingest.engine.bench import PATIENCE_S, SECOND, Bench
from tests.servers import PostgreSQL, postgresql
from tests.small_plant import TEXT

NEVER_SILENT = re.sub(r'^(id = "(?:GW|CO)-.*)$', r"\1\nsilence_s = 1000000", TEXT, flags=re.MULTILINE)
"""However long the server takes to come back, nobody is silent meanwhile: readings do not go by the clock."""

EPISODES, APART_S = 60, 700  # further apart than an alarm that comes back is the same one
KILLS = 6  # at random moments
WITHIN = ("before", "after", "before")  # and before a commit of the engine's reaches the server, or its answer us
BESIDE = Act(1, "yujing", "service", "trimmed", "events", "alarms", "", {})


@pytest.mark.timeout(600)
def test_nothing_is_lost_and_nothing_recorded_twice_while_the_server_is_killed(tmp_path: Path) -> None:
    """Alarms, their events, the audit trail, messages, and what people asked for meanwhile."""
    with postgresql() as server:
        killed = Bench(tmp_path, NEVER_SILENT, at_server(server, tmp_path))
        calm = Bench(_folder(tmp_path / "calm"), NEVER_SILENT)
        killed.t0 = calm.t0 = time.time_ns() - EPISODES * APART_S * SECOND
        for bench in (killed, calm):
            bench.engine.start()
            bench.send("CO-01", [50, 50, 5])
            bench.settle()
        (alarm,) = killed.found()
        answers = []
        with _killing(server, killed.database), _writing_beside(killed.database):
            for episode in range(1, EPISODES):
                for bench in (killed, calm):
                    bench.send("CO-01", [5, 50, 50, 5], start_s=episode * APART_S)
                answers.append(killed.engine.submit(Comment(alarm.id, Person("张三", "operator"), f"第{episode}次")))
                time.sleep(0.02)
        for answer in answers:
            answer.result(PATIENCE_S)
        for bench in (killed, calm):
            bench.settle()
            assert bench.engine.stop(PATIENCE_S)
        assert killed.failures == []
        assert [replace(alarm, comment=None) for alarm in killed.found()] == calm.found()
        assert _messages(killed) == _messages(calm)
        comments = Counter(row.act.detail["comment"] for row in _trail(killed) if row.act.action == "commented")
        assert comments == Counter(f"第{episode}次" for episode in range(1, EPISODES)), "each once"
        recorded = [row.act for row in _trail(killed) if row.act.action != "commented" and row.act != BESIDE]
        assert recorded == [row.act for row in _trail(calm)]
        assert AuditStore(killed.database.rows).verify().broken is None
        for bench in (killed, calm):
            bench.database.close()


@contextmanager
def _killing(server: PostgreSQL, database: Database) -> Iterator[None]:
    """Until all kills are over, and no sooner, the server dies and is started again."""
    chance, dead, within = random.Random(7), threading.Event(), list[str]()  # noqa: S311  moments, not secrets
    dialect = database._writer.dialect
    commit = dialect.do_commit

    def die(connection: Any) -> None:
        moment = within.pop() if within and threading.current_thread().name == "engine" else None
        if moment == "before":
            server.kill()
            dead.set()
        commit(connection)
        if moment == "after":
            server.kill()
            dead.set()
            connection.dbapi_connection.close()
            raise psycopg.OperationalError("server closed the connection unexpectedly")

    def kill() -> None:
        for moment in [None] * KILLS + list(WITHIN):
            time.sleep(chance.uniform(0.05, 0.6))
            if moment is None:
                server.kill()
            else:
                within.append(moment)
                assert dead.wait(PATIENCE_S)
                dead.clear()
            server.start()

    killer = threading.Thread(target=kill)
    with patch.object(dialect, "do_commit", die):
        killer.start()
        try:
            yield
        finally:
            killer.join()


@contextmanager
def _writing_beside(database: Database) -> Iterator[None]:
    """Others write, too, as soon as the server is back: to them it gives the numbers that it has forgotten."""
    over = threading.Event()

    def write() -> None:
        while not over.wait(0.001):
            try:
                with database.write() as connection:
                    append(connection, [BESIDE])
            except StateUnavailable:
                pass

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        over.set()
        writer.join()


def _messages(bench: Bench) -> Counter[str]:
    """What waits for the inspector, by what it says, but for the comments."""
    bodies = [row["body"] for row in bench.database.rows(sa.select(outbox.c.body))]
    transitions = [body for body in bodies if body.get("event") not in {None, "commented"}]
    return Counter(f"{body['event']} {body['alarm']['id']} {body['time']}" for body in transitions)


def _trail(bench: Bench) -> list[AuditRow]:
    return AuditStore(bench.database.rows).acts(limit=10_000)[::-1]


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
