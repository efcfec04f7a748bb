"""The audit trail cannot be changed unnoticed."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
import sqlalchemy as sa

from ingest.domain.model.audit import Act
from ingest.storage.state import audit
from ingest.storage.state.alarm_store import AlarmStore
from ingest.storage.state.audit import AuditStore
from ingest.storage.state.database import Database
from ingest.storage.state.engine_store import EngineStore
from tests.ingest.storage.state.test_store import event


def act(number: int, plant: str = "p", subject: str = "a1") -> Act:
    return Act(100 + number, "张三", "operator", "commented", "alarm", subject, plant, {"comment": f"第{number}次"})


@pytest.fixture
def trail(database: Database) -> AuditStore:
    """Five acts, written in three transactions."""
    for numbers in ([1, 2], [3], [4, 5]):
        with database.write() as connection:
            audit.append(connection, [act(number) for number in numbers])
    return AuditStore(database.rows)


def test_acts_are_numbered_without_gaps_and_read_newest_first(trail: AuditStore) -> None:
    rows = trail.acts(limit=10)
    assert [row.seq for row in rows] == [5, 4, 3, 2, 1]
    assert rows[-1].act == act(1)
    assert [row.seq for row in trail.acts(limit=2, before=4)] == [3, 2]
    verdict = trail.verify()
    assert (verdict.rows, verdict.broken, verdict.newest) == (5, None, rows[0].hash)


def test_acts_are_found_by_what_they_are_about(database: Database, trail: AuditStore) -> None:
    with database.write() as connection:
        audit.append(connection, [act(6, plant="other", subject="a2")])
    assert [row.seq for row in trail.acts(limit=10, plants=frozenset({"other"}))] == [6]
    assert [row.seq for row in trail.acts(limit=10, kind="alarm", subject="a2")] == [6]
    assert trail.acts(limit=10, kind="hazard") == []


def test_acts_are_found_by_who_did_them_and_when(database: Database, trail: AuditStore) -> None:
    with database.write() as connection:
        audit.append(connection, [replace(act(6), actor="李四")])
    assert [row.seq for row in trail.acts(limit=10, actor="李四")] == [6]
    assert [row.seq for row in trail.acts(limit=10, since=102, until=104)] == [3, 2]
    assert [row.seq for row in trail.acts(limit=10, actor="张三", since=104)] == [5, 4]


@pytest.mark.parametrize("table", ["audit", "alarm_event"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET time = 0", "DELETE FROM {}"])
def test_the_database_itself_refuses_to_change_what_was_written(database: Database, table: str, statement: str) -> None:
    raised = event(at=time.time_ns())
    EngineStore(database).commit(7, [raised], [])
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), database.write() as connection:
        connection.execute(sa.text(statement.format(table)))
    assert [row.act.subject for row in AuditStore(database.rows).acts(limit=9)] == [str(raised.alarm.id)]
    assert AlarmStore(database).alarm_history(raised.alarm.id) == [replace(raised, seq=1)]


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE audit SET actor = '李四' WHERE seq = 2", 2),
        ("UPDATE audit SET detail = '{}' WHERE seq = 5", 5),
        ("DELETE FROM audit WHERE seq = 3", 3),
        ("UPDATE audit SET time = 0 WHERE seq = 1", 1),
    ],
)
def test_whoever_goes_around_the_database_is_found_out(
    database: Database, trail: AuditStore, statement: str, broken: int
) -> None:
    with database.write() as connection:
        if connection.dialect.name == "sqlite":
            connection.execute(sa.text("DROP TRIGGER audit_no_update"))
            connection.execute(sa.text("DROP TRIGGER audit_no_delete"))
        else:
            connection.execute(sa.text("ALTER TABLE audit DISABLE TRIGGER USER"))
        connection.execute(sa.text(statement))
    assert trail.verify().broken == broken


def test_what_is_rolled_back_leaves_no_act(database: Database, trail: AuditStore) -> None:
    def write_and_fail() -> None:
        with database.write() as connection:
            audit.append(connection, [act(6)])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_fail()
    assert trail.verify().rows == 5
